"""`card`: the score card 成绩单 of a month as one page, HTML or PDF."""

from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.options import writable
from gateway.cli.output import Exit, fail, print_line, run, settings_of
from gateway.ledger.card_of_month import card_of_month
from gateway.ledger.month import BadMonth
from gateway.ledger.score_card import ScoreCard
from gateway.ledger.score_card_page import NoBrowser, pdf
from gateway.service.app import reading

_SUFFIXES = {".html", ".htm", ".pdf"}


def _named(out: Path) -> Path | None:
    if out.suffix.lower() not in _SUFFIXES:
        raise typer.BadParameter(f"{out}：文件名应以 .html 或 .pdf 结尾")
    return writable(out)


def card(
    context: typer.Context,
    month: Annotated[str, typer.Argument(help="月份，如 2026-10")],
    out: Annotated[Path, typer.Option(callback=_named, help="写到这个 .html 或 .pdf")],
) -> None:
    """Write the score card of a month as it is now."""

    async def work() -> tuple[ScoreCard, str]:
        async with reading(settings_of(context)) as built:
            return await card_of_month(built.database, built.ledger_scope, month, built.clock())

    try:
        made, html = run(work)
    except BadMonth as error:
        fail(str(error))
    if out.suffix.lower() == ".pdf":
        try:
            out.write_bytes(pdf(html))
        except NoBrowser as error:
            fail(str(error), Exit.NO_ANSWER)
    else:
        out.write_text(html)
    print_line("，".join(f"{name} {rate.text}" for name, rate in made.rates) or "没有主报平台")
    for step in made.steps:
        print_line(f"    {step}")
    print_line(f"成绩单写到 {out}")
