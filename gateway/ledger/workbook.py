"""The ledger workbook 台账工作簿: the published table, the figures, and every decision."""

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from itertools import chain

from connectors.shared.xlsx import A3, WrittenSheet, WrittenWorkbook, workbook
from gateway.ledger.month import Ledger
from gateway.ledger.row import DecisionStanding, LedgerRow
from gateway.ledger.timeliness import LATE
from gateway.ledger.units import UNIT_KINDS, UnitFigures
from gateway.ledger.versions import RowChange
from gateway.ledger.workbook_figures import write_figures
from gateway.ledger.workbook_notes import NOTES
from gateway.store.account.ledgers import Frozen
from schemas.base import SHANGHAI, last_moment
from schemas.identifiers import authority_key
from schemas.kinds import KINDS

Cell = tuple[object, str]

#: The version of what is not frozen.
DRAFT = 0
_UNIT_TITLES = (
    "产生数量",
    "本单位公示数量",
    "报送数量",
    "未报送数量",
    "未报送依据",
    "有效入库数",
    "市级网站公示数量",
)


def ledger_workbook(
    ledger: Ledger,
    stamp: Frozen,
    changes: Iterable[RowChange] = (),
    sites: Mapping[str, str] | None = None,
) -> bytes:
    """Return the workbook of one frozen version; equal ledger and stamp give equal bytes.

    `changes` are those since the version before; `sites` gives each authority's own website
    本单位公示网址, which the gateway cannot know, by its normalised name.
    """
    target = BytesIO()
    with workbook(target, stamp.recorded_at) as book:
        widths = [24, 16, *_UNIT_WIDTHS * len(UNIT_KINDS), 12, 24]
        _cover(book.sheet("封面", [24, 60]), ledger, stamp)
        draft = "（草稿，未冻结）" if stamp.version == DRAFT else ""
        _summary(book.sheet("汇总", widths), ledger, sites or {}, draft)
        write_figures(book.sheet("指标", [26, 12, *[10] * 15]), ledger)
        _details(book, ledger)
        _grades(book.sheet("等级变动", [10, 34, 24, 14, 14, 20]), ledger)
        if stamp.version > 1:
            _changes(book.sheet("与上一版比较", [26, 26, 100]), stamp, changes)
        _notes(book.sheet("说明", [18, 110]), ledger, stamp)
    return target.getvalue()


# ---------------------------------------------------------------- 封面, 汇总


def _cover(sheet: WrittenSheet, ledger: Ledger, stamp: Frozen) -> None:
    """Write what the ledger is, its rates, and who signs it by hand."""
    year, month = ledger.month.split("-")
    sheet.line(f"{year}年{int(month)}月双公示工作台账", "title", 2, 60)
    headline = ledger.headline_figures
    about: list[tuple[str, object]] = [
        ("版本", _version(stamp)),
        ("时间", f"{stamp.recorded_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}（北京时间）"),
        ("主报平台", headline.title if headline else "（未配置平台）"),
    ]
    if headline is not None:
        counts = f"应报 {headline.in_scope}，已报 {headline.handed_over}"
        about.append(("数量", f"{counts}，有效入库 {headline.accepted}"))
        rates = f"上报率 {headline.reported_rate.text}，合规率 {headline.compliant_rate.text}"
        timely = (
            f"及时率（{clock.title}）{headline.timely_rate(clock).text}"
            for clock in headline.clocks
        )
        about.append(("比率", "，".join((rates, *timely))))
    about.append(("内容校验值", f"SHA-256 {stamp.hash}"))
    for name, text in about:
        sheet.write([(name, "head"), (text, "text")], 30)
    for name in ("填报单位（盖章）", "填报人", "审核人", "填报日期"):
        sheet.write([(name, "head"), ("", "to_fill")], 30)


def _version(stamp: Frozen) -> str:
    return "草稿，未冻结" if stamp.version == DRAFT else f"第{stamp.version}版"


