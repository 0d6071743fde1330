"""Letters 信用修复决定书 that are withdrawn, and those that stand while a decision is corrected."""

from typing import Any

import pytest

from gateway.store.record.ended_publicity import ended
from schemas.verdict import Verdict
from tests.conftest import BANK, PLATFORM
from tests.factories import (
    IDENTITY,
    about,
    credit_code,
    penalty,
    person_penalty,
    publicity_repair,
)
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.publications import at
from tests.integration.world import World

pytestmark = pytest.mark.integration

VERBS = "select verb from decision where kind = 'penalty' order by id"
VERSIONS = (
    "select {} from record_version v join decision d on d.id = v.decision_id "
    "where d.kind = 'penalty'"
)
GRAVER = penalty(CF_CFLB="罚款、责令停产停业", CF_NR_FK="200")
WITHDRAWN = publicity_repair(verb="withdraw")


async def turns(world: World) -> None:
    for _ in range(3):
        await world.turn()


async def refused(world: World, row: dict[str, Any]) -> str:
    """Take a row that is refused; return what a person is told."""
    [result] = await world.take(row)
    assert result.verdict is Verdict.REFUSED
    [problem] = result.problems
    return f"{problem.message} {problem.fix}"


@pytest.mark.parametrize("together", [True, False])
async def test_a_withdrawn_letter_makes_its_decision_public_again_for_all_who_were_told(
    make_world: MakeWorld, *, together: bool
) -> None:
    """Proven: a letter that named the wrong decision could not be undone."""
    world = await make_world(destinations=[PLATFORM, {**PLATFORM, "name": "nation"}, BANK])
    await world.take(penalty(), penalty(2))
    await world.turn()
    if together:
        await world.take(publicity_repair(), WITHDRAWN, publicity_repair(2, id="right"))
    else:
        await world.take(publicity_repair())
        await turns(world)
        await world.take(WITHDRAWN)
        await world.take(publicity_repair(2, id="right"))
    await turns(world)

    assert await world.column(VERBS) == ["correct", "repair"]
    for name in ("platform", "nation"):
        first = [verb for verb, number in world.sent(name) if number == about(1)["document_number"]]
        second = [
            verb for verb, number in world.sent(name) if number != about(1)["document_number"]
        ]
        assert (first[0], first[-1]) == ("new", "correct")
        assert second == ["new", "repair"]


async def test_what_is_public_again_is_sent_with_its_content(world: World) -> None:
    await world.take(penalty(CF_NR="原来的内容"))
    await world.turn()
    await world.take(publicity_repair())
    await turns(world)

    await world.take(WITHDRAWN)
    await turns(world)

    versions = f"{VERSIONS} order by v.version"
    assert await world.column(versions.format("v.verb")) == ["new", "repair", "correct"]
    assert len(await world.column(VERSIONS.format("distinct v.body::text"))) == 1
    assert [verb for verb, _ in world.sent()] == ["new", "repair", "correct"]


async def test_after_the_withdrawal_corrections_stay_public_until_another_letter(
    world: World,
) -> None:
    for row in (penalty(), publicity_repair(), WITHDRAWN, penalty(CF_NR="更正后的内容")):
        await world.take(row)
        await turns(world)
    assert await world.column(VERBS) == ["correct"]

    await world.take(publicity_repair(id="another"))
    await turns(world)

    assert await world.column(VERBS) == ["repair"]
    assert [verb for verb, _ in world.sent()][-1] == "repair"


async def test_a_letter_that_is_withdrawn_twice_is_withdrawn_once(world: World) -> None:
    await world.take(penalty(), publicity_repair(), WITHDRAWN)

    [again] = await world.take(publicity_repair(verb="withdraw", letter="另写的文号"))

    assert again.repeat
    assert await world.column("select version from decision order by id") == [3, 2]


@pytest.mark.parametrize("first", [[], [publicity_repair(2)]], ids=["unknown", "another subject's"])
async def test_a_letter_that_never_came_cannot_be_withdrawn(
    world: World, first: list[dict[str, Any]]
) -> None:
    await world.take(penalty(), penalty(2), *first)

    words = await refused(world, WITHDRAWN)

    assert "没有收到过编号 E-1 的信用修复，不能撤回" in words


async def test_a_changed_letter_is_refused_with_advice_that_works(world: World) -> None:
    await world.take(penalty(), penalty(2))
    await world.take(publicity_repair())

    words = await refused(world, publicity_repair(decision=about(2)))
    await world.take(publicity_repair(verb="withdraw", decision=about(2)))
    await world.take(publicity_repair(2, id="new"))

    assert "先撤回这一份" in words
    assert await world.column(VERBS) == ["correct", "repair"]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("withdrawn", ["E-1", "E-2"])
async def test_of_two_letters_one_that_stands_keeps_the_publicity_ended(
    world: World, withdrawn: str, *, together: bool
) -> None:
    await world.take(penalty())
    await world.take(publicity_repair())
    rows = [
        publicity_repair(id="E-2"),
        publicity_repair(id=withdrawn, verb="withdraw"),
        penalty(CF_NR="更正后的内容"),
    ]
    for batch in [rows] if together else [[row] for row in rows]:
        await world.take(*batch)

    assert await world.column(VERBS) == ["repair"]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "away", [{"state_secret": "是"}, {"verb": "withdraw"}], ids=["secret", "withdrawn"]
)
async def test_what_was_away_when_its_letter_was_withdrawn_comes_back_public(
    world: World, away: dict[str, str], *, together: bool
) -> None:
    rows = [penalty(), publicity_repair(), penalty(**away), WITHDRAWN]
    for batch in [rows] if together else [[row] for row in rows]:
        await world.take(*batch)
        await world.turn()
    await turns(world)
    told = [verb for verb, _ in world.sent()]
    assert "correct" not in told

    await world.take(penalty())
    await turns(world)

    assert (await world.column(VERBS))[0] in {"revive", "correct"}
    assert [verb for verb, _ in world.sent()][len(told) :] in (["new"], ["correct"])


