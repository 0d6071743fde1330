"""Notice that the database was restored from a back-up, by ids that it has not given yet.

Each process takes an id every few seconds and notes it in the folder `state`.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from gateway.service.app import Gateway
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection
from gateway.store.deliver import epoch
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger

#: What an id looks like in the folder; a file that is damaged says nothing.
_ID = re.compile(r"[0-9]{1,18}")
#: Seconds between two notes.
NOTE_PAUSE = 5.0


async def begin_epoch(gateway: Gateway, actor: str = "", reason: str = "") -> int | None:
    """Begin a new epoch where the database was restored, or a person says so.

    Return how many open deliveries are found out first; None if it was not restored.

    Raises:
        DatabaseAway: it cannot be told now.
    """
    known, now = None if actor else _noted(gateway), gateway.clock()
    if not actor and known is None:
        return None

    async def work(connection: Connection) -> int | None:
        found = await epoch.begin_epoch(connection, now, known)
        if found is not None:
            detail = {"deliveries": found, "reason": reason or "noted id", "id": known}
            entry = AuditEntry(AuditEvent.DATABASE_RESTORED, detail, actor or "credit-gateway")
            await events.add(connection, [entry], now)
        return found

    found = await gateway.database.run(work)
    if found is not None:
        logger.error(LogEvent.DATABASE_RESTORED, extra={"deliveries": found})
    return found


class DatabaseReplaced(Exception):
    """The database lacks what was noted while this process runs."""

    def __init__(self) -> None:
        super().__init__("数据库比已知的旧：恢复过，或切换到了落后的备库；重启后先查询再报")


class IdNotes:
    """What notes ids for a running process, in the database, in memory and in the folder."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self._last = 0

    async def note(self) -> None:
        """Note an id.

        Where there is no folder `state`, or it cannot be written, a person has to tell of a
        restore that comes while nothing runs.

        Raises:
            DatabaseReplaced: it has not noted the one before. What it gives now it has given once.
            DatabaseAway: the next call notes it.
        """
        # Read first: another process may note one meanwhile.
        known = max(self._last, _noted(self.gateway) or 0)
        async with self.gateway.database.transaction() as connection:
            if await epoch.noted(connection) < known:
                raise DatabaseReplaced
            last = await epoch.note(connection)
        self._last = last
        with suppress(OSError):
            _write(_file(self.gateway), f"{self.gateway.installation} {last}\n")


def _file(gateway: Gateway) -> Path:
    return gateway.settings.state / "last-id"


def _noted(gateway: Gateway) -> int | None:
    """Return what was noted of this installation; None if nothing was."""
    try:
        name, last = _file(gateway).read_text().split()
    except (OSError, ValueError):
        return None
    is_ours = name == gateway.installation and _ID.fullmatch(last)
    return int(last) if is_ours else None


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(file)
