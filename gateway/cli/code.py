"""`code`: check and normalise unified social credit codes."""

from typing import Annotated

import typer

from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    lines_of,
    print_json,
    print_line,
)
from schemas.identifiers import changed_by_fold, credit_code_problem, fold


def code(
    codes: Annotated[list[str] | None, typer.Argument(help="代码；- 读标准输入")] = None,
    format_: FormatOption = Format.TEXT,
) -> None:
    """Print whether each code is a unified social credit code."""
    end = Exit.DONE
    for text in lines_of(codes, "代码"):
        normalised, changed = fold(text), changed_by_fold(text)
        reason = credit_code_problem(normalised)
        if reason is not None:
            end = Exit.PROBLEMS
        if format_ is Format.JSON:
            answer = {"input": text, "normalised": normalised, "valid": reason is None}
            print_json(answer | {"reason": reason, "changed": changed})
        else:
            told = f"（{'，'.join(changed)}）" if changed else ""
            verdict = "有效" if reason is None else f"无效：{reason}"
            print_line(f"{text} → {normalised} {verdict}{told}")
    raise typer.Exit(end)
