"""`db upgrade`: migrate the database."""

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
        async with gateway(settings_of(context)):  # opening the gateway migrates
            pass

    run(work)
    print_line("数据库已是最新结构")
