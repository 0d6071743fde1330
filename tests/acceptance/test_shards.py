"""Two shards, each with a database, topics and a gateway of its own, are together what one is.

What they share is the broker, the platforms and the bank. `deploy/SHARDS.md` is the plan.
"""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from connectors.sandbox import Faults, serve_sandbox
from connectors.sandbox.book import Entry
from deploy.shards import ALL_KINDS, figures, shard_of
from gateway.config.settings import make_settings
from gateway.ledger.month import Ledger
from gateway.ledger.month import month as ledger_of
from gateway.ledger.rows_file import parquet
from gateway.ledger.timeliness import Timeliness
from gateway.reconcile.difference import DifferenceKind
from gateway.reconcile.run import begin, reconcile_platform, usual_span
from gateway.service.app import Gateway, build
from gateway.service.roles import build_deliverers
from tests.acceptance.month import CONTENTS, NOT_ACCEPTED, REFUSED, assert_platform, messages
from tests.acceptance.town import BANK, CITY, NATION, Message, Town
from tests.conftest import NewDatabase
from tests.factories import penalty
from tests.outcome import Outcome, outcome

SHARDS = 2
MONTH = "2026-10"
BY_HAND = "样环罚字〔2026〕777号"
Towns = list[Town]


@pytest.fixture
async def towns(
    town: Town, new_database: NewDatabase, kafka_bootstrap: str, tmp_path: Path
) -> AsyncIterator[Towns]:
    """Shards that share the platforms of the first one, and the usual town beside them."""
    async with AsyncExitStack() as stack:
        made: Towns = []
        for number in range(SHARDS):
            folder = tmp_path / f"shard-{number}"
            folder.mkdir()
            database = await stack.enter_async_context(new_database())
            made.append(Town(f"{town.name}-{number}", database, kafka_bootstrap, folder))
            stack.push_async_callback(made[-1].close)
        url = await stack.enter_async_context(serve_sandbox(made[0].sandbox))
        for one in made:
            one.sandbox, one.url = made[0].sandbox, url
            await one.make_topics()
        yield [*made, town]


async def test_two_shards_are_together_what_one_database_is(towns: Towns, tmp_path: Path) -> None:
    *shards, whole = towns
    await live(shards, messages(), whole)

    await assert_everything_was_delivered_once(shards)
    await assert_each_subject_is_in_its_shard(shards)
    assert await recorded(shards) == await recorded([whole])
    parts, one = [await ledger(each) for each in shards], await ledger(whole)
    assert added(parts, tmp_path) == figures_of(one)
    assert sum(each.refused for each in parts) == one.refused == REFUSED


async def test_what_no_shard_knows_is_over_reported_in_both(towns: Towns) -> None:
    """A platform shows to each shard what both handed over; the other's rows are no fault."""
    shards = towns[:SHARDS]
    await live(shards, messages())
    enter_by_hand(shards[0], BY_HAND)

    found = [await over_reported(one) for one in shards]

    assert found[0] & found[1] == {BY_HAND}
    assert found[0] - found[1] == await documents(shards[1])
    assert found[1] - found[0] == await documents(shards[0])


async def live(shards: Towns, published: list[Message], whole: Town | None = None) -> None:
    """Take and deliver all messages: by the shards as they are routed, and by one database."""
    towns = [*shards, whole] if whole else shards
    for one in towns:
        one.receive_later(CITY, NATION)
    running = [(one, one.start()) for one in towns]
    for number, one in enumerate(shards):
        await one.publish(each for each in published if routed(each) == number)
    if whole:
        await whole.publish(published)
    for one, process in running:
        await one.settle()
        await one.stop(process)


def routed(message: Message) -> int:
    """Return the shard to whose topic a source sends; what names no subject goes to any."""
    return shard_of((message.key or b"").decode(), SHARDS)


# ---------------------------------------------------------------- what must hold


async def assert_everything_was_delivered_once(shards: Towns) -> None:
    contents: dict[str, list[str]] = defaultdict(list)
    for one in shards:
        assert await one.rows(NOT_ACCEPTED) == []
        for document, content in await one.rows(CONTENTS):
            contents[document].append(content)
    for place in (CITY, NATION):
        assert_platform(shards[0].state(place), contents)
    bank = shards[0].state(BANK)
    told = [(each["subject_code"], each["columns"]["to_grade"]) for each in bank["entries"]]
    changed = [row for one in shards for row in await one.rows(_CHANGES)]
    assert Counter(told) == Counter(changed)
    assert set(bank["effects"].values()) == {1}


