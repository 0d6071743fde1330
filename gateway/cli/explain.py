"""`explain` 说明: print why a subject has its grade, until when, and what would change it."""

from datetime import datetime, time
from typing import Annotated

import typer

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
from gateway.score.explain import Explanation, explain_code
from gateway.service.app import reading
from schemas.base import SHANGHAI, today
from schemas.identifiers import credit_code_problem, fold, identity_card_problem, masked


def explain_command(
    context: typer.Context,
    code: Annotated[
        str, typer.Argument(help="统一社会信用代码；- 从标准输入读，从业人员的身份证号只能这样给")
    ],
    as_of: Annotated[str | None, typer.Option(help="评价日期，默认今天")] = None,
    known_at: Annotated[
        str | None, typer.Option(help="只用截至这天（含）已知的信息和当时的办法")
    ] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print why a subject has its grade, until when, and what would change it."""
    given = next(lines_of([code], "代码"))
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
    if identity_card_problem(fold(code)) is None:
        return f"没有 {masked(fold(code))} 的记录；从业人员的身份证号只能从标准输入给：explain -"
    problem = credit_code_problem(fold(code))
    return f"没有 {code} 的记录" + (f"：{problem}" if problem else "")


async def _explain(
    context: typer.Context, code: str, as_of: str | None, known_at: str | None
) -> Explanation | None:
    async with reading(settings_of(context)) as built:
        now = built.clock()
        at = datetime.combine(day_of(known_at), time.max, SHANGHAI) if known_at else now
        return await explain_code(
            built.database,
            built.scorer,
            built.policybook.regimes,
            built.keys,
            fold(code),
            as_of=day_of(as_of) if as_of else today(min(at, now)),
            known_at=at,
            past=known_at is not None,
        )
