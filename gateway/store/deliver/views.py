"""Deliveries for display: lists, one with its attempts and receipts, all of some decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from schemas.delivery import DeliveryState

_SHOW = """
    select d.id, d.item_kind, d.destination, d.verb, d.state, d.due_at, d.clock, d.provisional,
        d.attempts, d.next_at, d.breached_at, d.submitted_at, d.accepted_at, d.platform_at,
        d.reference, d.reasons, s.name as subject_name,
        case when s.person then '自然人' else s.code end as subject_code,
        coalesce(dec.document_number, '') as document_number, v.problems
    from delivery d join subject s on s.id = d.subject_id
    left join record_version v on d.item_kind = 'record_version' and v.id = d.item_id
    left join decision dec on dec.id = v.decision_id
    where {where} order by d.due_at, d.id limit :limit
"""
_LIST = text(
    _SHOW.format(
        where="(cast(:state as text) is null or d.state = :state) "
        "and (cast(:destination as text) is null or d.destination = :destination)"
    )
)
_ONE = text(_SHOW.format(where="d.id = :id"))
_ATTEMPTS = text(
    """
    select started_at, finished_at, act, outcome, reasons from attempt
    where delivery_id = :id order by started_at
    """
)


_RECEIPTS = text(
    """
    select received_at, platform_at, accepted, reasons, reference from receipt
    where delivery_id = :id order by received_at
    """
)


@dataclass(frozen=True, slots=True)
class DeliveryHistory:
    """A delivery with its attempts and receipts, each in the order of time."""

    delivery: Mapping[str, Any]
    attempts: list[Mapping[str, Any]]
    receipts: list[Mapping[str, Any]]


async def listed(
    connection: Connection, state: str | None, destination: str | None, limit: int
) -> list[Mapping[str, Any]]:
    """Return deliveries for display, the earliest due first."""
    values = {"state": state, "destination": destination, "limit": limit}
    return [dict(row._mapping) for row in await connection.execute(_LIST, values)]  # noqa: SLF001


async def shown(connection: Connection, id_: int) -> DeliveryHistory | None:
    """Return all that happened to one delivery; None if there is none."""
    rows = (await connection.execute(_ONE, {"id": id_, "limit": 1})).mappings().all()
    if not rows:
        return None
    attempts = (await connection.execute(_ATTEMPTS, {"id": id_})).mappings().all()
    receipts = (await connection.execute(_RECEIPTS, {"id": id_})).mappings().all()
    return DeliveryHistory(dict(rows[0]), list(map(dict, attempts)), list(map(dict, receipts)))


_CONTENT_HASH = text(
    """
    select encode(sha256(convert_to(v.body::text, 'UTF8')), 'hex') from delivery d
    join record_version v on v.id = d.item_id
    where d.id = :id and d.item_kind = 'record_version'
    union all select encode(sha256(convert_to(g.body::text, 'UTF8')), 'hex') from delivery d
    join grade_change g on g.id = d.item_id
    where d.id = :id and d.item_kind = 'grade_change'
    """
)


async def content_hash(connection: Connection, id_: int) -> str | None:
    """Return the SHA-256 of what a delivery carries, as it is stored: without identity numbers."""
    found = await connection.scalar(_CONTENT_HASH, {"id": id_})
    return None if found is None else str(found)


_OF_DECISIONS = text(
    """
    select d.chain_id, d.destination, d.id, d.verb, d.state, d.due_at, d.dues, d.submitted_at,
        d.accepted_at, d.platform_at, d.reasons, d.attempts, d.breached_at
    from delivery d where d.item_kind = 'record_version'
      and d.chain_id = any(cast(:ids as bigint[])) order by d.id
    """
)


async def of_decisions(connection: Connection, decision_ids: Sequence[int]) -> list[Any]:
    """Return all deliveries of these decisions, for ledger and reconciliation."""
    return list(await connection.execute(_OF_DECISIONS, {"ids": list(decision_ids)}))


_STATES = text("select id, state from delivery where id = any(cast(:ids as bigint[]))")


async def states(connection: Connection, ids: Sequence[int]) -> dict[int, DeliveryState]:
    """Return the state of each of these deliveries that exists."""
    rows = await connection.execute(_STATES, {"ids": list(ids)})
    return {row.id: DeliveryState(row.state) for row in rows}
