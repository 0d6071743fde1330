"""`explain` 说明: print why a subject has its grade, until when, and what would change it."""

from dataclasses import replace
from datetime import date, datetime, time
from typing import Annotated

import typer
from msgspec import structs

from gateway.cli.explain_text import as_json, as_lines
from gateway.cli.options import day_of
from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    lines_of,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.rules.files import parse_rule_set
from gateway.score.explain import Explanation, explain
from gateway.service.app import Gateway, reading
from gateway.store.score.known_subject import KnownSubject, known
from schemas.base import SHANGHAI, today
from schemas.identifiers import credit_code_problem, fold, identity_card_problem
from scoring.regulation.ruleset import RuleSet


def explain_command(
    context: typer.Context,
    code: Annotated[
        str, typer.Argument(help="统一社会信用代码；- 从标准输入读，从业人员的身份证号只能这样给")
    ],
    as_of: Annotated[str | None, typer.Option(help="评价日期，默认今天")] = None,
    known_at: Annotated[
        str | None, typer.Option(help="只用截至这一天（含）已知的信息和当时的评价办法")
    ] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print why a subject has its grade, until when, and what would change it."""
    given = next(iter(lines_of([code])), "")
    found = run(lambda: _explain(context, given, as_of, known_at))
    if found is None:
        fail(_nobody(code), Exit.PROBLEMS)
    if format_ is Format.JSON:
        print_json(as_json(found))
        return
    for line in as_lines(found):
        print_line(line)


def _nobody(code: str) -> str:
    """Say that nothing is known, and why the code is invalid; a person's number is not repeated."""
    if code == "-":
        return "没有所给单位或人员的记录"
    problem = credit_code_problem(fold(code))
    return f"没有 {code} 的记录" + (f"：{problem}" if problem else "")


async def _explain(
    context: typer.Context, code: str, as_of: str | None, known_at: str | None
) -> Explanation | None:
    async with reading(settings_of(context)) as built:
        now = built.clock()
        at = now
        if known_at is not None:
            at = datetime.combine(day_of(known_at), time.max, SHANGHAI)
        normalised = fold(code)
        async with built.database.transaction() as connection:
            subject = await known(connection, normalised, at)
            if subject is None and identity_card_problem(normalised) is None:
                subject = await known(connection, built.keys.person(normalised), at)
        if subject is None or (known_at and subject.is_empty):
            return None
        day = day_of(as_of) if as_of else today(min(at, now))
        rule_set = _rule_set(built, subject, day, past=known_at is not None)
        found = explain(subject, built.scorer, rule_set, built.policybook.regimes, day)
        return _shown(found, built.keys.published(found.code)) if subject.person else found


def _shown(found: Explanation, pseudonym: str) -> Explanation:
    """A person goes by a pseudonym; our own code of a person stays inside."""
    assessment = structs.replace(found.assessment, id=pseudonym)
    return replace(found, code=pseudonym, name="自然人", assessment=assessment)


def _rule_set(built: Gateway, subject: KnownSubject, day: date, *, past: bool) -> RuleSet | None:
    """The rule set in force; of the past, the text that the subject was last scored by then."""
    if past and subject.rule_set_text is not None:
        return parse_rule_set(subject.rule_set_text)
    kind = built.rulebook.kind(subject.code, person=subject.person)
    return built.rulebook.choose(kind, subject.code, day)
