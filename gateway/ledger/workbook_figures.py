"""The sheet 指标 of the ledger workbook: rates, exclusions, causes, and how soon was entered."""

from connectors.shared.xlsx import WrittenSheet
from gateway.ledger.figures import ClockFigures, Figures, Rate, clock_title
from gateway.ledger.month import Ledger
from gateway.ledger.quality import accurate_rate
from gateway.reconcile.difference import KIND_TITLES as DIFFERENCES
from schemas.kinds import KINDS

Cell = tuple[object, str]

_FIGURE_TITLES = (
    "报送平台",
    "种类",
    "产生\nN",
    "报送\nS",
    "有效入库\nA",
    "已送达无回执",
    "上报率\nS/N",
    "合规率\nA/S",
    "期限",
    "及时\nT",
    "及时率\nT/N",
    "不计接收方\n中断及时率",
    "迟报",
    "漏报",
    "未到期",
    "期限未定",
    "撤回未报",
)


def write_figures(sheet: WrittenSheet, ledger: Ledger) -> None:
    """Write the rates by destination and clock, and what stands below them."""
    sheet.head(_FIGURE_TITLES)
    for figures in ledger.figures:
        for clock in figures.clocks:
            sheet.write(_figure_cells(figures, clock))
    sheet.write([])
    sheet.write([("不予报送（不计入 N）", "label")])
    for reason, times in sorted(ledger.excluded.items()):
        sheet.write([(reason, "text"), (times, "number")])
    sheet.write([("合计", "head"), (sum(ledger.excluded.values()), "total")])
    sheet.write([])
    sheet.write([("拒收的来件", "head"), (ledger.refused, "total")])
    _causes(sheet, ledger)
    _entries(sheet, ledger)
    _quality(sheet, ledger)
    _sides(sheet, ledger)


def _causes(sheet: WrittenSheet, ledger: Ledger) -> None:
    """Write why decisions were late or missing, by destination."""
    rows = [
        (figures.title, cause, times)
        for figures in ledger.figures
        if figures.kind is None
        for cause, times in figures.causes.items()
    ]
    if rows:
        sheet.write([])
        sheet.write([("迟报漏报原因", "label")])
    for title, cause, times in rows:
        sheet.write([(title, "text"), (cause, "text"), (times, "number")])


def _entries(sheet: WrittenSheet, ledger: Ledger) -> None:
    """Write how soon decisions were entered, if a clock of entry is configured."""
    if ledger.entry_clock is None:
        return
    titles = ("决定机关", "种类", "产生", "按期录入", "录入晚", "期限未定", "录入及时率")
    sheet.write([])
    sheet.write([(f"录入期限：{clock_title(ledger.entry_clock)}", "label")])
    sheet.write([(title, "head") for title in titles])
    for one in ledger.entries:
        counts = (one.produced, one.timely, one.late, one.unknown)
        sheet.write(
            [
                (one.authority, "text"),
                (KINDS[one.kind].title, "centred"),
                *((count, "number") for count in counts),
                _rate(one.timely_rate),
            ]
        )


def _rate(rate: Rate | None) -> Cell:
    if rate is None or rate.value is None:
        return "—", "centred"
    return float(rate.value), "percent"


def _quality(sheet: WrittenSheet, ledger: Ledger) -> None:
    """Write how good the data is: at once, complete, corrected."""
    titles = ("报送平台", "已报\nS", "一次通过", "一次通过率", "被退回", "更正入库")
    sheet.write([])
    sheet.write([("数据质量", "label")])
    sheet.write([(title, "head") for title in (*titles, "更正中位天数", "更正最长天数")])
    for one in ledger.quality:
        days = ("" if d is None else d for d in (one.middle_days, one.longest_days))
        sheet.write(
            [
                (one.title, "text"),
                (one.handed_over, "number"),
                (one.first_pass, "number"),
                _rate(one.first_pass_rate),
                (one.rejected, "number"),
                (one.mended, "number"),
                *((each, "number") for each in days),
            ]
        )
    items = ledger.items
    sheet.write(
        [
            ("数据项：要求、填写、完整率", "text"),
            (items.asked, "number"),
            (items.filled, "number"),
            _rate(items.complete_rate),
        ]
    )


def _sides(sheet: WrittenSheet, ledger: Ledger) -> None:
    """Write what the last reconciliations say of the month, and the open hints."""
    sheet.write([])
    sheet.write([("对账（末次）", "label")])
    sheet.write(
        [
            (t, "head")
            for t in ("对方", "对账时间", "条数", "准确率", "按登记\n上报率", *DIFFERENCES.values())
        ]
    )
    for side in ledger.sides:
        shown = "" if side.shown is None else side.shown
        faults = [(side.faults.get(kind, 0), "number") for kind in DIFFERENCES]
        sheet.write(
            [
                (side.title, "text"),
                (side.compared_at, "moment"),
                (shown, "number"),
                _rate(accurate_rate(side)),
                _rate(ledger.rate_by(side)),
                *faults,
            ]
        )
    sheet.write([("瞒报线索（未关闭）", "head"), (ledger.hints, "total")])


def _figure_cells(figures: Figures, clock: ClockFigures) -> list[Cell]:
    kind = KINDS[figures.kind].title if figures.kind else "双公示合计"
    rates = [figures.reported_rate, figures.compliant_rate, figures.timely_rate(clock)]
    rates.append(figures.timely_rate_without(clock))
    shown = [_rate(rate) for rate in rates]
    name = f"{figures.title}（主报平台）" if figures.headline else figures.title
    counts = (figures.in_scope, figures.handed_over, figures.accepted, figures.blind)
    verdicts = (clock.late, clock.missed, clock.open, clock.unknown, clock.void)
    return [
        (name, "text"),
        (kind, "centred"),
        *((count, "number") for count in counts),
        shown[0],
        shown[1],
        (clock.title, "centred"),
        (clock.timely, "number"),
        shown[2],
        shown[3],
        *((count, "number") for count in verdicts),
    ]
