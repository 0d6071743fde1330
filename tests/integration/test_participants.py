"""The register of participants, through the whole pipeline: who is graded, as what, for whom."""

import asyncio
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from schemas.codes import RecordKind
from schemas.verdict import Verdict
from tests.factories import REGION, about, credit_code, event, grade, participant, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

ONLY = {"rule_set": "nm-2023-draft", "regions": [REGION], "participants_only": True}


@pytest.fixture
async def only(make_world: MakeWorld) -> World:
    """A gateway that evaluates participants only."""
    return await make_world(scoring={"bindings": [ONLY]})


async def grades(world: World) -> list[tuple[Any, ...]]:
    return await world.rows(
        "select s.code, g.from_grade, g.to_grade, g.body ->> 'reasons' from grade_change g "
        "join subject s on s.id = g.subject_id order by g.id"
    )


async def test_a_company_without_an_entry_is_not_evaluated(only: World) -> None:
    await only.take(penalty(1))

    assert await only.column("select not_evaluated from assessment") == ["not_participant"]
    assert await grades(only) == []
    assert await only.states("platform") == ["ready"]


async def test_a_company_is_graded_from_its_first_day_on(only: World) -> None:
    await only.take(penalty(1), participant(since="2026-10-20"))
    before = await grades(only)

    await only.pass_time(24 * 8)

    assert before == []
    assert [row[:3] for row in await grades(only)] == [(credit_code(1), None, "A")]


async def test_who_leaves_has_no_grade_any_more(only: World) -> None:
    await only.take(participant(until="2026-10-20", reason="关停"), penalty(1))

    await only.pass_time(24 * 9)

    last = (await grades(only))[-1]
    assert last == (credit_code(1), "A", None, '["不在参评单位名录，不参评"]')


async def test_an_entry_is_corrected_by_the_same_batch_and_permit(world: World) -> None:
    await world.take(participant(batch="第一批", permit="P1", weight="1"))

    again = await world.take(participant(batch="第一批", permit="P1", weight="1"))
    changed = await world.take(participant(batch="第一批", permit="P1", weight="2"))
    other = await world.take(participant(batch="第二批", permit="P1", weight="2"))

    assert [one[0].repeat for one in (again, changed, other)] == [True, False, False]
    entries = "select body -> 'entry' ->> 'weight' from fact where known_to is null order by id"
    assert await world.column(entries) == ["2", "2"]


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


async def test_a_received_grade_has_the_measures_of_its_kind(make_world: MakeWorld) -> None:
    bound = {"rule_set": "henan-2018", "regions": [REGION], "kinds": ["agency"]}
    world = await make_world(scoring={"bindings": [bound]})
    await world.take(
        participant(1, subject_kind="服务机构"), grade(1), grade(2, effective_on="2026-10-10")
    )

    await world.take(grade(3, grade="诚信", effective_on="2026-10-11"))

    bodies = await world.column("select body ->> 'direction' from grade_change order by id")
    assert bodies == ["first", "up"]


async def test_what_a_participant_uploads_counts_once_it_is_confirmed(
    make_world: MakeWorld,
) -> None:
    world = await make_world(
        scoring={"bindings": [{"rule_set": "henan-2018", "regions": [REGION]}]}
    )
    await world.take(event(1, type=None, item="N1", self_reported=True))
    before = await grades(world)
    confirmation = {
        "type": "confirmation",
        "decision": {"kind": "event", "document_number": "E-1", "authority": "样例市生态环境局"},
        "confirmed_by": "样例市生态环境局",
        "occurred_on": "2026-10-12",
    }

    await world.take(event(2, **confirmation))

    assert before == []
    assert [row[2] for row in await grades(world)] == ["不良"]
    kept = "select body ->> 'confirmed_by' from record_version order by id"
    assert (await world.column(kept))[-1] == "样例市生态环境局"


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


async def test_what_a_branch_did_is_always_somebodys(world: World) -> None:
    await world.take(
        participant(2, parent_code=credit_code(1), until="2026-06-30"),
        participant(2, parent_code=credit_code(1), since="2026-08-01"),
        participant(4, until="2026-06-30"),
        participant(4, parent_code=credit_code(5), since="2026-08-01"),
        event(2, 2, type="dishonesty.permit_fraud", occurred_on="2026-07-09"),
        event(4, 4, type="dishonesty.permit_fraud", occurred_on="2026-05-09"),
    )

    last = {row[0]: row[2] for row in await grades(world)}
    assert last == {credit_code(1): "D", credit_code(5): "D"}


