"""Do something to all deliveries that a filter matched 批量处理, batch by batch.

Between two batches anybody may pause the task or cancel it; what was done stays done.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from enum import StrEnum

from gateway.deliver.manual import change_in, retry_in
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import bulk_tasks, deliveries, worklist
from gateway.store.deliver.bulk_tasks import BulkState, BulkTask
from gateway.store.deliver.by_hand import Order
from gateway.store.deliver.worklist import Wanted
from gateway.telemetry.audit_events import AuditEvent
from schemas.delivery import PARKABLE, RETRYABLE, WITHDRAWABLE, DeliveryState

#: Deliveries of one batch, where nobody says another size.
BATCH = 200


class BulkAct(StrEnum):
    """What may be done to many deliveries at once."""

    RETRY = "retry"  #: 立即重试
    PARK = "park"  #: 挂起
    WITHDRAW = "withdraw"  #: 不再报送


#: The states that allow an act.
_ALLOWED = {
    BulkAct.RETRY: RETRYABLE,
    BulkAct.PARK: PARKABLE,
    BulkAct.WITHDRAW: WITHDRAWABLE,
}
_ORDERS = {
    BulkAct.PARK: DeliveryState.PARKED,
    BulkAct.WITHDRAW: DeliveryState.WITHDRAWN,
}
_EVENTS = {
    BulkState.PAUSED: AuditEvent.BULK_PAUSED,
    BulkState.RUNNING: AuditEvent.BULK_RESUMED,
    BulkState.CANCELLED: AuditEvent.BULK_CANCELLED,
}


class OtherCount(Exception):
    """The act may change another number of deliveries than a person expects.

    `barred` are those that the filter matches as well, and whose state does not allow the act.
    """

    def __init__(self, count: int, barred: int) -> None:
        super().__init__(str(count))
        self.count = count
        self.barred = barred


async def start(  # noqa: PLR0913, PLR0917  what a person says
    database: Database,
    act: BulkAct,
    wanted: Wanted,
    expected: int | None,
    reason: str | None,
    actor: str,
    now: datetime,
) -> int:
    """Make a task of all that the filter matches and the act may change now; return its number.

    Nothing is done yet.

    Raises:
        OtherCount: that is not as many as expected; None expects none: it only counts.
    """
    async with database.transaction() as connection:
        matched = await worklist.matched(connection, wanted)
        ids = await _allowed(connection, act, matched)
        if not ids or len(ids) != expected:
            raise OtherCount(len(ids), len(matched) - len(ids))
        chosen = {name: value for name, value in asdict(wanted).items() if value is not None}
        task = await bulk_tasks.add(connection, act, chosen, reason, actor, ids, now)
        detail = {"task": task, "act": act, "count": len(ids), "chosen": chosen, "reason": reason}
        entry = events.AuditEntry(AuditEvent.BULK_STARTED, detail, actor)
        await events.add(connection, [entry], now)
    return task


async def _allowed(
    connection: Connection, act: BulkAct, matched: Iterable[tuple[int, DeliveryState]]
) -> list[int]:
    """Return those that the act may change, in their order."""
    ids = [id_ for id_, state in matched if state in _ALLOWED[act]]
    if act is not BulkAct.RETRY:
        return ids
    again = await deliveries.retryable(connection, ids)
    return [id_ for id_ in ids if id_ in again]


async def step(
    database: Database, id_: int, now: datetime, batch_size: int = BATCH
) -> BulkTask | None:
    """Do the next batch of a task that is running; return the task, or None without such a one."""

    async def work(connection: Connection) -> BulkTask | None:
        found = await bulk_tasks.next_batch(connection, id_, batch_size)
        if found is None:
            return None
        task, batch = found
        if task.state is BulkState.RUNNING:
            changed = await _do(connection, task, batch, now)
            await bulk_tasks.stepped(connection, id_, batch, changed, now)
        return await bulk_tasks.one(connection, id_)

    return await database.run(work)


async def _do(
    connection: Connection, task: BulkTask, batch: Sequence[int], now: datetime
) -> set[int]:
    """Change the deliveries of a batch; those that left the chosen state meanwhile stay."""
    chosen = task.chosen.get("state")
    among = DeliveryState(chosen) if chosen else None
    act = BulkAct(task.act)
    if act is BulkAct.RETRY:
        return await retry_in(connection, batch, task.actor, now, among)
    order = Order(_ORDERS[act], task.reason or "")
    return await change_in(connection, batch, order, task.actor, now, among)


async def turn(database: Database, id_: int, state: BulkState, actor: str, now: datetime) -> bool:
    """Pause a task, let it go on, or cancel it, on the record; return whether that was possible."""
    async with database.transaction() as connection:
        done = await bulk_tasks.set_state(connection, id_, state, now)
        if done:
            entry = events.AuditEntry(_EVENTS[state], {"task": id_}, actor)
            await events.add(connection, [entry], now)
    return done
