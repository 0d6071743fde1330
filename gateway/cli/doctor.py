"""`doctor`: print what is wrong with machine and configuration, and what to do."""

import logging

import typer

from gateway.cli.output import (
    Exit,
    Format,
    FormatOption,
    print_json,
    print_line,
    run,
    settings_of,
)
from gateway.service.doctor import examine
from gateway.telemetry import log


def doctor(context: typer.Context, format_: FormatOption = Format.TEXT) -> None:
    """Print what is wrong with machine and configuration; libraries log nothing beside it."""
    log.set_up(logging.CRITICAL)
    findings = run(lambda: examine(settings_of(context)))
    for finding in findings:
        if format_ is Format.JSON:
            print_json({"name": finding.name, "ok": finding.ok, "detail": finding.detail})
        else:
            print_line(f"{'正常' if finding.ok else '异常'} {finding.name}：{finding.detail}")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(Exit.PROBLEMS)
