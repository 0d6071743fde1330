"""Branches by the register: for whom what they did counts, and from when."""

import asyncio
import itertools
import random
from typing import Any

import pytest

from schemas.verdict import Verdict
from tests.factories import about, credit_code, event, participant, penalty
from tests.integration.test_participants import grades
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_branch_counts_for_its_legal_person(world: World) -> None:
    await world.take(penalty(1, 1))
    await world.take(participant(2, parent_code=credit_code(1)))

    await world.take(event(2, 2, type="dishonesty.permit_fraud"))

    changes = [row[:3] for row in await grades(world)]
    assert changes == [(credit_code(1), None, "A"), (credit_code(1), "A", "D")]
    codes = "select a.not_evaluated from assessment a join subject s on s.id = a.subject_id "
    last = await world.column(f"{codes} where s.code = :code order by a.id", code=credit_code(2))
    assert set(last) == {"branch"}


async def test_what_a_branch_did_before_it_was_registered_counts_too(world: World) -> None:
    await world.take(event(2, 2, type="dishonesty.permit_fraud"))

    await world.take(participant(2, parent_code=credit_code(1)))

    assert [row[:3] for row in await grades(world)] == [
        (credit_code(2), None, "D"),
        (credit_code(2), "D", None),
        (credit_code(1), None, "D"),
    ]


async def test_a_branch_of_another_legal_person_counts_for_that_one(world: World) -> None:
    await world.take(
        participant(2, parent_code=credit_code(1)), event(2, 2, type="dishonesty.permit_fraud")
    )

    await world.take(participant(2, parent_code=credit_code(3)))

    last = {row[0]: row[2] for row in await grades(world)}
    assert last == {credit_code(1): "A", credit_code(3): "D"}


async def test_branch_and_legal_person_may_come_in_one_batch(world: World) -> None:
    await world.take(
        event(2, 2, type="dishonesty.permit_fraud"),
        participant(2, parent_code=credit_code(1)),
        penalty(1, 1),
    )

    assert [row[:3] for row in await grades(world)] == [(credit_code(1), None, "D")]


async def test_a_branch_counts_for_whom_it_belonged_to_on_the_day(world: World) -> None:
    await world.take(
        participant(2, parent_code=credit_code(1), until="2026-06-30"),
        participant(2, parent_code=credit_code(3), since="2026-07-01"),
        participant(4, parent_code=credit_code(5), until="2026-06-30"),
        event(2, 2, type="dishonesty.permit_fraud"),
        event(4, 4, type="dishonesty.permit_fraud", occurred_on="2026-05-09"),
    )

    last = {row[0]: row[2] for row in await grades(world)}
    assert last == {
        credit_code(1): "A",
        credit_code(3): "D",
        credit_code(4): "A",
        credit_code(5): "D",
    }


async def test_a_branch_of_the_future_counts_from_that_day_on(world: World) -> None:
    await world.take(
        participant(2, parent_code=credit_code(1), since="2026-10-20"),
        event(2, 2, type="dishonesty.permit_fraud"),
    )
    before = {row[0]: row[2] for row in await grades(world)}

    await world.pass_time(24 * 9)

    after = {row[0]: row[2] for row in await grades(world)}
    assert before == {credit_code(1): "A", credit_code(2): "D"}
    assert after == {credit_code(1): "D", credit_code(2): None}


async def test_a_branch_of_a_branch_is_refused(world: World) -> None:
    await world.take(participant(2, parent_code=credit_code(1)))

    [below] = await world.take(participant(3, parent_code=credit_code(2)))
    [above] = await world.take(participant(1, parent_code=credit_code(4)))
    first, second = await world.take(
        participant(11, parent_code=credit_code(12)), participant(12, parent_code=credit_code(11))
    )

    assert "自己也是分支机构" in below.problems[0].message
    assert "自己有分支机构" in above.problems[0].message
    assert [first.verdict, second.verdict] == [Verdict.OK, Verdict.REFUSED]


async def test_what_a_branch_did_in_a_gap_counts_for_the_next_legal_person(world: World) -> None:
    await world.take(
        participant(2, parent_code=credit_code(1), until="2026-06-30"),
        participant(2, parent_code=credit_code(1), since="2026-08-01"),
        participant(4, until="2026-06-30"),
        participant(4, parent_code=credit_code(5), since="2026-08-01"),
        event(2, 2, type="dishonesty.permit_fraud", occurred_on="2026-07-09"),
        event(4, 4, type="dishonesty.permit_fraud", occurred_on="2026-07-09"),
    )

    last = {row[0]: row[2] for row in await grades(world)}
    assert last == {credit_code(1): "D", credit_code(5): "D"}


async def test_what_somebody_did_with_an_entry_of_its_own_is_not_charged_to_whom_it_joins(
    world: World,
) -> None:
    await world.take(
        participant(4, until="2026-07-31"),
        participant(4, parent_code=credit_code(5), since="2026-08-01"),
        event(4, 4, type="dishonesty.permit_fraud", occurred_on="2026-05-09"),
    )

    assert {row[0]: row[2] for row in await grades(world)} == {credit_code(5): "A"}


async def test_a_branch_with_a_later_entry_of_its_own_is_independent(world: World) -> None:
    await world.take(participant(2, parent_code=credit_code(1)), event(2, 2))
    await world.take(participant(2, since="2026-10-01"))

    await world.take(event(3, 2, type="dishonesty.permit_fraud"))

    last = {row[0]: row[2] for row in await grades(world)}
    assert last == {credit_code(1): "A", credit_code(2): "D"}


