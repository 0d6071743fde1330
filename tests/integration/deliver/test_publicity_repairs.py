"""Publicity repairs 信用修复、终止公示: reported first, then repaired; never before their time."""

from typing import Any

import pytest

from connectors.memory import Step
from gateway.deliver.manual import retry_all
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.conftest import BANK, PLATFORM
from tests.factories import about, credit_code, event, penalty, publicity_repair
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.late import ids
from tests.integration.schedule.publications import at
from tests.integration.world import World

pytestmark = pytest.mark.integration

VERB = "select verb from decision where kind = 'penalty'"


async def test_a_repair_is_sent_to_every_past_recipient(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM, {**PLATFORM, "name": "nation"}, BANK])
    await world.take(penalty())
    await world.turn()

    await world.take(publicity_repair())
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "repair"]
    assert [verb for verb, _ in world.sent("nation")] == ["new", "repair"]


@pytest.mark.parametrize("together", [True, False])
async def test_what_was_not_handed_over_is_reported_first(world: World, *, together: bool) -> None:
    for batch in (
        [[penalty(), publicity_repair()]] if together else [[penalty()], [publicity_repair()]]
    ):
        await world.take(*batch)

    await world.turn()
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "repair"]


async def test_a_repair_waits_for_a_report_that_a_person_must_complete(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    await world.take(publicity_repair())
    assert await world.states() == ["held", "waiting"]
    await world.pass_time(24)
    assert world.sent() == []

    await world.take(penalty())
    for _ in range(3):
        await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "repair"]
    assert await world.column(VERB) == ["repair"]


async def test_a_rejected_report_can_be_sent_again_before_its_repair(world: World) -> None:
    world.connector().play(Step.REJECT)
    await world.take(penalty())
    await world.turn()
    await world.take(publicity_repair())
    assert await world.states() == ["rejected", "waiting"]

    await retry_all(world.database, await ids(world), "me", world.clock())
    for _ in range(3):
        await world.turn()

    assert await world.states() == ["accepted", "accepted"]


async def test_what_is_corrected_after_its_repair_stays_repaired(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    await world.take(publicity_repair())
    await world.turn()

    await world.take(penalty(CF_NR="更正后的内容"))
    for _ in range(3):
        await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "repair", "correct", "repair"]
    assert await world.column(VERB) == ["repair"]


GRAVER = penalty(CF_CFLB="罚款、责令停产停业", CF_NR_FK="200")


@pytest.mark.parametrize("together", [True, False])
async def test_a_correction_that_asks_for_a_longer_publicity_than_the_repaired_one_is_told(
    world: World, *, together: bool
) -> None:
    """The letter was about the milder decision: another one is asked for, by a person."""
    await world.take(penalty())
    await world.turn()
    batches = [[publicity_repair(), GRAVER]] if together else [[publicity_repair()], [GRAVER]]
    results = [await world.take(*batch) for batch in batches]

    told = [one.message for one in results[-1][-1].checked.warnings]
    other = {**GRAVER, "CF_NR": "另一内容"}
    again = [one.message for one in (await world.take(other))[0].checked.warnings]
    for _ in range(3):
        await world.turn()

    words = "决定已信用修复、终止公示，更正后按严重失信最早 2027-10-10 才可以终止公示"
    assert [one.startswith(words) for one in told if "信用修复" in one] == [True]
    assert not any("信用修复" in one for one in again)
    assert [verb for verb, _ in world.sent()][-1] == "correct"
    assert await world.column(VERB) == ["correct"]


async def test_another_letter_ends_the_publicity_of_the_graver_decision(world: World) -> None:
    await world.take(penalty())
    await world.take(publicity_repair())
    await world.take(GRAVER)
    world.clock.set(at("2027-10-11"))

    letter = publicity_repair(2, decision=about(1), severity="严重", occurred_on="2027-10-11")
    [result] = await world.take({**letter, "subject_code": credit_code(1)})
    for _ in range(3):
        await world.turn()

    assert result.verdict is Verdict.OK
    assert await world.column(VERB) == ["repair"]


