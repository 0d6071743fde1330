"""Bulk tasks 批量任务: what a person does to all deliveries that a filter matched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import as_json


class BulkState(StrEnum):
    """How a bulk task stands."""

    RUNNING = "running"  #: 进行中
    PAUSED = "paused"  #: 已暂停
    CANCELLED = "cancelled"  #: 已取消: what was done stays done
    DONE = "done"  #: 已完成


#: A task in these states may go on.
_GOING_ON = (BulkState.RUNNING, BulkState.PAUSED)


@dataclass(frozen=True, slots=True)
class BulkTask:
    """A bulk task and how far it is; `failed` are the deliveries whose state did not allow it."""

    id: int
    act: str
    chosen: Mapping[str, Any]
    reason: str | None
    actor: str
    state: BulkState
    total: int
    done: int
    changed: int
    failed: Sequence[int]
    made_at: datetime
    stepped_at: datetime


_COLUMNS = """id, act, chosen, reason, actor, state, cardinality(ids) as total, done, changed,
    failed, made_at, stepped_at"""
_ADD = text(
    """
    insert into bulk_task (id, act, chosen, reason, actor, state, ids, done, changed, failed,
        made_at, stepped_at)
    values (nextval('gateway_id'), :act, cast(:chosen as jsonb), :reason, :actor, 'running', :ids,
        0, 0, '{}', :now, :now)
    returning id
    """
)
#: The row lock lets one step at a time take place, whoever else goes on with the task.
_NEXT = text(
    f"""
    select {_COLUMNS}, ids[done + 1:done + :size] as batch from bulk_task
    where id = :id for update
    """
)
_STEPPED = text(
    """
    update bulk_task set done = done + :done, changed = changed + :changed,
        failed = failed || cast(:failed as bigint[]), stepped_at = :now,
        state = case when done + :done >= cardinality(ids) then 'done' else state end
    where id = :id
    """
)
_SET = text(
    """
    update bulk_task set state = :state, stepped_at = :now
    where id = :id and state = any(cast(:among as text[])) and state <> :state
    """
)
_ONE = text(f"select {_COLUMNS} from bulk_task where id = :id")
_UNFINISHED = text(
    f"""
    select {_COLUMNS} from bulk_task
    where state = 'paused' or (state = 'running' and stepped_at < :before) order by id
    """
)
_LIST = text(f"select {_COLUMNS} from bulk_task order by id desc limit :limit")


async def add(  # noqa: PLR0913, PLR0917  one for each thing that a task keeps
    connection: Connection,
    act: str,
    chosen: Mapping[str, Any],
    reason: str | None,
    actor: str,
    ids: Sequence[int],
    now: datetime,
) -> int:
    """Add a task for these deliveries, and return its number."""
    values = {"act": act, "chosen": as_json(chosen), "reason": reason, "actor": actor}
    return int(await connection.scalar(_ADD, {**values, "ids": list(ids), "now": now}) or 0)


async def next_batch(
    connection: Connection, id_: int, size: int
) -> tuple[BulkTask, Sequence[int]] | None:
    """Lock a task, and return it with the deliveries of its next batch; None if there is none."""
    row = (await connection.execute(_NEXT, {"id": id_, "size": size})).one_or_none()
    return None if row is None else (_task(row[:-1]), row.batch)


async def stepped(
    connection: Connection, id_: int, batch: Sequence[int], changed: set[int], now: datetime
) -> None:
    """Note what became of a batch."""
    failed = [one for one in batch if one not in changed]
    counts = {"done": len(batch), "changed": len(changed), "failed": failed}
    await connection.execute(_STEPPED, {"id": id_, **counts, "now": now})


async def set_state(connection: Connection, id_: int, state: BulkState, now: datetime) -> bool:
    """Change the state of a task that may go on; return whether that changed it."""
    values = {"id": id_, "state": state, "among": list(_GOING_ON), "now": now}
    return bool((await connection.execute(_SET, values)).rowcount)


async def one(connection: Connection, id_: int) -> BulkTask | None:
    """Return a task, if there is one of this number."""
    row = (await connection.execute(_ONE, {"id": id_})).one_or_none()
    return None if row is None else _task(row)


async def unfinished(connection: Connection, before: datetime) -> list[BulkTask]:
    """Return the tasks that are paused, or run and made their last step before a time."""
    return [_task(row) for row in await connection.execute(_UNFINISHED, {"before": before})]


async def listed(connection: Connection, limit: int) -> list[BulkTask]:
    """Return the tasks, the newest first."""
    return [_task(row) for row in await connection.execute(_LIST, {"limit": limit})]


def _task(row: Sequence[Any]) -> BulkTask:
    id_, act, chosen, reason, actor, state, *rest = row
    return BulkTask(id_, act, chosen, reason, actor, BulkState(state), *rest)
