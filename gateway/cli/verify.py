"""`verify`: compute stored assessments again and compare them byte by byte."""

from typing import Annotated

import typer

from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    fail,
    print_json,
    print_line,
    progress,
    run,
    settings_of,
)
from gateway.score.verify import verify_assessments
from gateway.service.app import reading


def verify(
    context: typer.Context,
    assessments: Annotated[bool, typer.Option("--assessments", help="重算全部评价结果")] = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Compute stored assessments again and print those that differ."""
    if not assessments:
        fail("请写明 --assessments")

    async def work() -> tuple[int, list[dict[str, object]]]:
        async with reading(settings_of(context)) as built:
            with progress("重算") as advance:
                return await verify_assessments(built.database, advance)

    count, wrong = run(work)
    for one in wrong:
        print_json(one)
    if format_ is Format.JSON:
        print_json({"name": "assessments", "verified": count, "different": len(wrong)})
    else:
        print_line(f"重算 {count} 个评价结果，{len(wrong)} 个不符")
    if wrong:
        raise typer.Exit(Exit.PROBLEMS)