async def test_a_withdrawn_letter_of_a_decision_that_became_graver_changes_nothing(
    world: World,
) -> None:
    for row in (penalty(), publicity_repair(), GRAVER):
        await world.take(row)
    await turns(world)
    before = world.sent()

    await world.take(WITHDRAWN)
    await turns(world)

    assert world.sent() == before
    assert await world.column(VERBS) == ["correct"]


def serious(id_: str, **more: Any) -> dict[str, Any]:
    """Return a letter of the day on which the publicity of a serious decision may end."""
    day = "2027-10-11"
    letter = publicity_repair(1, id=id_, severity="严重", occurred_on=day, **more)
    return {**letter, "subject_code": credit_code(1)}


async def test_a_milder_letter_does_not_stand_for_what_became_graver_since(world: World) -> None:
    for row in (penalty(), publicity_repair(), GRAVER):
        await world.take(row)
    world.clock.set(at("2027-10-11"))
    await world.take(serious("graver"))
    assert await world.column(VERBS) == ["repair"]

    await world.take(serious("graver", verb="withdraw"))

    assert await world.column(VERBS) == ["correct"]


@pytest.mark.parametrize("away", [None, {"verb": "withdraw"}])
async def test_a_letter_that_covers_the_graver_class_stands_for_the_corrected_decision(
    world: World, away: dict[str, str] | None
) -> None:
    """Proven: the decision was public again, and another letter was asked for."""
    world.clock.set(at("2027-10-11"))
    await world.take(penalty())
    await world.take(serious("first"))
    if away is not None:
        await world.take(penalty(**away))

    [result] = await world.take(GRAVER)

    assert not any("信用修复" in one.message for one in result.checked.warnings)
    assert await world.column(VERBS) == ["repair"]


@pytest.mark.parametrize(
    ("severity", "day", "stands"),
    [
        ("严重", "2027-10-10", True),
        (None, "2027-10-10", True),
        (None, "2027-10-09", False),
        ("一般", "2027-10-10", False),
    ],
)
async def test_a_standing_letter_is_judged_by_its_day_and_the_severity_that_it_states(
    world: World, severity: str | None, day: str, *, stands: bool
) -> None:
    world.clock.set(at("2027-10-11"))
    await world.take(penalty())
    await world.take(publicity_repair(severity=severity, occurred_on=day))

    [result] = await world.take(GRAVER)

    told = any("信用修复" in one.message for one in result.checked.warnings)
    assert told is not stands
    assert await world.column(VERBS) == ["repair" if stands else "correct"]


async def test_a_letter_for_an_unknown_fine_stands_once_the_amount_is_known(world: World) -> None:
    world.clock.set(at("2027-10-11"))
    await world.take(penalty())
    await world.take(serious("first"))

    for given in ({"CF_NR_FK": None, "CF_NR": "处罚款人民币贰佰万元整"}, {"CF_NR_FK": "200"}):
        await world.take(penalty(**given))
        assert await world.column(VERBS) == ["repair"]


async def test_a_letter_may_come_again_after_its_withdrawal(world: World) -> None:
    for row in (penalty(), publicity_repair(), WITHDRAWN):
        await world.take(row)

    await world.take(publicity_repair())

    assert await world.column(VERBS) == ["repair"]


async def test_a_held_report_whose_letter_is_withdrawn_is_reported(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    await world.take(publicity_repair())
    await world.take(WITHDRAWN)
    await turns(world)
    assert world.sent() == []

    await world.take(penalty())
    await turns(world)

    assert [verb for verb, _ in world.sent()][-1] in {"new", "correct"}
    assert await world.column(VERBS) == ["correct"]


async def ended_on(world: World) -> list[str]:
    """Return the days on which publications ended by what is known now."""
    facts = await world.column("select id::text from fact where known_to is null")
    async with world.database.transaction() as connection:
        return [str(day) for day in (await ended(connection, facts, world.clock())).values()]


async def test_explain_tells_since_when_a_publication_is_ended_and_not_that_it_was(
    world: World,
) -> None:
    """Proven: a publication that was on again was told as ended."""
    days = []
    for row in (
        penalty(),
        publicity_repair(),
        penalty(CF_NR="更正后的内容"),
        WITHDRAWN,
        publicity_repair(id="another"),
        GRAVER,
    ):
        await world.take(row)
        days.append(await ended_on(world))
        await world.pass_time(24)

    first, later = "2026-10-13", "2026-10-16"
    assert days == [[], [first], [first], [], [later], []]


@pytest.mark.parametrize("person", [True, False])
async def test_what_is_public_again_goes_to_a_destination_that_names_its_columns(
    make_world: MakeWorld, *, person: bool
) -> None:
    demanding = {**PLATFORM, "requires": ["CF_WSH", "CF_YXQ", *(["CF_XDR_ZJHM"] if person else [])]}
    world = await make_world(destinations=[demanding])
    letter = publicity_repair()
    if person:
        letter = {**letter, "subject_code": None, "identity_number": IDENTITY}
    await world.take(person_penalty() if person else penalty())
    await world.turn()
    await world.take(letter)
    await turns(world)

    await world.take({**letter, "verb": "withdraw"})
    await turns(world)

    assert [verb for verb, _ in world.sent()] == ["new", "repair", "correct"]
