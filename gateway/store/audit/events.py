"""Write and read audit events 审计事件; `telemetry.audit_events` is their catalogue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, as_json, unnest
from gateway.telemetry.source import source
from schemas.identifiers import masked


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What happened, who did it, and what it was about; no personal data.

    From where is noted beside it, of the process that writes it.
    """

    event: str
    detail: Mapping[str, Any]
    actor: str = "credit-gateway"


#: What is written is noted for the chain (`store.audit.chain`).
_ADD = text(
    f"""
    with fresh as (
        insert into audit_event (at, event, actor, source, detail)
        select :now, event, actor, :source, cast(detail as jsonb)
        from {unnest("event text, actor text, detail text")} order by place
        returning id, at)
    insert into audit_unlinked (event_id, at) select id, at from fresh
    """
)


async def add(connection: Connection, entries: Sequence[AuditEntry], now: datetime) -> None:
    """Write entries; the caller's transaction also holds the changes that they are about.

    Identity numbers in what persons or callers wrote are masked: the chain keeps all for ever.
    """
    if entries:
        rows = [
            (one.event, masked(one.actor), masked(as_json(dict(one.detail)))) for one in entries
        ]
        values = arrays(("event", "actor", "detail"), rows)
        await connection.execute(_ADD, {**values, "now": now, "source": source()})


def _masked(value: Any) -> Any:
    """Return the same with identity numbers masked in all of its texts."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {name: _masked(one) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(one) for one in value]
    return value


_LATEST = text(
    """
    select at, event, actor, source, detail from audit_event
    where at >= :start and at < :end and (:event = '' or event = :event)
      and (:actor = '' or actor = :actor)
    order by at desc, id desc limit :limit
    """
)


@dataclass(frozen=True, slots=True)
class WantedEvents:
    """Which events are wanted; an empty text means any."""

    start: datetime
    end: datetime
    event: str = ""
    actor: str = ""


async def latest(connection: Connection, wanted: WantedEvents, limit: int) -> list[Any]:
    """Return the newest of the events first (at, event, actor, source, detail)."""
    values = {"start": wanted.start, "end": wanted.end, "limit": limit}
    values |= {"event": wanted.event, "actor": wanted.actor}
    return list(await connection.execute(_LATEST, values))