CHAINS = [
    [
        participant(2, parent_code=credit_code(1), verb="withdraw"),
        participant(1, parent_code=credit_code(9)),
    ],
    [participant(2), participant(1, parent_code=credit_code(9))],
    [
        participant(2, parent_code=credit_code(3), since="2026-07-01"),
        participant(1, parent_code=credit_code(9)),
        participant(3, parent_code=credit_code(9)),
    ],
    [
        participant(2, parent_code=credit_code(1), until="2026-06-30"),
        participant(1, parent_code=credit_code(9), since="2026-07-01"),
    ],
]


@pytest.mark.parametrize("rows", CHAINS)
async def test_chains_are_refused_whatever_the_batch(
    make_world: MakeWorld, world: World, rows: list[dict[str, Any]]
) -> None:
    del make_world
    first = participant(2, parent_code=credit_code(1))
    await world.take(first)
    together = [one.verdict for one in await world.take(*rows)]
    again = [participant(int(n) + 20) for n in range(1, 2)]
    await world.take(*again)
    other = [{**row, "subject_code": _moved(row["subject_code"])} for row in (first, *rows)]
    other = [
        {**row, "parent_code": _moved(row["parent_code"])} if row.get("parent_code") else row
        for row in other
    ]

    one_by_one = [(await world.take(row))[0].verdict for row in other]

    assert one_by_one[1:] == together


def _moved(code: str) -> str:
    """Return the code of the company whose number is higher by thirty."""
    return {credit_code(n): credit_code(n + 30) for n in range(1, 10)}[code]


async def test_an_entry_is_withdrawn(world: World) -> None:
    entry = participant(2, parent_code=credit_code(1))
    await world.take(entry, event(2, 2, type="dishonesty.permit_fraud"))

    [result] = await world.take({**entry, "verb": "撤回"})
    [wrong] = await world.take({**entry, "verb": "取消"})

    assert (result.verdict, result.repeat, wrong.verdict) == (Verdict.OK, False, Verdict.REFUSED)
    last = {row[0]: row[2] for row in await grades(world)}
    assert last == {credit_code(1): "A", credit_code(2): "D"}


async def test_a_list_of_another_year_makes_entries_of_its_own(only: World) -> None:
    await only.take(participant(), event(1, 1, type="dishonesty.permit_fraud"))

    await only.take(participant(since="2027-01-31"), participant(subject_kind="agency"))

    assert await only.value("select count(*) from decision where kind = 'participant'") == 3
    assert {row[2] for row in await grades(only)} == {"D"}


async def test_what_is_decided_at_a_permit_that_is_no_site_counts_fully(world: World) -> None:
    await world.take(
        participant(permit="P1", weight="1"),
        participant(permit="P2", weight="99"),
        event(1, type="dishonesty.permit_fraud", details={"site": "P9"}),
    )

    assert [row[2] for row in await grades(world)] == ["D"]


async def test_an_unknown_kind_of_agency_leaves_no_row_out(make_world: MakeWorld) -> None:
    bound = {"rule_set": "nm-2023-draft", "regions": [REGION], "kinds": ["agency"]}
    world = await make_world(scoring={"bindings": [bound]})

    await world.take(
        participant(1, subject_kind="机构", agency_kinds="环境监测机构"),
        event(1, type="agency.untrained_monitoring"),
    )

    assert [row[2] for row in await grades(world)] == ["C"]


async def test_a_confirmation_is_of_the_version_that_it_found(make_world: MakeWorld) -> None:
    bound = {"rule_set": "henan-2018", "regions": [REGION]}
    world = await make_world(scoring={"bindings": [bound]})
    await world.take(event(1, type=None, item="N1", self_reported=True))
    confirmation = {
        "type": "confirmation",
        "decision": {"kind": "event", "document_number": "E-1", "authority": "样例市生态环境局"},
        "confirmed_by": "样例市生态环境局",
    }
    await world.take(event(2, **confirmation, occurred_on="2026-10-12"))
    await world.take(event(3, type="rectification", decision=confirmation["decision"]))
    kept = await world.column("select body ->> 'confirmed_on' from fact where known_to is null")

    await world.take(event(1, type=None, item="N2", self_reported=True))
    await world.take(event(4, type="rectification", decision=confirmation["decision"]))

    assert kept == ["2026-10-12"]
    facts = "select body ->> 'item', body ->> 'confirmed_on' from fact where known_to is null"
    assert await world.rows(facts) == [("N2", None)]


