"""A table of natural persons 自然人 that comes later: what stands in the other one is found."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors.errors import ConnectorError
from connectors.exchange_database import ExchangeDatabase
from schemas.codes import Verb
from schemas.delivery import Item, OutcomeKind
from tests.connectors.conftest import SteppedClock
from tests.connectors.test_exchange_database import WINDOW, columns
from tests.exchange_place import MOVED, STAGING, TABLE, Platform, lose_next_answer, tables

ItemFactory = Callable[..., Item]
PERSONS = "zrrxzcf"


def with_persons(
    platform: Platform, clock: SteppedClock, only: bool = False, **settings: Any
) -> ExchangeDatabase:
    """Return the connector after persons were given a table of their own."""
    moved = {**TABLE["moved_to"], "name": f"{PERSONS}_moved"}
    apart = {"penalty/persons": {**TABLE, "name": PERSONS, "moved_to": moved}}
    return platform.connector(clock, tables=apart if only else tables() | apart, **settings)


@pytest.fixture
def platform(exchange_database: Platform) -> Platform:
    exchange_database.do(
        f"drop table if exists {PERSONS}",
        f"drop table if exists {PERSONS}_moved",
        f"create table {PERSONS} as select * from {STAGING}",
        f"create table {PERSONS}_moved as select * from {MOVED}",
    )
    return exchange_database


def keys(platform: Platform, table: str = STAGING) -> list[str]:
    return [row["cg_key"] for row in platform.rows(table)]


async def test_a_row_whose_answer_was_lost_is_found_in_the_table_of_before(
    platform: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    before = platform.connector(clock)
    lose_next_answer(before)
    with pytest.raises(ConnectorError):
        await before.send([item(1, columns=columns())])
    person = item(1, columns=columns(), person=True, resend=True)

    after = with_persons(platform, clock)
    [found] = await after.look_up([person])
    [again] = await after.send([person])

    assert found.kind is again.kind is OutcomeKind.SUBMITTED
    assert (keys(platform), keys(platform, PERSONS)) == (["key-1"], [])
    for connector in (before, after):
        await connector.close()


async def test_a_withdrawal_takes_back_the_row_of_before(
    platform: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    before, after = platform.connector(clock), with_persons(platform, clock, pull_back=WINDOW)
    await before.send([item(1, columns=columns())])

    given = {"verb": Verb.WITHDRAW, "earlier": ("key-1",), "person": True}
    [outcome] = await after.send([item(2, columns=columns(), **given)])

    assert outcome.kind is OutcomeKind.ACCEPTED
    assert (keys(platform), keys(platform, PERSONS)) == ([], [])
    for connector in (before, after):
        await connector.close()


@pytest.mark.parametrize("verb", [Verb.WITHDRAW, Verb.REPAIR])
@pytest.mark.parametrize("is_moved", [False, True])
async def test_what_follows_a_row_goes_to_the_table_where_it_stands(
    platform: Platform, clock: SteppedClock, item: ItemFactory, verb: Verb, is_moved: bool
) -> None:
    before, after = platform.connector(clock), with_persons(platform, clock)
    await before.send([item(1, columns=columns())])
    if is_moved:
        platform.move("2026-11-21 03:00:00")

    given = {"verb": verb, "earlier": ("key-1",), "person": True}
    follows, another = item(2, columns=columns(), **given), item(3, columns=columns(3), person=True)
    await after.send([follows, another])

    assert keys(platform)[-1] == "key-2"
    assert keys(platform, PERSONS) == ["key-3"]
    for connector in (before, after):
        await connector.close()


async def test_what_the_platform_refused_goes_to_the_table_of_persons(
    platform: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    before, after = platform.connector(clock), with_persons(platform, clock)
    await before.send([item(1, columns=columns())])
    platform.refuse("自然人应报另一张表")

    given = {"verb": Verb.CORRECT, "earlier": ("key-1",), "person": True}
    await after.send([item(2, columns=columns(), **given)])

    assert (keys(platform), keys(platform, PERSONS)) == ([], ["key-2"])
    for connector in (before, after):
        await connector.close()


async def test_a_sole_trader_who_is_no_person_any_more_is_followed_into_the_table_of_persons(
    platform: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = with_persons(platform, clock)
    await connector.send([item(1, columns=columns(), person=True)])

    given = {"verb": Verb.REPAIR, "earlier": ("key-1",)}
    await connector.send([item(2, columns=columns(), **given)])
    await connector.close()

    assert (keys(platform), keys(platform, PERSONS)) == ([], ["key-1", "key-2"])


async def test_an_enterprise_without_a_table_is_told_so(
    platform: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = with_persons(platform, clock, only=True)

    outcomes = await connector.send(
        [item(1, columns=columns()), item(2, columns=columns(2), person=True)]
    )
    await connector.close()

    assert [one.kind for one in outcomes] == [OutcomeKind.REJECTED, OutcomeKind.SUBMITTED]
    assert "没有配置 penalty 的表" in outcomes[0].reasons[0]
