"""Reporting goes on whatever scoring, exclusions and odd bodies do."""

import logging
from collections.abc import Sequence
from datetime import date

import orjson
import pytest

from gateway.check.checked import Checked
from gateway.check.raw import Raw
from gateway.rules.rulebook import InForce
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import (
    about,
    event,
    penalty,
    raw,
)
from tests.integration.conftest import MakeWorld
from tests.integration.test_pipeline import GRADES
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_record_is_delivered_even_without_a_rule_set(
    make_world: MakeWorld,
) -> None:
    world = await make_world(scoring={})

    await world.take(penalty())
    await world.turn()

    assert await world.column("select not_evaluated from assessment") == ["no_rule_set"]
    assert await world.states() == ["accepted"]


async def test_a_record_is_delivered_even_after_an_engine_error(world: World) -> None:
    rulebook = world.gateway.rulebook
    broken = rulebook.load("nm-2023-draft").rule_set.model_copy(
        update={"tables": {"enterprise": None}}
    )
    rulebook.put_in_force([InForce("nm-2023-draft", date.min, broken)])

    await world.take(penalty())
    await world.turn()

    # It is tried again at the start of the schedule.
    assert await world.column("select not_evaluated from assessment") == ["engine_error"] * 2
    assert await world.column(GRADES) == []
    assert await world.states() == ["accepted"]


async def test_a_fine_without_its_amount_is_recorded_but_not_evaluated(world: World) -> None:
    [result] = await world.take(penalty(CF_NR_FK=None))

    assert result.verdict is Verdict.INCOMPLETE
    assert await world.column("select not_evaluated from assessment") != [None]
    assert await world.value("select count(*) from decision") == 1


# ---------------------------------------------------------------- excluded and held


async def test_an_excluded_decision_is_recorded_without_fact_or_delivery(world: World) -> None:
    [result] = await world.take(penalty(state_secret="是"))

    assert result.excluded == "state_secret"
    assert await world.column("select excluded from decision") == ["state_secret"]
    assert await world.value("select count(*) from fact") == 0
    assert await world.states() == []


@pytest.mark.parametrize("use", ["1", "2"])
async def test_what_is_not_for_the_public_reaches_neither_platform_nor_bank(
    world: World, use: str
) -> None:
    grave = penalty(CF_CFLB="罚款、责令停产停业", CF_NR="罚款2万元，责令停产停业", CF_SYFW=use)

    [result] = await world.take(grave)
    await world.turn()

    assert result.excluded == "restricted_use"
    assert await world.value("select count(*) from fact") == 0
    assert await world.value("select count(*) from grade_change") == 0
    assert await world.states() == await world.states("bank") == []


async def test_what_is_no_longer_for_the_public_is_withdrawn_and_leaves_the_grade(
    world: World,
) -> None:
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(CF_SYFW="1"))
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]
    last = "select fact_ids from assessment order by id desc limit 1"
    assert await world.value(last) == []


async def test_a_held_delivery_is_sent_after_its_correction(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    await world.turn()
    assert await world.states() == ["held"]

    await world.take(penalty())
    await world.turn()

    assert await world.states() == ["superseded", "accepted"]
    assert world.sent() == [("new", "样环罚字〔2026〕1号")]


async def test_a_correction_of_a_held_delivery_inherits_its_due_time(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    await world.take(penalty(CF_JDRQ="2026/10/11"))

    [held, ready] = await world.column("select due_at from delivery where item_kind = "
                                       "'record_version' order by id")  # fmt: skip
    assert ready == held


async def test_an_environmental_credit_repair_tells_the_platforms_nothing(world: World) -> None:
    await world.take(penalty())

    await world.take(event(type="repair", decision=about(), repair_confirmed_on="2026-10-11"))
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new"]
    assert await world.column("select verb from decision where kind = 'penalty'") == ["new"]


async def test_a_bug_in_check_refuses_one_item_and_not_its_batch(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    checker = world.gateway.pipeline.checker
    check_all = checker.check_all
    broken = {raw(penalty(2)).body: "fault of the second", raw(penalty(4)).body: "of the fourth"}

    def fail_on_some(raws: Sequence[Raw], today: date) -> list[Checked]:
        for one in raws:
            if one.body in broken:
                raise ZeroDivisionError(broken[one.body])
        return check_all(raws, today)

    checker.check_all = fail_on_some  # type: ignore[method-assign]
    results = await world.take(*map(penalty, range(1, 6)))

    ok, refused = Verdict.OK, Verdict.REFUSED
    assert [result.verdict for result in results] == [ok, refused, ok, refused, ok]
    assert results[1].problems[0].rule is Rule.INTERNAL
    told = [logging.Formatter().format(record) for record in caplog.records]
    assert ["second" in told[0], "fourth" in told[0]] == [True, False]
    assert ["second" in told[1], "fourth" in told[1]] == [False, True]


# ---------------------------------------------------------------- bodies


async def test_a_huge_integer_in_an_unknown_column_is_kept(world: World) -> None:
    [result] = await world.take(orjson.dumps(penalty())[:-1] + b',"X":' + b"9" * 100 + b"}")

    assert result.verdict is Verdict.OK
    sealed = await world.value("select unknown_columns from record_version")
    assert world.gateway.keys.decrypt(sealed, 1) == b'{"X": ' + b"9" * 100 + b"}"


async def test_extreme_dates_do_not_stop_a_batch(world: World) -> None:
    results = await world.take(
        penalty(1, CF_JDRQ="9999-12-31", CF_YXQ=None),
        penalty(2, CF_JDRQ="0001-01-01"),
        event(3, 2, occurred_on="9999-12-31"),
        event(4, 3, occurred_on="0001-01-01"),
        penalty(5),
    )

    assert results[-1].verdict is Verdict.OK


async def test_an_empty_batch_writes_nothing(world: World) -> None:
    assert await world.take() == []
    assert await world.value("select count(*) from origin") == 0