@pytest.mark.parametrize(
    "given",
    [
        {"CF_NR_FK": None, "CF_NR": "处罚款人民币壹佰贰拾万元整"},
        {"CF_CFLB": "警告", "CF_NR_FK": None, "CF_NR": "警告，并处罚款人民币120万元"},
    ],
)
async def test_a_fine_of_an_unknown_amount_has_no_least_publicity_to_be_over(
    world: World, given: dict[str, Any]
) -> None:
    """Proven: such decisions counted as ordinary or minor ones."""
    await world.take(penalty(**given))

    words = await refused(world, publicity_repair(severity=None))
    assert "罚款而数额不明" in words

    [result] = await world.take(publicity_repair(severity="轻微"))
    assert result.verdict is Verdict.OK


@pytest.mark.parametrize("kind", ["其他-吊销排污许可证", "吊销排污许可证", "其他-吊销营业执照"])
async def test_a_permit_that_is_revoked_by_its_own_name_is_serious(world: World, kind: str) -> None:
    await world.take(penalty(CF_CFLB=kind, CF_NR_FK=None, CF_NR=kind))

    words = await refused(world, publicity_repair(severity=None))

    assert "按严重失信" in words


async def test_a_letter_that_states_a_milder_severity_than_the_rules_is_told(world: World) -> None:
    await world.take(GRAVER)

    [result] = await world.take(publicity_repair(severity="轻微"))

    told = [one.message for one in result.checked.warnings if one.field == "severity"]
    words = "信用修复按轻微失信，这个决定按规定是严重失信"
    assert [one.startswith(words) for one in told] == [True]


async def test_a_correction_replaces_the_repair_that_was_to_come_before_it(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    await world.take(publicity_repair())

    await world.take(penalty(CF_NR="更正后的内容"))

    assert await world.states() == ["accepted", "superseded", "ready", "waiting"]


async def refused(world: World, row: dict[str, Any]) -> str:
    """Take a row that is refused; return what a person is told."""
    [result] = await world.take(row)
    assert result.verdict is Verdict.REFUSED
    assert result.quarantine_id is not None
    [problem] = result.problems
    return f"{problem.field} {problem.message} {problem.fix}"


@pytest.mark.parametrize(
    ("given", "day"),
    [({"severity": None}, "2027-01-10"), ({"severity": "严重"}, "2027-10-10")],
)
async def test_a_repair_before_the_least_publicity_is_refused_with_article_and_day(
    world: World, given: dict[str, Any], day: str
) -> None:
    await world.take(penalty())

    words = await refused(world, publicity_repair(**given))

    assert words.startswith("occurred_on")
    assert f"最早 {day} 可以终止公示" in words
    assert "信用修复管理办法，第36号令" in words
    assert await world.column(VERB) == ["new"]


async def test_a_letter_before_its_decision_is_refused(world: World) -> None:
    await world.take(penalty())

    words = await refused(world, publicity_repair(severity="轻微", occurred_on="2026-01-05"))

    assert "信用修复决定 2026-01-05 早于处罚决定 2026-10-09" in words


async def test_a_serious_penalty_is_serious_however_a_destination_writes_it(world: World) -> None:
    await world.take(penalty(CF_CFLB="其他-责令停产整治", CF_NR_FK=None))

    words = await refused(world, publicity_repair(severity=None))

    assert "最早 2027-10-10 可以终止公示" in words


async def test_a_repair_of_a_decision_that_is_not_known_is_refused_until_it_comes(
    world: World,
) -> None:
    repair = publicity_repair()
    assert "没有收到过这个决定" in await refused(world, repair)
    await world.take(penalty())

    [result] = await world.take(repair)

    assert result.verdict is Verdict.OK
    assert await world.column(VERB) == ["repair"]


async def test_a_refused_repair_that_comes_again_is_one_item_of_quarantine(world: World) -> None:
    repair = publicity_repair()
    for _ in range(3):
        await world.take(repair, origin="a topic")

    assert await world.value("select count(*) from quarantine") == 1
    assert await world.value("select count(*) from quarantine where resolved_at is null") == 1


async def test_a_repair_of_a_withdrawn_decision_is_refused(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(verb="withdraw"))

    assert "已经撤回" in await refused(world, publicity_repair())


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"letter": None}, "letter", Rule.REQUIRED),
        ({"decision": None}, "decision", Rule.REQUIRED),
        (
            {"decision": {"kind": "licence", "document_number": "1", "authority": "局"}},
            "decision.kind",
            Rule.CODE_LIST,
        ),
        ({"severity": "很重"}, "severity", Rule.FORMAT),
        ({"occurred_on": "2027-01-01"}, "occurred_on", Rule.FUTURE),
    ],
)
async def test_a_repair_says_what_it_lacks(
    world: World, changes: dict[str, Any], field: str, rule: Rule
) -> None:
    [result] = await world.take({k: v for k, v in publicity_repair(**changes).items() if v})

    assert [(one.field, one.rule) for one in result.problems] == [(field, rule)]