_UNIT_WIDTHS = (7, 9, 7, 8, 18, 8, 9)
_UNIT_COLUMNS = 2 + len(UNIT_KINDS) * len(_UNIT_TITLES) + 2


def _summary(sheet: WrittenSheet, ledger: Ledger, sites: Mapping[str, str], draft: str) -> None:
    year, month = ledger.month.split("-")
    sheet.line(f"{year}年{int(month)}月双公示工作台账{draft}", "title", _UNIT_COLUMNS, 30)
    platform = next((f.title for f in ledger.figures if f.headline), "（未配置平台）")
    sheet.line(f"报送平台：{platform}", "plain", _UNIT_COLUMNS)
    _unit_head(sheet)
    for unit in ledger.units:
        sheet.write(
            [
                (unit.authority, "text"),
                _site(sites.get(authority_key(unit.authority))),
                *chain.from_iterable(_unit_cells(figures) for figures in unit.kinds),
                (platform, "text"),
                (unit.troubles, "text"),
            ]
        )
    sheet.write(
        [
            ("合计", "head"),
            ("", "total"),
            *chain.from_iterable(
                _total_cells([unit.kinds[place] for unit in ledger.units])
                for place in range(len(UNIT_KINDS))
            ),
            ("", "total"),
            (_refused(ledger) if ledger.rows or ledger.refused else "零报告", "total"),
        ]
    )


def _site(address: str | None) -> Cell:
    return ("", "to_fill") if address is None else (address, "text")


def _unit_head(sheet: WrittenSheet) -> None:
    """Write the two header rows: groups above, columns below."""
    top, width = sheet.rows, len(_UNIT_TITLES)
    groups = [title for kind in UNIT_KINDS for title in (KINDS[kind].title, *[""] * (width - 1))]
    outer = ("单位名称", "本单位公示网址", "报送方式", "报送存在问题情况")
    sheet.write([(title, "head") for title in (*outer[:2], *groups, *outer[2:])], 20)
    sheet.write([(title, "head") for title in ("", "", *_UNIT_TITLES * len(UNIT_KINDS), "", "")])
    for column in (0, 1, _UNIT_COLUMNS - 2, _UNIT_COLUMNS - 1):
        sheet.join(top, column, top + 1, column)
    for start in range(2, 2 + len(UNIT_KINDS) * width, width):
        sheet.join(top, start, top, start + width - 1)
    sheet.raw.freeze_panes(top + 2, 1)
    sheet.raw.repeat_rows(top, top + 1)


def _unit_cells(figures: UnitFigures) -> list[Cell]:
    return [
        (figures.produced, "number"),
        ("", "to_fill"),
        (figures.reported, "number"),
        (figures.unreported, "number"),
        (figures.grounds, "text"),
        (figures.accepted, "number"),
        ("", "to_fill") if figures.shown is None else (figures.shown, "number"),
    ]


def _total_cells(figures: Sequence[UnitFigures]) -> list[Cell]:
    shown = [f.shown for f in figures if f.shown is not None]
    return [
        (sum(f.produced for f in figures), "total"),
        ("", "total"),
        (sum(f.reported for f in figures), "total"),
        (sum(f.unreported for f in figures), "total"),
        ("", "total"),
        (sum(f.accepted for f in figures), "total"),
        (sum(shown) if shown else "", "total"),
    ]


def _refused(ledger: Ledger) -> str:
    return f"拒收的来件{ledger.refused}条" if ledger.refused else ""


# ---------------------------------------------------------------- 明细

_ROW_TITLES = (
    "序号",
    "种类",
    "决定文书号",
    "决定机关",
    "相对人名称",
    "相对人代码",
    "决定日期",
    "录入时间",
    "备注",
)
_ROW_WIDTHS = (6, 9, 22, 20, 22, 21, 11, 16, 14)
_STANDING_TITLES = (
    "状态",
    "期限与结果",
    "迟报漏报原因",
    "说明",
    "送达时间",
    "入库时间",
    "次数",
    "平台意见",
)
_STANDING_WIDTHS = (14, 32, 30, 24, 16, 16, 9, 20)


