"""Commands that need no database: check, score."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from gateway.check import Checked, Checker
from gateway.cli.arguments import FileArgument, KindOption, OutOption, day_of, rule_set_of, there
from gateway.cli.terminal import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    progress,
    settings_of,
)
from gateway.clock import system_clock
from gateway.faulty import faulty_row, spooled
from gateway.intake.files import UnreadableFile, line_of, read
from gateway.secrets import load_keys
from gateway.words import EXCLUSIONS, VERDICTS
from gateway.workbook_problems import FaultyRow, problems_workbook
from schemas.base import today
from schemas.credit import Assessment
from schemas.faults import faults
from schemas.verdict import Verdict
from scoring.engine.assess import assess
from scoring.facts import Facts
from scoring.regulation.ruleset import RuleSet


def check(
    context: typer.Context,
    file: FileArgument,
    out: OutOption = None,
    kind: KindOption = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print the problems of each record of a file."""
    settings = settings_of(context)
    keys = load_keys(settings.master_key, settings.state)
    checker = Checker(keys, settings.exclusion_scope)
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


def score(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(callback=there, help="每行一个对象；- 读标准输入")],
    rule_set: Annotated[str, typer.Option("--rule-set", help="评价办法的名字或 YAML 文件")],
    as_of: Annotated[str | None, typer.Option(help="评价日期，默认今天")] = None,
    format_: FormatOption = Format.JSON,
) -> None:
    """Print the assessment of the subject on each line."""
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
        print_json({"line": number, "error": faults(error)[0]})
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
