"""Commands that need no database: check, score, due, code."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from gateway.app import build_checker, keys_of, load_workdays
from gateway.check import Checked
from gateway.cli.root import (
    Exit,
    Format,
    FormatOption,
    app,
    fail,
    lines_of,
    print_json,
    print_line,
    progress,
    settings_of,
)
from gateway.clock import system_clock
from gateway.columns import parse_date
from gateway.deadline import due, today
from gateway.faulty import STANDARD_INPUT, faulty_row, spooled
from gateway.intake.files import UnreadableFile, line_of, read
from gateway.rulebook import Rulebook, parse_rule_set, read_text
from gateway.words import EXCLUSIONS, VERDICTS
from gateway.workbook import FaultyRow, problems_workbook
from schemas.codes import RecordKind
from schemas.credit import Assessment
from schemas.identifiers import credit_code_problem, fold
from schemas.verdict import Verdict
from scoring.engine import assess
from scoring.facts import Facts
from scoring.ruleset import RuleSet


def writable(out: Path | None) -> Path | None:
    """Refuse a workbook that cannot be written before anything is done."""
    if out is not None and (out.is_dir() or not out.absolute().parent.is_dir()):
        raise typer.BadParameter(f"不能写到 {out}：没有这个目录")
    return out


OutOption = Annotated[
    Path | None, typer.Option(callback=writable, help="把有问题的行写到这个 xlsx，改好后重新导入")
]
KindOption = Annotated[RecordKind | None, typer.Option(help="表头和内容都看不出种类时指明")]


def there(file: Path | None) -> Path | None:
    """Refuse a file that is not there before anything is done."""
    if file is not None and file != STANDARD_INPUT and not file.is_file():
        raise typer.BadParameter(f"没有文件 {file}")
    return file


FileArgument = Annotated[
    Path, typer.Argument(callback=there, help="NDJSON、CSV 或 XLSX 文件；- 读标准输入")
]


@app.command()
def check(
    context: typer.Context,
    file: FileArgument,
    out: OutOption = None,
    kind: KindOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """校验一个文件，逐条说明问题；不接收，不报送。"""
    settings = settings_of(context)
    checker = build_checker(settings, keys_of(settings))
    day = today(system_clock())
    verdicts: Counter[Verdict] = Counter()
    faulty: list[FaultyRow] = []
    with spooled(file) as path, progress("校验") as advance:
        try:
            for raw in read(path, settings.files, kind):
                checked = checker.check(raw, day)
                verdicts[checked.verdict] += 1
                _print_checked(checked, format_)
                if checked.problems and out is not None:
                    faulty.append(faulty_row(checked))
                advance(1)
        except UnreadableFile as error:
            fail(str(error))
    if out is not None:
        problems_workbook(out, faulty)
    if format_ is Format.TEXT:
        print_line(_summary(verdicts, out))
    if verdicts.keys() - {Verdict.OK}:
        raise typer.Exit(Exit.PROBLEMS)


def _print_checked(checked: Checked, format_: Format) -> None:
    line = line_of(checked.raw)
    if format_ is Format.JSON:
        print_json(
            {
                "line": line,
                "kind": checked.kind,
                "verdict": checked.verdict,
                "excluded": checked.excluded,
                "key": checked.shown_key,
                "problems": [problem.model_dump() for problem in checked.problems],
            }
        )
        return
    excluded = f"，不予报送：{EXCLUSIONS[checked.excluded]}" if checked.excluded else ""
    print_line(
        f"第{line}行 {VERDICTS[checked.verdict]}{excluded} {checked.shown_key or ''}".rstrip()
    )
    for problem in checked.problems:
        print_line(f"    {problem.field or '整行'} {problem.message}。{problem.fix}")


def _summary(verdicts: Counter[Verdict], out: Path | None) -> str:
    counts = "，".join(f"{VERDICTS[verdict]} {verdicts[verdict]}" for verdict in Verdict)
    where = f"；有问题的行已写到 {out}" if out is not None else ""
    return f"共 {verdicts.total()} 条：{counts}{where}"


@app.command()
def score(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(callback=there, help="每行一个对象；- 读标准输入")],
    rule_set: Annotated[str, typer.Option("--rule-set", help="评价办法的名字或 YAML 文件")],
    as_of: Annotated[str | None, typer.Option(help="评价日期，默认今天")] = None,
    format_: FormatOption = Format.JSON,
) -> None:
    """按评价办法给每行的对象评分，写出依据。"""
    rules = rule_set_of(context, rule_set)
    day = day_of(as_of) if as_of else today(system_clock())
    failed = False
    with spooled(file) as path, path.open("rb") as stream, progress("评分") as advance:
        for number, line in enumerate(stream, 1):
            if line.strip():
                failed |= not _score_line(number, line, rules, day, format_)
            advance(1)
    if failed:
        raise typer.Exit(Exit.PROBLEMS)


def _score_line(number: int, line: bytes, rules: RuleSet, day: date, format_: Format) -> bool:
    try:
        facts = Facts.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        print_json({"line": number, "error": f"{where}: {first['msg']}" if where else first["msg"]})
        return False
    assessment = assess(facts, rules, facts.as_of or day)
    if format_ is Format.JSON:
        print_json(assessment)
        return True
    _print_assessment(assessment, rules)
    return True


def _print_assessment(assessment: Assessment, rules: RuleSet) -> None:
    """Score, grade and trace for people."""
    grade = assessment.grade or f"不评价（{assessment.not_evaluated}）"
    trial = "（试算）" if rules.status == "draft" else ""
    print_line(
        f"{assessment.id} {assessment.as_of} 得分 {assessment.score or '—'} 等级 {grade}{trial}"
    )
    for row in assessment.deductions:
        print_line(f"    {row.item} {row.points} {row.text}（{row.article}），依据 {row.fact}")
    for veto in assessment.vetoes:
        print_line(f"    {veto.item} 直接评定（{veto.article}），依据 {veto.fact}")
    for lifted in assessment.promotions:
        print_line(f"    {lifted.item} 直接升级（{lifted.article}），依据 {lifted.fact}")
    if assessment.received is not None:
        came = assessment.received
        print_line(f"    采用{came.issued_by}评定的等级（{came.effective_on}），依据 {came.fact}")
    for note in assessment.notes:
        print_line(f"    理解说明 {note}：{rules.note(note).reading}")


def rule_set_of(context: typer.Context, name: str) -> RuleSet:
    """A rule set by name or by file; wrong use where it cannot be read."""
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} and path.is_file():
        return parse_rule_set(read_text(path), path.name)
    return Rulebook(settings_of(context).scoring).load(name).rule_set


def day_of(text: str) -> date:
    """A day from an argument; wrong use where it is none."""
    day = parse_date(text)
    if day is None:
        fail(f"“{text}”不是日期，写成 2026-10-01")
    return day


@app.command("due")
def due_command(
    context: typer.Context,
    dates: Annotated[list[str] | None, typer.Argument(help="决定日期；- 读标准输入")] = None,
    clock: Annotated[str, typer.Option(help="时限名，如 calendar-7、working-7")] = "working-7",
    format_: FormatOption = Format.TEXT,
) -> None:
    """算出报送期限，说明依据的日历。"""
    clocks = settings_of(context).all_clocks
    if clock not in clocks:
        fail(f"没有时限 {clock}；现有：{'、'.join(clocks)}")
    workdays = load_workdays()
    end = Exit.DONE
    for number, text in enumerate(lines_of(dates), 1):
        day = parse_date(text)
        if day is None:
            print_json({"line": number, "error": f"“{text}”不是日期，写成 2026-10-01"})
            end = max(end, Exit.PROBLEMS)
            continue
        found = due(clocks[clock], day, workdays)
        end = max(end, Exit.NO_ANSWER if found.provisional else Exit.DONE)
        answer: dict[str, Any] = {
            "decision_date": day.isoformat(),
            "clock": clock,
            "due": None if found.provisional else found.printed,
            "calendar": found.calendar,
        }
        if found.provisional:
            answer["not_before"] = found.printed
        if format_ is Format.JSON:
            print_json(answer)
        elif found.provisional:
            print_line(f"{day} {clock}：工作日历不够，不早于 {found.printed}（{found.calendar}）")
        else:
            print_line(f"{day} {clock}：{found.printed}（{found.calendar or '日历日'}）")
    raise typer.Exit(end)


@app.command()
def code(
    codes: Annotated[list[str] | None, typer.Argument(help="代码；- 读标准输入")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """校验统一社会信用代码（GB 32100-2015）。"""
    end = Exit.DONE
    for text in lines_of(codes):
        normalised = fold(text)
        reason = credit_code_problem(normalised)
        if reason is not None:
            end = Exit.PROBLEMS
        if format_ is Format.JSON:
            answer = {"input": text, "normalised": normalised, "valid": reason is None}
            print_json(answer | {"reason": reason})
        else:
            print_line(f"{text} → {normalised} {'有效' if reason is None else f'无效：{reason}'}")
    raise typer.Exit(end)
