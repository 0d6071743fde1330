"""`db upgrade`."""

import typer

from gateway.cli.output import (
    print_line,
    run,
    settings_of,
)
from gateway.service.app import gateway


def db_upgrade(context: typer.Context) -> None:
    """Migrate the database."""

    async def work() -> None:
        async with gateway(settings_of(context)):  # which migrates before it gives anything
            pass

    run(work)
    print_line("数据库已是最新结构")
