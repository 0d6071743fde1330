"""The story of a decision 经过, over all processes: what came, was made, sent and answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection


class Passage(StrEnum):
    """What happened."""

    ARRIVED = "arrived"
    RECORDED = "recorded"
    OWED = "owed"
    CALLED = "called"
    ANSWERED = "answered"
    DIFFERS = "differs"
    AGREES = "agrees"
    SAID = "said"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened to a decision, or to one of its deliveries."""

    at: datetime
    decision_id: int
    step: Passage
    where: str | None  #: the source, or the destination
    detail: Mapping[str, Any]


_TRAIL = text(
    """
    with decided as materialized (
        select * from decision where number_key = any(cast(:keys as text[]))),
    sent as materialized (
        select x.* from delivery x join decided d on x.chain_id = d.id
        where x.item_kind = 'record_version')
    select i.recorded_at as at, v.decision_id, 'arrived', o.name || '#' || i.position,
        jsonb_build_object('verdict', i.verdict, 'version', v.version)
    from decided d join record_version v on v.decision_id = d.id
    join inbox i on i.record_version_id = v.id join origin o on o.id = i.origin_id
    union all
    select v.recorded_at, v.decision_id, 'recorded', null, jsonb_build_object(
        'version', v.version, 'verb', v.verb, 'verdict', v.verdict, 'excluded', v.excluded)
    from decided d join record_version v on v.decision_id = d.id
    union all
    select x.created_at, x.chain_id, 'owed', x.destination, jsonb_build_object(
        'delivery', x.id, 'verb', x.verb, 'due_at', x.due_at)
    from sent x
    union all
    select coalesce(a.finished_at, a.started_at), x.chain_id, 'called', x.destination,
        jsonb_build_object('delivery', x.id, 'act', a.act, 'outcome', a.outcome,
            'reasons', a.reasons)
    from sent x join attempt a on a.delivery_id = x.id
    union all
    select r.received_at, x.chain_id, 'answered', x.destination, jsonb_build_object(
        'delivery', x.id, 'accepted', r.accepted, 'platform_at', r.platform_at,
        'reasons', r.reasons)
    from sent x join receipt r on r.delivery_id = x.id
    union all
    select f.first_seen, f.decision_id, 'differs', f.side, jsonb_build_object('flags', f.flags)
    from decided d join difference f on f.decision_id = d.id
    union all
    select f.mended_at, f.decision_id, 'agrees', f.side, '{}'
    from decided d join difference f on f.decision_id = d.id where f.mended_at is not null
    union all
    select e.at, x.chain_id, 'said', x.destination, jsonb_build_object(
        'delivery', x.id, 'actor', e.actor, 'words', e.words)
    from sent x join evidence e on e.about = 'delivery' and e.about_id = x.id
    union all
    select e.at, x.chain_id, 'done', x.destination, jsonb_build_object(
        'delivery', x.id, 'actor', e.actor, 'event', e.event, 'reason', e.detail->>'reason')
    from sent x join audit_event e on (e.detail->>'delivery') = x.id::text
    order by 2, 1
    """
)


async def trail(connection: Connection, keys: Iterable[str]) -> Sequence[Happened]:
    """Return what happened to the decisions with one of these keys, each in the order of time."""
    rows = await connection.execute(_TRAIL, {"keys": list(keys)})
    return [
        Happened(at, id_, Passage(step), where, detail) for at, id_, step, where, detail in rows
    ]