def _details(book: WrittenWorkbook, ledger: Ledger) -> None:
    titles = {figures.destination: figures.title for figures in ledger.figures}
    names = list(titles)
    clocks = {
        figures.destination: {clock.clock: clock.title for clock in figures.clocks}
        for figures in ledger.figures
    }
    sheet = book.sheet("明细", [*_ROW_WIDTHS, *_STANDING_WIDTHS * len(names)], A3)
    heads = [f"{titles[name]}\n{title}" for name in names for title in _STANDING_TITLES]
    sheet.head([*_ROW_TITLES, *heads])
    sheet.keep(1, 3)
    for number, row in enumerate(ledger.rows, 1):
        cells = _row_cells(number, row)
        for name in names:
            cells += _standing_cells(row.standings.get(name), clocks[name])
        sheet.write(cells)
    sheet.raw.autofilter(0, 0, max(1, len(ledger.rows)), len(_ROW_TITLES) + len(heads) - 1)


def _row_cells(number: int, row: LedgerRow) -> list[Cell]:
    remark = f"不予报送：{row.excluded}" if row.excluded else "决定已撤回" if row.withdrawn else ""
    return [
        (number, "number"),
        (KINDS[row.kind].title, "centred"),
        (row.document_number, "text"),
        (row.authority, "text"),
        (row.subject_name, "text"),
        (row.subject_code, "text"),
        (row.decision_date.isoformat(), "centred"),
        (row.arrived_at, "moment"),
        (remark, "text"),
    ]


def _standing_cells(standing: DecisionStanding | None, clocks: Mapping[str, str]) -> list[Cell]:
    if standing is None:
        return [("", "text")] * len(_STANDING_TITLES)
    verdicts = [
        f"{clocks[name]} {last_moment(at):%Y-%m-%d}：{standing.timeliness[name].value}"
        for name, at in standing.due.items()
    ]
    late = LATE.intersection(standing.timeliness.values())
    return [
        (standing.state, "text"),
        ("\n".join(verdicts), "marked" if late else "text"),
        (standing.why or "", "text"),
        ("；".join(standing.notes), "text"),
        (standing.handed_over_at, "moment"),
        (standing.accepted_at, "moment"),
        (standing.attempts, "number"),
        ("；".join(standing.reasons), "text"),
    ]


# ---------------------------------------------------------------- 等级变动, 说明


def _grades(sheet: WrittenSheet, ledger: Ledger) -> None:
    sheet.head(("编号", "主体名称", "主体代码", "原等级", "新等级", "记录时间"))
    for change in ledger.grade_changes:
        sheet.write(
            [
                (change.number, "number"),
                (change.subject_name, "text"),
                (change.subject_code, "text"),
                (change.from_grade or "（首次评定）", "centred"),
                (change.to_grade or "（未评定）", "centred"),
                (change.recorded_at, "moment"),
            ]
        )


def _changes(sheet: WrittenSheet, stamp: Frozen, changes: Iterable[RowChange]) -> None:
    """Write which decisions the version tells in another way than the one before it."""
    sheet.head(("决定文书号", "决定机关", f"第{stamp.version}版改动（原因：{stamp.reason}）"))
    for one in changes:
        sheet.write([(text, "text") for text in one])


def _notes(sheet: WrittenSheet, ledger: Ledger, stamp: Frozen) -> None:
    sheet.head(("项目", "说明"))
    about: list[tuple[str, object]] = [
        ("月份", ledger.month),
        ("版本", _version(stamp)),
        ("时间", f"{stamp.recorded_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}（北京时间）"),
        ("冻结原因", stamp.reason),
        ("内容校验值", f"SHA-256 {stamp.hash}"),
    ]
    about += [("缺失的来件", one.told) for one in ledger.missing]
    for name, text in (*about, *NOTES):
        sheet.write([(name, "text"), (text, "text")])
