"""`score`: assess each line of the input by a rule set, with the trace."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from gateway.cli.options import day_of, rule_set_of, there
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    print_json,
    print_line,
    progress,
    spooled,
)
from gateway.config.clock import system_clock
from schemas.base import today
from schemas.credit import Assessment
from schemas.faults import faults
from scoring.engine.assess import assess
from scoring.facts import Facts
from scoring.regulation.ruleset import RuleSet


def score(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(callback=there, help="NDJSON：每行一个对象及其事实；- 读标准输入")
    ],
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
        if format_ is Format.JSON:
            print_json({"line": number, "error": faults(error)[0]})
        else:
            print_line(f"第{number}行：{faults(error)[0]}")
        return False
    assessment = assess(facts, rules, facts.as_of or day)
    if format_ is Format.JSON:
        print_json(assessment)
        return True
    _print_assessment(assessment, rules)
    return True


def _print_assessment(assessment: Assessment, rules: RuleSet) -> None:
    """Print score, grade and trace as text."""
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
