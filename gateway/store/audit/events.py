"""Write and read audit events 审计事件; `telemetry.audit_events` is their catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy
from gateway.telemetry.audit_events import AuditEvent


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


_OF_BREAKERS = text(
    "select at, event, detail->>'destination' as destination from audit_event "
    "where event in (:opened, :closed) and at >= :since order by at"
)


async def of_breakers(connection: Connection, since: datetime) -> list[Any]:
    """Return when breakers opened and closed (at, event, destination), the oldest first."""
    names = {"opened": AuditEvent.BREAKER_OPENED, "closed": AuditEvent.BREAKER_CLOSED}
    return list(await connection.execute(_OF_BREAKERS, {**names, "since": since}))


_LATEST = text("select at, event, actor, detail from audit_event order by at desc limit :limit")


async def latest(connection: Connection, limit: int) -> list[Any]:
    """Return the newest entries first."""
    return list(await connection.execute(_LATEST, {"limit": limit}))