_CHANGES = """
    select s.code, g.to_grade from grade_change g join subject s on s.id = g.subject_id
"""


async def assert_each_subject_is_in_its_shard(shards: Towns) -> None:
    """A shard has the subjects of the rule alone, and no other sends what is theirs."""
    for number, one in enumerate(shards):
        codes = {code for (code,) in await one.rows("select code from subject where not person")}
        assert codes
        assert {shard_of(code, SHARDS) for code in codes} == {number}
    persons = [code for one in shards for (code,) in await one.rows(_PERSONS)]
    assert len(persons) == 1
    names = [await installation(one) for one in shards]
    for place in (CITY, NATION, BANK):
        for entry in shards[0].state(place)["entries"]:
            sender = names.index(entry["key"].split("-")[0])
            assert sender == shard_of(entry["subject_code"], SHARDS)


_PERSONS = "select code from subject where person"


async def installation(town: Town) -> str:
    [(name,)] = await town.rows("select name from installation")
    return str(name)


async def recorded(towns: Towns) -> Outcome:
    """Return what several databases have recorded, in one order."""
    found: Outcome = defaultdict(list)
    for one in towns:
        for name, rows in (await outcome(one.rows)).items():
            found[name] += rows
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


# ---------------------------------------------------------------- figures


async def built(town: Town) -> Gateway:
    return await build(make_settings(town.settings, town.name), town.database, town.clock)


async def ledger(town: Town) -> Ledger:
    scope = (await built(town)).ledger_scope
    return await ledger_of(town.database, scope, MONTH, town.clock())


def added(parts: list[Ledger], folder: Path) -> dict[tuple[str, ...], dict[str, int]]:
    """Add up the rows of the shards as an operator does, from their Parquet files."""
    files = []
    for number, part in enumerate(parts):
        files.append(str(folder / f"{number}.parquet"))
        Path(files[-1]).write_bytes(parquet(part.rows))
    found = {}
    for row in figures(files).iter_rows(named=True):
        place = tuple(row.pop(name) for name in ("destination", "kind", "clock"))
        found[place] = row
    return found


def figures_of(whole: Ledger) -> dict[tuple[str, ...], dict[str, int]]:
    """Return the figures of a ledger in the same form, without those of kinds that never came."""
    names = ("in_scope", "handed_over", "accepted", "blind")
    found = {}
    for one in whole.figures:
        for clock in one.clocks:
            counts = {name: getattr(one, name) for name in names}
            kind = one.kind if one.kind else ALL_KINDS
            found[one.destination, kind, clock.clock] = counts | results(asdict(clock))
    return {place: counts for place, counts in found.items() if counts["in_scope"]}


def results(clock: dict[str, Any]) -> dict[str, int]:
    return {one.value: clock[one.name.lower()] for one in Timeliness}


# ---------------------------------------------------------------- what a platform shows


async def over_reported(town: Town) -> set[str]:
    """Return the documents that a platform shows and a shard does not know."""
    gateway, now = await built(town), town.clock()
    [city] = [one for one in build_deliverers(gateway) if one.name == CITY]
    done = await reconcile_platform(
        town.database,
        gateway.reconcile_scope,
        city.destination,
        city.connector,
        await begin(town.database, CITY, usual_span(now), now),
    )
    await city.close()
    kinds = {flag["kind"] for each in done.differences for flag in each.flags}
    assert kinds == {DifferenceKind.OVER_REPORTED}
    return {each.key.split("|")[1] for each in done.differences}


async def documents(town: Town) -> set[str]:
    """Return the numbers of the decisions that a shard has reported."""
    query = "select number_key from decision where kind in ('penalty', 'licence')"
    return {number for (number,) in await town.rows(query)}


def enter_by_hand(town: Town, document: str) -> None:
    """Let the platform show a decision that nobody of ours handed over."""
    columns = penalty(1, 1, CF_WSH=document)
    entry = Entry("by hand", "penalty", "new", 1, columns, "accepted", town.clock())
    town.sandbox.books[CITY].store(entry, Faults())
