"""Write and read audit events 审计事件; `telemetry.audit_events` is their catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened, who did it, and what it was about; no personal data."""

    event: str
    detail: Mapping[str, Any]
    actor: str = "credit-gateway"


_add = Copy("audit_event", "at, event, actor, detail")


async def add(connection: Connection, entries: Sequence[AuditEntry], now: datetime) -> None:
    """Write entries; the caller's transaction also holds the changes that they are about."""
    await _add(
        connection,
        [(now, e.event, e.actor, orjson.dumps(dict(e.detail)).decode()) for e in entries],
    )


_LATEST = text("select at, event, actor, detail from audit_event order by at desc limit :limit")


async def latest(connection: Connection, limit: int) -> list[Any]:
    """Return the newest entries first."""
    return list(await connection.execute(_LATEST, {"limit": limit}))
