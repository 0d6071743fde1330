"""The register of participants, through the whole pipeline: who is graded, as what, for whom."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from gateway.score.verify import verify_assessments
from schemas.codes import RecordKind
from schemas.verdict import Verdict
from tests.factories import REGION, credit_code, event, grade, participant, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.publications import SCORING, at, stored
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


@pytest.mark.parametrize("order", [1, -1])
async def test_a_first_entry_as_an_agency_takes_no_points_away(
    make_world: MakeWorld, order: int
) -> None:
    world = await make_world(scoring={"bindings": [BOTH_KINDS]})
    fined = penalty(1, 1, **OLD)
    incident = event(2, 1, type="incident.general", occurred_on="2025-05-09")
    listed = participant(1, subject_kind="agency", since="2026-06-01")
    await world.take(penalty(1, 2, **OLD), {**incident, "subject_code": credit_code(2)})

    for row in [fined, incident, listed][::order]:
        await world.take(row)

    assert await last_score(world, 1) == await last_score(world, 2)
    assert not (await verify_assessments(world.database, lambda _: None))[1]


async def test_an_agency_on_its_first_list_is_one_where_only_participants_are(
    make_world: MakeWorld,
) -> None:
    only = await make_world(scoring={"bindings": [{**BOTH_KINDS, "participants_only": True}]})
    await only.take(penalty(1, 1, **OLD), participant(subject_kind="agency", since="2026-06-01"))

    assert await last_score(only, 1) == "100"


BOTH_KINDS = {"rule_set": "nm-2023-draft", "regions": [REGION], "kinds": ["enterprise", "agency"]}
OLD = {"CF_JDRQ": "2025/03/09", "CF_NR_FK": "60", "CF_NR": "罚款60万元"}


async def last_score(world: World, company: int) -> str:
    query = "select a.result ->> 'score' from assessment a join subject s on s.id = a.subject_id "
    query += "where s.code = :code order by a.id desc limit 1"
    return str(await world.value(query, code=credit_code(company)))


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


async def test_a_received_grade_has_the_measures_of_its_kind(make_world: MakeWorld) -> None:
    bound = {"rule_set": "henan-2018", "regions": [REGION], "kinds": ["agency"]}
    world = await make_world(scoring={"bindings": [bound]})
    await world.take(
        participant(1, subject_kind="服务机构"), grade(1), grade(2, effective_on="2026-10-10")
    )

    await world.take(grade(3, grade="诚信", effective_on="2026-10-11"))

    bodies = await world.column("select body ->> 'direction' from grade_change order by id")
    assert bodies == ["first", "up"]


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


async def test_an_agency_keeps_its_points_when_its_kinds_change(make_world: MakeWorld) -> None:
    world = await make_world(scoring=SCORING)
    monitoring = {"subject_kind": "agency", "agency_kinds": "环境监测服务机构"}
    await world.take(
        participant(1, **monitoring, until="2026-12-31"),
        participant(1, subject_kind="agency", agency_kinds="环评服务机构", since="2027-01-01"),
        event(1, type="agency.untrained_monitoring"),
    )

    world.clock.set(at("2027-01-02"))
    await world.turn()
    world.clock.set(at("2027-06-06"))
    await world.turn()

    assert [row[2] for row in await grades(world)][-1] == "C"
    assert [row[2] for row in await stored(world)] == ["C"]


async def test_the_points_of_a_closed_site_keep_their_share(make_world: MakeWorld) -> None:
    world = await make_world(scoring=SCORING)
    await world.take(
        participant(permit="P1", weight="1", until="2026-12-31", reason="厂址关停"),
        participant(permit="P2", weight="49"),
        participant(permit="P3", weight="50"),
        *(event(n, type="eia.unapproved", details={"site": "P1"}) for n in (1, 2, 3)),
    )

    world.clock.set(at("2027-01-02"))
    await world.turn()

    assert {row[2] for row in await grades(world)} == {"A"}
    assert (await world.column("select result ->> 'score' from assessment"))[-1] == "99.7"