async def test_the_correction_of_a_name_makes_an_entry_no_later_one(world: World) -> None:
    first = participant(2, parent_code=credit_code(1), id="R-1")
    await world.take(event(1, 2, type="dishonesty.permit_fraud"), first, participant(2, id="R-2"))
    before = await grades(world)

    await world.take({**first, "subject_name": "样例2号分公司"})

    assert before[-1][::2] == (credit_code(2), "D")
    assert await grades(world) == before


async def test_one_decision_about_both_counts_once(world: World) -> None:
    fine = {"CF_NR_FK": "60", "CF_NR": "罚款60万元"}
    await world.take(participant(2, parent_code=credit_code(1)))

    await world.take(penalty(1, 1, **fine), penalty(1, 2, **fine))

    assert await score_of(world, 1) == "98.5"


async def score_of(world: World, company: int) -> str:
    """Return the present score of a company."""
    query = "select a.result ->> 'score' from assessment a join subject s on s.id = a.subject_id "
    code = credit_code(company)
    scores = await world.column(f"{query} where s.code = :code order by a.id", code=code)
    return str(scores[-1])


@pytest.mark.parametrize("order", [1, -1])
async def test_a_decision_is_one_by_whatever_name_of_its_authority(
    world: World, order: int
) -> None:
    await world.take(penalty(9, 9), participant(2, parent_code=credit_code(1)))
    await world.run(
        "insert into authority_alias (alias, authority_id)"
        " select '样例市环保局', authority_id from authority_alias where alias = '样例市生态环境局'"
    )
    fine = {"CF_NR_FK": "60", "CF_NR": "罚款60万元"}
    by_alias = penalty(1, 2, **fine, CF_CFJG="样例市环保局")

    for row in [penalty(1, 1, **fine), by_alias][::order]:
        await world.take(row)

    assert await score_of(world, 1) == "98.5"


@pytest.mark.parametrize(("who", "score"), [(1, "93.5"), (2, "99.5")])
async def test_a_repair_of_a_decision_about_both_ends_only_its_own_part(
    world: World, who: int, score: str
) -> None:
    stop = {"CF_CFLB": "罚款、责令停产整治", "CF_NR_FK": "60", "CF_NR": "罚款60万元，停产整治"}
    repair = {
        "type": "repair",
        "decision": about(1),
        "rectified_on": "2026-05-20",
        "repair_confirmed_on": "2026-10-02",
        "occurred_on": "2026-10-02",
    }
    day = {"CF_JDRQ": "2026/05/09"}
    await world.take(
        participant(2, parent_code=credit_code(1)),
        penalty(1, 1, **day),
        penalty(1, 2, **stop, **day),
        event(9, who, **repair),
    )

    assert await score_of(world, 1) == score


async def test_the_repair_of_what_a_branch_did_names_the_branch(world: World) -> None:
    await world.take(
        participant(2, parent_code=credit_code(1)), event(2, 2, type="dishonesty.permit_fraud")
    )
    repair = {
        "type": "repair",
        "decision": {"kind": "event", "document_number": "E-2", "authority": "局"},
        "rectified_on": "2026-10-10",
        "repair_confirmed_on": "2026-10-11",
        "occurred_on": "2026-10-11",
    }

    [wrong] = await world.take(event(9, 1, **repair))
    between = [row[:3] for row in await grades(world)][-1]
    [right] = await world.take(event(9, 2, **repair))

    assert (wrong.verdict, wrong.problems) == (Verdict.OK, ())
    assert credit_code(2) in wrong.checked.warnings[0].message
    assert (right.verdict, right.checked.warnings) == (Verdict.OK, ())
    assert between == (credit_code(1), None, "D")
    assert [row[:3] for row in await grades(world)][-1] == (credit_code(1), "D", "A")


OWN, OF_BRANCH = penalty(1, 1, CF_JDRQ="2026/05/09"), penalty(1, 2, CF_JDRQ="2026/05/09")
JOINT_REPAIR = event(
    9,
    1,
    type="repair",
    decision=about(1),
    rectified_on="2026-05-20",
    repair_applied_on="2026-10-01",
    repair_confirmed_on="2026-10-02",
    occurred_on="2026-10-02",
)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("rows", list(itertools.permutations([OWN, OF_BRANCH, JOINT_REPAIR])))
async def test_the_repair_of_a_joint_decision_counts_in_any_order(
    world: World, rows: tuple[dict[str, Any], ...], *, together: bool
) -> None:
    await world.take(participant(2, parent_code=credit_code(1)))

    if together:
        taken = await world.take(*rows)
    else:
        taken = [one for row in rows for one in await world.take(row)]

    assert {one.verdict for one in taken} == {Verdict.OK}
    assert await score_of(world, 1) == "99.5"  # what the branch did is not repaired


async def test_a_withdrawn_decision_of_a_branch_is_no_warning(world: World) -> None:
    await world.take(participant(2, parent_code=credit_code(1)), OF_BRANCH)
    await world.take({**OF_BRANCH, "verb": "withdraw"})

    [taken] = await world.take(JOINT_REPAIR)

    assert (taken.verdict, taken.checked.warnings) == (Verdict.OK, ())


async def test_a_branch_counts_however_its_entry_and_its_conduct_cross(world: World) -> None:
    rows = []
    for n in range(1, 13):
        rows += [
            participant(n + 20, parent_code=credit_code(n)),
            event(n, n + 20, type="dishonesty.permit_fraud"),
            penalty(n, n),
        ]
    random.Random(16).shuffle(rows)  # noqa: S311  the same order in each run

    await asyncio.gather(*(world.take(row) for row in rows))

    last = {row[0]: row[2] for row in await grades(world)}
    assert {code: last[code] for code in map(credit_code, range(1, 13))} == dict.fromkeys(
        map(credit_code, range(1, 13)), "D"
    )
    assert not any(last.get(credit_code(n + 20)) for n in range(1, 13))
