"""What a person does to deliveries by hand 人工处理, on the record."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import by_hand, deliveries, views
from gateway.store.deliver.by_hand import Order
from gateway.telemetry.audit_events import AuditEvent
from schemas.delivery import DeliveryState

_EVENTS = {
    DeliveryState.PARKED: AuditEvent.DELIVERY_PARKED,
    DeliveryState.WITHDRAWN: AuditEvent.DELIVERY_WITHDRAWN,
    DeliveryState.ACCEPTED_BLIND: AuditEvent.DELIVERY_RESOLVED,
    DeliveryState.READY: AuditEvent.DELIVERY_RESOLVED,
}


class Acted(NamedTuple):
    """Which deliveries an act changed, and the state of each that exists afterwards."""

    changed: set[int]
    states: dict[int, DeliveryState]


async def retry_all(database: Database, ids: Sequence[int], actor: str, now: datetime) -> Acted:
    """Make deliveries ready at a person's word, or look up first what may have arrived."""
    async with database.transaction() as connection:
        retried = await retry_in(connection, ids, actor, now)
        return Acted(retried, await views.states(connection, ids))


async def retry_in(
    connection: Connection,
    ids: Sequence[int],
    actor: str,
    now: datetime,
    among: DeliveryState | None = None,
) -> set[int]:
    """Do the same in a transaction that is open; return which changed.

    With `among` only those that still have this state.
    """
    retried = await deliveries.retry(connection, ids, now, among)
    await _note(connection, AuditEvent.DELIVERY_RETRIED, retried, {}, actor, now)
    return retried


async def change_all(
    database: Database, ids: Sequence[int], order: Order, actor: str, now: datetime
) -> Acted:
    """Park or withdraw deliveries, or resolve unknown ones, where their state allows it."""
    async with database.transaction() as connection:
        changed = await change_in(connection, ids, order, actor, now)
        return Acted(changed, await views.states(connection, ids))


async def change_in(
    connection: Connection,
    ids: Sequence[int],
    order: Order,
    actor: str,
    now: datetime,
    among: DeliveryState | None = None,
) -> set[int]:
    """Do the same in a transaction that is open; return which changed.

    With `among` only those that still have this state.
    """
    changed = await by_hand.change(connection, ids, order, now, among)
    detail = {"state": order.state.value, "reason": order.reason}
    await _note(connection, _EVENTS[order.state], changed, detail, actor, now)
    return changed


async def _note(
    connection: Connection,
    event: AuditEvent,
    ids: set[int],
    detail: dict[str, str],
    actor: str,
    now: datetime,
) -> None:
    entries = [events.AuditEntry(event, {"delivery": id_, **detail}, actor) for id_ in sorted(ids)]
    await events.add(connection, entries, now)
