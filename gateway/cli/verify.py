"""`verify`: compute stored assessments and published grades again, byte by byte."""

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
from gateway.score.verify import verify_assessments, verify_published
from gateway.service.app import reading

_TITLES = {"assessments": "评价结果", "published_grades": "公布等级"}
_CHECKS = {"assessments": verify_assessments, "published_grades": verify_published}


def verify(
    context: typer.Context,
    assessments: Annotated[bool, typer.Option("--assessments", help="重算全部评价结果")] = False,
    published: Annotated[bool, typer.Option("--published", help="重算全部公布等级")] = False,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Compute stored results again and print those that differ."""
    asked = {"assessments": assessments, "published_grades": published}
    if not any(asked.values()):
        fail("请写明 --assessments 或 --published")

    async def work() -> dict[str, tuple[int, list[dict[str, object]]]]:
        async with reading(settings_of(context)) as built:
            with progress("重算") as advance:
                return {
                    name: await check(built.database, advance)
                    for name, check in _CHECKS.items()
                    if asked[name]
                }

    found = run(work)
    for name, (count, wrong) in found.items():
        for one in wrong:
            print_json(one)
        if format_ is Format.JSON:
            print_json({"name": name, "verified": count, "different": len(wrong)})
        else:
            print_line(f"重算 {count} 个{_TITLES[name]}，{len(wrong)} 个不符")
    if any(wrong for _, wrong in found.values()):
        raise typer.Exit(Exit.PROBLEMS)