async def test_a_confirmation_is_of_its_version_in_one_batch_too(make_world: MakeWorld) -> None:
    world = await make_world(
        scoring={"bindings": [{"rule_set": "henan-2018", "regions": [REGION]}]}
    )

    def confirmation(number: int) -> dict[str, Any]:
        about_it = {"kind": "event", "document_number": f"E-{number}", "authority": "样例市局"}
        given = {"type": "confirmation", "decision": about_it, "confirmed_by": "样例市局"}
        return event(number + 100, **given, occurred_on="2026-10-12")

    await world.take(
        event(1, type=None, item="N1", self_reported=True),
        confirmation(1),
        event(1, type=None, item="N2", self_reported=True),
        confirmation(2),
        event(2, type=None, item="N3", self_reported=True),
        event(3, type=None, item="N4", self_reported=True),
        confirmation(3),
    )

    facts = "select body ->> 'item', body ->> 'confirmed_on' from fact where known_to is null"
    assert sorted(await world.rows(facts)) == [("N2", None), ("N3", None), ("N4", "2026-10-12")]


REFUSED = [
    (
        {"subject_kind": "分公司"},
        "subject_kind",
        "参评类别：“分公司”不认识，填 企事业单位、第三方服务机构、从业人员 或 厂址",
    ),
    ({"since": "去年"}, "since", "参评日期：“去年”不是日期，写成 2026/10/01"),
    ({"until": "2025-12-31"}, "until", "退出日期：2025-12-31 早于参评日期 2026-01-01"),
    ({"weight": "三成"}, "weight", "产值占比：“三成”不是数，填产值或所占比例的数"),
    ({"weight": "0"}, "weight", "产值占比：“0”应大于0"),
    ({"parent_code": credit_code(1)}, "parent_code", "与本单位的相同"),
    ({"subject_code": None}, "subject_code", "须填其中一项"),
    ({"permit": "P1、P2"}, "permit", "排污许可证编号：一格写了几个许可证，一个许可证填一行"),
    (
        {"subject_kind": "从业人员", "parent_code": credit_code(3)},
        "parent_code",
        "从业人员的信用不并入单位",
    ),
]


@pytest.mark.parametrize(("change", "field", "words"), REFUSED)
async def test_a_wrong_entry_is_refused_with_field_and_fix(
    world: World, change: dict[str, Any], field: str, words: str
) -> None:
    [result] = await world.take(participant(**change))

    [problem] = result.checked.problems
    assert (result.verdict, problem.field) == (Verdict.REFUSED, field)
    assert problem.fix
    assert words in f"{problem.message}，{problem.fix}"


async def test_an_entry_is_read_as_registers_write_it(world: World) -> None:
    row = participant(
        subject_kind=" 企业 ",
        since="2026年1月1日",
        until="/",
        weight="1,200%",
        permit="ｐ1",
        联系人="某人",
    )

    await world.take(row)

    [body] = await world.column("select body from fact")
    assert body["entry"] == {"kind": "enterprise", "permit": "P1", "weight": "1200"}
    assert body["decided_on"] == "2026-01-01"


async def test_nothing_confirms_itself(world: World) -> None:
    [result] = await world.take(event(1, self_reported=True, confirmed_on="2026-10-10"))

    [problem] = result.checked.problems
    assert (problem.field, problem.message) == ("confirmed_on", "审核确认：不能随信息一起填")


async def test_a_confirmation_says_who_confirmed(world: World) -> None:
    [result] = await world.take(event(2, type="confirmation", decision=about(1)))

    [problem] = result.checked.problems
    assert (problem.field, problem.message) == ("confirmed_by", "审核确认机关：必填项为空")


async def test_a_register_is_read_from_a_spreadsheet_as_offices_keep_it(
    world: World, tmp_path: Path
) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["2026年环保信用评价参评单位清单"])
    sheet.append(["序号", "单位名称", "统一社会信用代码", "参评类别", "批次", "参评日期", "联系人"])
    sheet.append([1, "样例化工", credit_code(1), "企业", "第一批", date(2026, 1, 31), "某人"])
    sheet.append([2, "样例检测", credit_code(2), "服务机构", "第二批", "2026年3月31日", None])
    sheet.append(["合计", None, "2家"])
    file = tmp_path / "名录.xlsx"
    book.save(file)
    reading = Reading(file, FileLimits(), RecordKind.PARTICIPANT)

    results = await world.gateway.pipeline.process(list(reading))

    assert [one.verdict for one in results] == [Verdict.OK, Verdict.OK]
    [table] = reading.report.tables
    assert table.header is not None
    assert table.header.unknown == ("联系人",)
    kinds = await world.rows("select body -> 'entry' ->> 'kind', decided_on from fact order by id")
    assert kinds == [("enterprise", date(2026, 1, 31)), ("agency", date(2026, 3, 31))]


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
