"""Commands that act are on record also where they were refused 未办成的操作."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import typer

from gateway.cli.help_text import ChineseCommand
from gateway.cli.options import actor
from gateway.cli.output import Exit, run
from gateway.config.errors import Away, BadConfiguration
from gateway.config.settings import load_settings
from gateway.service.app import gateway
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection
from gateway.telemetry.audit_events import AuditEvent
from schemas.identifiers import masked


class RecordedCommand(ChineseCommand):
    """A command; one that asks for a reason acts, and that it was refused is audited."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except typer.Exit as refused:
            if refused.exit_code == Exit.PROBLEMS and "reason" in ctx.params:
                with suppress(Away, BadConfiguration):  # the refusal itself stands on the screen
                    _record(ctx, getattr(refused, "words", ""))
            raise


def _record(ctx: Any, words: str) -> None:
    given = {name: value for name, value in ctx.params.items() if value not in {None, ()}}
    asked = {
        name: masked(value.name if isinstance(value, Path) else str(value))
        for name, value in given.items()
        if name not in {"by", "format_"}
    }
    name = ctx.command_path.partition(" ")[2]
    entry = AuditEntry(
        AuditEvent.ACTION_REFUSED,
        {"command": name, "asked": asked, "why": masked(words)},
        actor(given.get("by")),
    )

    async def work() -> None:
        async with gateway(load_settings(ctx.find_root().obj)) as built:

            async def write(connection: Connection) -> None:
                await events.add(connection, [entry], built.clock())

            await built.database.run(write)

    run(work)