async def test_one_letter_told_twice_repairs_once(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    await world.take(publicity_repair(), event(2))
    await world.take(publicity_repair(id="another"))
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "repair"]


@pytest.mark.parametrize(
    "away", [{"state_secret": "是"}, {"verb": "withdraw"}], ids=["secret", "withdrawn"]
)
@pytest.mark.parametrize("turns", [True, False])
async def test_a_letter_stands_for_a_decision_that_was_away_meanwhile(
    world: World, *, turns: bool, away: dict[str, str]
) -> None:
    for row in (penalty(), publicity_repair(), penalty(**away), penalty()):
        await world.take(row)
        if turns:
            await world.turn()
    for _ in range(3):
        await world.turn()

    assert world.sent()[-1][0] == "repair"
    assert await world.column(VERB) == ["repair"]


@pytest.mark.parametrize("handed_over", [True, False])
async def test_a_repair_and_a_correction_of_one_batch_go_out_at_once(
    world: World, *, handed_over: bool
) -> None:
    rows = [penalty(), publicity_repair(), penalty(CF_NR="更正后的内容")]
    if handed_over:
        await world.take(rows.pop(0))
        await world.turn()
    await world.take(*rows)

    await world.deliverer().drain()

    assert [verb for verb, _ in world.sent()][-1] == "repair"


@pytest.mark.parametrize(
    "changes",
    [{"decision": about(2)}, {"type": "incident.general", "letter": None}, {"severity": "严重"}],
    ids=["another decision", "another type", "another severity"],
)
async def test_a_letter_that_has_taken_effect_cannot_become_another(
    world: World, changes: dict[str, Any]
) -> None:
    await world.take(penalty(), penalty(2))
    await world.take(publicity_repair())

    changed = {n: v for n, v in publicity_repair(**changes).items() if v is not None}
    words = await refused(world, changed)

    assert "已经收到并生效" in words
    assert await world.column(VERB + " order by id") == ["repair", "new"]


async def test_a_report_keeps_its_due_time_before_a_repair(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    await world.take(publicity_repair())
    due_at = "select due_at from delivery where destination = 'platform' and verb = :verb"
    before = await world.column(due_at, verb="new")

    await world.take(penalty())

    assert await world.column(due_at, verb="correct") == before


@pytest.mark.parametrize("away", [{"verb": "withdraw"}, {"state_secret": "是"}])
@pytest.mark.parametrize("together", [True, False])
async def test_what_comes_back_graver_than_it_was_repaired_is_public_again(
    world: World, away: dict[str, str], *, together: bool
) -> None:
    """Proven: through a withdrawal or 不予报送 it stood repaired again, without a word."""
    await world.take(penalty())
    await world.take(publicity_repair())
    batches = [[penalty(**away), GRAVER]] if together else [[penalty(**away)], [GRAVER]]

    results = [await world.take(*batch) for batch in batches]

    told = [one.message for one in results[-1][-1].checked.warnings]
    assert any("已信用修复、终止公示，更正后按严重失信" in one for one in told)
    assert (await world.column(VERB))[0] in {"revive", "correct"}


async def test_a_correction_to_an_unknown_fine_is_public_again(world: World) -> None:
    await world.take(penalty())
    await world.take(publicity_repair())

    [result] = await world.take(penalty(CF_NR_FK=None, CF_NR="处罚款人民币贰佰万元整"))

    told = [one.message for one in result.checked.warnings]
    assert any("更正后有罚款而数额不明" in one for one in told)
    assert await world.column(VERB) == ["correct"]
