"""Sendings of frozen ledgers 台账报送: to whom a version goes, and what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, unnest


class SendingState(StrEnum):
    """How a sending stands."""

    READY = "ready"  #: 待送: sent at `next_at`
    OFFERED = "offered"  #: 待下载: the recipient fetches it and says so
    SENT = "sent"  #: 已送出
    RECEIVED = "received"  #: 已确认收到
    SUPERSEDED = "superseded"  #: 已有新版: a later version goes instead


@dataclass(frozen=True, slots=True)
class Sending:
    """One version of a ledger for one recipient."""

    month: str
    version: int
    recipient: str
    state: SendingState
    attempts: int
    next_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    error: str | None


_COLUMNS = "month, version, recipient, state, attempts, next_at, ended_at, ended_by, error"
#: A version of a month that was not over is a draft, and what was frozen before a recipient was
#: configured is not sent to it afterwards, but for the last weeks.
_PLAN = text(
    f"""
    insert into ledger_sending (month, version, recipient, state, attempts, next_at)
    select l.month, l.version, r.recipient, r.state, 0, :now
    from (select distinct on (month) month, version, recorded_at from ledger
        order by month, version desc) l
    cross join {unnest("recipient text, state text", "r")}
    where l.recorded_at >= :since and l.recorded_at >=
        ((l.month || '-01')::date + interval '1 month') at time zone 'Asia/Shanghai'
    on conflict do nothing
    """
)
#: A recipient that was to download is now sent to, or the other way round.
_REPLAN = text(
    f"""
    update ledger_sending s set state = r.state, next_at = :now, error = null
    from {unnest("recipient text, state text", "r")}
    where s.recipient = r.recipient and s.state in ('ready', 'offered') and s.state <> r.state
    """
)
_SUPERSEDE = text(
    """
    update ledger_sending s set state = 'superseded', ended_at = :now
    where state in ('ready', 'offered') and exists (
        select from ledger_sending n where n.month = s.month and n.recipient = s.recipient
            and n.version > s.version)
    """
)
#: While it is sent nobody else takes it; one that was cut off is sent again after the pause.
_CLAIM = text(
    f"""
    update ledger_sending set attempts = attempts + 1, next_at = :until
    where (month, version, recipient) = (
        select month, version, recipient from ledger_sending
        where state = 'ready' and next_at <= :now and recipient = :recipient
        order by next_at limit 1 for update skip locked)
    returning {_COLUMNS}
    """
)
_FAIL = text(
    """
    update ledger_sending set error = :error, next_at = :next_at
    where month = :month and version = :version and recipient = :recipient and state = 'ready'
    """
)
_END = text(
    """
    update ledger_sending set state = :state, ended_at = :now, ended_by = :by, error = null
    where month = :month and version = :version and recipient = :recipient
      and state = any(cast(:from as text[]))
    """
)
#: From where a sending ends. What went out was sent, whatever was planned meanwhile; what was
#: acknowledged stays so.
_ENDS = {
    SendingState.SENT: [SendingState.READY, SendingState.OFFERED, SendingState.SUPERSEDED],
    SendingState.RECEIVED: [SendingState.READY, SendingState.OFFERED, SendingState.SENT],
}
_OPEN = text(
    f"select {_COLUMNS} from ledger_sending where state in ('ready', 'offered')"
    " order by month, version, recipient"
)
_OF_MONTH = text(
    f"select {_COLUMNS} from ledger_sending where month = :month order by version desc, recipient"
)


async def plan(
    connection: Connection,
    recipients: Sequence[tuple[str, SendingState]],
    now: datetime,
    within: timedelta,
) -> None:
    """Plan what each recipient gets: the newest version of each month frozen within a time."""
    rows = arrays(["recipient", "state"], recipients)
    await connection.execute(_PLAN, {**rows, "now": now, "since": now - within})
    await connection.execute(_REPLAN, {**rows, "now": now})
    await connection.execute(_SUPERSEDE, {"now": now})


async def claim(
    connection: Connection, recipient: str, now: datetime, until: datetime
) -> Sending | None:
    """Take the next sending to a recipient that is due; nobody else takes it before `until`."""
    values = {"recipient": recipient, "now": now, "until": until}
    row = (await connection.execute(_CLAIM, values)).one_or_none()
    return None if row is None else _sending(row)


async def fail(connection: Connection, one: Sending, error: str, next_at: datetime) -> None:
    """Note why a sending failed, and when it is tried again."""
    await connection.execute(_FAIL, {**_key(one), "error": error, "next_at": next_at})


async def end(
    connection: Connection, one: Sending, state: SendingState, by: str | None, now: datetime
) -> bool:
    """Note that a version was sent or received; return whether that was not known."""
    values = {**_key(one), "state": state, "by": by, "now": now, "from": _ENDS[state]}
    return bool((await connection.execute(_END, values)).rowcount)


async def unfinished(connection: Connection) -> list[Sending]:
    """Return what is still to be sent or downloaded."""
    return [_sending(row) for row in await connection.execute(_OPEN)]


async def of_month(connection: Connection, month: str) -> list[Sending]:
    """Return the sendings of a month, the newest version first."""
    return [_sending(row) for row in await connection.execute(_OF_MONTH, {"month": month})]


def _key(one: Sending) -> dict[str, object]:
    return {"month": one.month, "version": one.version, "recipient": one.recipient}


def _sending(row: Sequence[object]) -> Sending:
    month, version, recipient, state, *rest = row
    return Sending(month, version, recipient, SendingState(str(state)), *rest)  # type: ignore[arg-type]
