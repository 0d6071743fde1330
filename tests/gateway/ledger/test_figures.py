from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from gateway.ledger.entries import EntryFigures
from gateway.ledger.figures import NO_RATE, FigureCounts, Figures, Rate
from gateway.ledger.month import BadMonth, GradeRow, Ledger, days_of
from gateway.ledger.quality import ItemFigures, QualityFigures, SideFigures
from gateway.ledger.row import DecisionStanding, LedgerRow
from gateway.ledger.timeliness import Timeliness, timeliness
from gateway.ledger.units import UnitCounts
from gateway.ledger.workbook import ledger_workbook
from gateway.store.account.ledgers import Frozen
from schemas.codes import RecordKind
from schemas.destination import BUILT_IN_TIME_LIMITS, ENTRY_TIME_LIMITS, Destination

DUE = datetime(2026, 10, 17, 16, tzinfo=UTC)
SECOND = timedelta(seconds=1)
CLOCKS = {clock.name: clock for clock in BUILT_IN_TIME_LIMITS}
PLATFORM = Destination(
    name="platform",
    title="信用郑州",
    connector="memory",
    takes=frozenset({"penalty", "licence"}),
    clocks=("calendar-7",),
)
TIMES = st.none() | st.integers(-20 * 86_400, 20 * 86_400).map(lambda n: DUE + n * SECOND)


def verdict(**given: Any) -> Timeliness:
    values: dict[str, Any] = {
        "due": DUE,
        "provisional": False,
        "handed_over_at": None,
        "accepted_at": None,
        "withdrawn_at": None,
        "now": DUE,
    }
    return timeliness(**(values | given))


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({"accepted_at": DUE - SECOND, "handed_over_at": DUE - SECOND}, Timeliness.TIMELY),
        ({"accepted_at": DUE, "handed_over_at": DUE - SECOND}, Timeliness.LATE),
        ({"handed_over_at": DUE - SECOND}, Timeliness.LATE),
        ({"handed_over_at": DUE - SECOND, "now": DUE - SECOND}, Timeliness.OPEN),
        ({"now": DUE - SECOND}, Timeliness.OPEN),
        ({}, Timeliness.MISSED),
        ({"provisional": True}, Timeliness.UNKNOWN),
        ({"withdrawn_at": DUE - SECOND}, Timeliness.VOID),
        ({"withdrawn_at": DUE}, Timeliness.MISSED),
    ],
)
def test_the_due_time_itself_is_too_late(given_: Mapping[str, Any], expected: Timeliness) -> None:
    assert verdict(**given_) is expected


@given(handed=TIMES, accepted=TIMES, later=st.integers(0, 40))
def test_the_result_of_a_clock_does_not_change_after_the_due_time(
    handed: datetime | None, accepted: datetime | None, later: int
) -> None:
    moments = [DUE + timedelta(days=n) for n in (0, later)]

    first, second = (
        verdict(handed_over_at=handed, accepted_at=accepted, now=now) for now in moments
    )

    assert first is second


def test_a_rate_with_denominator_zero_has_no_value() -> None:
    rate = Rate(0, 0)

    assert rate.value is None
    assert rate.text == NO_RATE


def test_a_rate_shows_100_percent_only_for_the_whole() -> None:
    assert Rate(99_999, 100_000).text == "99.99%"
    assert Rate(3, 3).text == "100.00%"


@pytest.mark.parametrize("month", ["2026-13", "2026", "202610", "2026-1", "", "9999-12-01"])
def test_a_month_in_another_format_is_refused(month: str) -> None:
    with pytest.raises(BadMonth):
        days_of(month)


def test_a_month_ends_with_the_first_day_of_the_next() -> None:
    assert days_of("2024-02") == (date(2024, 2, 1), date(2024, 3, 1))
    assert days_of("2026-12") == (date(2026, 12, 1), date(2027, 1, 1))


# ---------------------------------------------------------------- rows → figures → workbook


def standing(**changes: Any) -> DecisionStanding:
    plain = DecisionStanding(
        destination="platform",
        state="有效入库",
        due={"calendar-7": DUE},
        timeliness={"calendar-7": Timeliness.TIMELY},
        handed_over_at=DUE - SECOND,
        accepted_at=DUE - SECOND,
        blind=False,
        attempts=1,
        reasons=(),
    )
    return replace(plain, **changes)


MISSED = standing(
    state="待补正",
    timeliness={"calendar-7": Timeliness.MISSED},
    handed_over_at=None,
    accepted_at=None,
)


def row(number: int, *, kind: RecordKind = RecordKind.PENALTY, **changes: Any) -> LedgerRow:
    plain = LedgerRow(
        decision_id=number,
        kind=kind,
        document_number=f"{number}号",
        authority="样例局",
        subject_name="=1+1",
        subject_code="91410100MA0000001X",
        decision_date=date(2026, 10, 10),
        excluded=None,
        withdrawn=False,
        standings={"platform": standing()},
    )
    return replace(plain, **changes)


def figures(rows: Iterable[LedgerRow]) -> tuple[Figures, ...]:
    counts = FigureCounts([PLATFORM], CLOCKS)
    for each in rows:
        counts.add(each)
    return counts.figures()


def ledger(*rows: LedgerRow) -> Ledger:
    by_authority = UnitCounts("platform", {"calendar-7": "7个自然日"})
    for each in rows:
        by_authority.add(each)
    return Ledger(
        month="2026-10",
        headline="platform",
        figures=figures(rows),
        units=by_authority.units(),
        excluded={"涉密决定": 1},
        refused=2,
        rows=rows,
        grade_changes=(GradeRow(1, "样例公司", "91410100MA0000001X", None, "A", DUE),),
    )


STAMP = Frozen("2026-10", 1, "0" * 64, "首次冻结", DUE, {})
ROWS = (
    row(1),
    row(2, standings={"platform": MISSED}),
    row(3, kind=RecordKind.LICENCE),
    row(4, excluded="涉密决定", standings={}),
)


def sheet(content: bytes, name: str) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_name(name).to_python()


def test_penalties_and_licences_add_up_to_the_total() -> None:
    both, penalties, licences = figures(ROWS)

    assert (both.in_scope, penalties.in_scope, licences.in_scope) == (3, 2, 1)
    assert (both.handed_over, penalties.handed_over, licences.handed_over) == (2, 1, 1)
    assert (penalties.clocks[0].timely, penalties.clocks[0].missed) == (1, 1)


def test_the_summary_sheet_has_the_published_columns() -> None:
    rows = sheet(ledger_workbook(ledger(*ROWS), STAMP), "汇总")

    group = ["产生数量", "本单位公示数量", "报送数量", "未报送数量", "未报送依据"]
    assert rows[3][2:9] == rows[3][9:16] == [*group, "有效入库数", "市级网站公示数量"]
    grounds = "待补正1条；另有不予报送1条（涉密决定1条）"
    assert rows[4][9:16] == [2.0, "", 1.0, 1.0, grounds, 1.0, ""]
    assert rows[5][0] == "合计"
    assert rows[5][2] == 1.0
    assert rows[5][9] == 2.0


def test_how_soon_decisions_were_entered_stands_below_the_figures() -> None:
    entries = (EntryFigures("样例局", RecordKind.PENALTY, 3, 1, 1, 1),)
    month = replace(ledger(*ROWS), entry_clock=ENTRY_TIME_LIMITS[1], entries=entries)

    rows = sheet(ledger_workbook(month, STAMP), "指标")

    [start] = [number for number, row in enumerate(rows) if row[0] == "录入期限：10个工作日"]
    assert rows[start + 2][:6] == ["样例局", "行政处罚", 3.0, 1.0, 1.0, 1.0]
    assert round(rows[start + 2][6], 4) == 0.3333


def test_the_quality_and_what_others_show_stand_below_the_figures() -> None:
    quality = QualityFigures("platform", "样例平台", 4, 3, 1, 1, 2, 2)
    listed = SideFigures("platform", "样例平台", False, 4, DUE, {"wrong_value": 1, "late": 2})
    blind = SideFigures("cases", "案件系统", True, None, DUE, {"missing": 1}, never_came=1)
    month = replace(
        ledger(*ROWS), quality=(quality,), items=ItemFigures(40, 39), sides=(listed, blind), hints=3
    )

    rows = sheet(ledger_workbook(month, STAMP), "指标")

    named = {str(row[0]): row for row in rows[-12:]}
    assert named["样例平台"][2:7] == [4.0, 0.75, "—", 0.0, 0.0]
    assert named["案件系统"][2:5] == ["", "—", 0.5]
    assert named["数据项：要求、填写、完整率"][1:4] == [40.0, 39.0, 0.975]
    assert named["瞒报线索（未关闭）"][1] == 3.0
    assert any(row[:4] == ["样例平台", 4.0, 3.0, 0.75] for row in rows)


def test_what_the_platform_shows_stands_in_the_published_table() -> None:
    counts = UnitCounts("platform", {})
    counts.add(ROWS[0])
    [known] = counts.units({("penalty", ROWS[0].authority): 7})
    [unknown] = counts.units()

    shown = [kind.shown for kind in known.kinds]
    assert shown == [0, 7]
    assert [kind.shown for kind in unknown.kinds] == [None, None]


def test_a_zero_month_is_reported_as_zero() -> None:
    rows = sheet(ledger_workbook(replace(ledger(), refused=0), STAMP), "汇总")

    assert rows[-1][0] == "合计"
    assert rows[-1][-1] == "零报告"


def test_the_workbook_contains_no_formula() -> None:
    content = ledger_workbook(ledger(*ROWS), STAMP)

    with ZipFile(BytesIO(content)) as archive:
        sheets = [archive.read(n) for n in archive.namelist() if n.startswith("xl/worksheets/")]
    assert not any(b"<f>" in each or b"<hyperlink" in each for each in sheets)
    assert sheet(content, "明细")[1][4] == "=1+1"


def test_the_same_ledger_gives_the_same_bytes_and_hash() -> None:
    first, second = ledger(*ROWS), ledger(*ROWS)

    assert first.hash == second.hash
    assert ledger_workbook(first, STAMP) == ledger_workbook(second, STAMP)


def test_any_change_of_a_row_changes_the_hash() -> None:
    assert ledger(*ROWS).hash != ledger(*ROWS[:3], replace(ROWS[3], document_number="5号")).hash
