"""The delivery table: heads of chains are `ready`, the rest `waiting`, so that a claim never walks.

Within a chain (the decision for records, the subject for grade changes, each per destination) only
the head is claimable. Inserting and finishing both lock the subject first, so that the promotion of
the next one never misses a row written meanwhile. Leases run on the database's clock; legal and
retry time is a parameter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text

from gateway.decide import NewDelivery, Past
from gateway.store.engine import Connection
from gateway.store.rows import Copy, unnest
from schemas.codes import Verb
from schemas.delivery import DeliveryState

S = DeliveryState

# ---------------------------------------------------------------- written by the pipeline

_add = Copy(
    "delivery",
    "id, item_kind, item_id, destination, subject_id, chain_id, verb, state, due_at, "
    "clock, calendar, provisional, dues, created_at",
)


async def add(
    connection: Connection, deliveries: Sequence[tuple[int, NewDelivery]], now: datetime
) -> None:
    """Write deliveries with their ids."""
    texts: dict[int, str] = {}
    rows = []
    for id_, new in deliveries:
        first = new.dues[0]
        dues = texts.get(id(new.dues))
        if dues is None:
            dues = texts[id(new.dues)] = _dues_text(new)
        rows.append(
            (
                id_,
                new.item_kind,
                new.item_id,
                new.destination,
                new.subject_id,
                new.chain_id,
                new.verb,
                new.state,
                new.due_at,
                first.clock,
                first.calendar,
                first.provisional,
                dues,
                now,
            )
        )
    await _add(connection, rows)


def _dues_text(new: NewDelivery) -> str:
    return orjson.dumps({due.clock: due.at.isoformat() for due in new.dues}).decode()


_PAST = text(
    """
    select chain_id, id, destination, state, due_at, verb from delivery
    where chain_id = any(cast(:ids as bigint[])) and item_kind = 'record_version'
      and state not in ('superseded', 'withdrawn') order by id for update
    """
)


async def past(connection: Connection, decision_ids: Sequence[int]) -> dict[int, list[Past]]:
    """What each destination was or is to be handed of these decisions.

    The rows are locked, so that no worker claims one between this look and its supersession.
    """
    found: dict[int, list[Past]] = {}
    for row in await connection.execute(_PAST, {"ids": list(decision_ids)}):
        found.setdefault(row[0], []).append(Past(row[1], row[2], S(row[3]), row[4], Verb(row[5])))
    return found


_SUPERSEDE = text(
    """
    update delivery set state = 'superseded' where id = any(cast(:ids as bigint[]))
    """
)


async def supersede(connection: Connection, ids: Sequence[int]) -> None:
    """Newer versions take the place of these, which were never handed over."""
    await connection.execute(_SUPERSEDE, {"ids": list(ids)})


_PROMOTE_CHAINS = text(
    """
    with chain as (select distinct chain_id, destination
        from unnest(cast(:chains as bigint[]), cast(:destinations as text[]))
            as t(chain_id, destination)),
    head as (
        select chain.chain_id, chain.destination, next.id, next.due_at
        from chain cross join lateral (
            select d.id, d.item_kind, d.item_id, min(d.due_at) over () as due_at from delivery d
            where d.chain_id = chain.chain_id and d.destination = chain.destination
              and d.state = 'waiting' order by d.id limit 1) next
        where not exists (select from delivery b where b.chain_id = chain.chain_id
              and b.destination = chain.destination
              and b.state in ('ready', 'deferred', 'leased', 'unknown'))
          and (next.item_kind <> 'grade_change'
               or exists (select from grade_change g where g.id = next.item_id
                          and g.number is not null)))
    update delivery d set state = 'ready', due_at = head.due_at
    from head where d.id = head.id
    """
)


async def promote(connection: Connection, chains: Sequence[tuple[int, str]]) -> None:
    """Make the head of each (chain, destination) ready if nothing before it blocks.

    The head takes the earliest due time of its chain. The subjects must be locked.
    """
    values = {"chains": [c for c, _ in chains], "destinations": [d for _, d in chains]}
    await connection.execute(_PROMOTE_CHAINS, values)


# ---------------------------------------------------------------- claiming


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that a worker holds, with all that its connector needs."""

    id: int
    item_kind: str
    item_id: int
    subject_id: int
    chain_id: int
    destination: str
    verb: str
    attempts: int
    due_at: datetime
    lease_token: str
    look: bool
    holds: bool
    kind: str
    version: int
    subject_code: str
    subject_name: str | None
    document_number: str | None
    decision_date: date | None
    body: dict[str, Any]
    secret: bytes | None
    recorded_at: datetime
    number: int | None


_PICK_READY = """
    select id from delivery where destination = :destination and state = 'ready'
    order by due_at, id limit :limit for update skip locked
"""
_PICK_UNKNOWN = """
    select id from delivery where destination = :destination and state = 'unknown'
      and next_at <= :now and (look_after is null or look_after <= clock_timestamp())
    order by next_at limit :limit for update skip locked
"""
_CLAIM = """
    with picked as ({pick}),
    leased as (
        update delivery d set state = 'leased', lease_token = :token, attempts = d.attempts + 1,
            lease_until = clock_timestamp() + cast(:lease as interval)
        from picked where d.id = picked.id
        returning d.id, d.item_kind, d.item_id, d.subject_id, d.chain_id, d.destination, d.verb,
            d.attempts, d.due_at),
    opened as (
        insert into attempt (delivery_id, lease_token, started_at, act)
        select id, :token, :now, :act from leased)
    select l.*, cast(:token as text), cast(:look as boolean),
        exists (select from delivery h where h.chain_id = l.chain_id
            and h.destination = l.destination and h.id < l.id
            and h.state in ('submitted', 'accepted', 'accepted_blind')) as holds,
        coalesce(dec.kind, 'grade_change'), coalesce(v.version, 1), s.code, s.name,
        dec.document_number, dec.decision_date, coalesce(v.body, g.body), v.secret,
        coalesce(v.recorded_at, g.recorded_at), g.number
    from leased l
    join subject s on s.id = l.subject_id
    left join record_version v on l.item_kind = 'record_version' and v.id = l.item_id
    left join decision dec on dec.id = v.decision_id
    left join grade_change g on l.item_kind = 'grade_change' and g.id = l.item_id
    order by l.due_at, l.id
"""
_CLAIM_READY = text(_CLAIM.format(pick=_PICK_READY))
_CLAIM_UNKNOWN = text(_CLAIM.format(pick=_PICK_UNKNOWN))


async def claim(  # noqa: PLR0913  what a lease is made of
    connection: Connection,
    destination: str,
    *,
    limit: int,
    token: str,
    lease: timedelta,
    now: datetime,
    look: bool = False,
) -> list[Claimed]:
    """Lease up to `limit` heads, earliest due first, and open their attempts, in one statement.

    With `look` it takes those whose outcome is unknown, once their settle time is over.
    """
    values = {
        "destination": destination,
        "limit": limit,
        "token": token,
        "lease": lease,
        "now": now,
        "act": "look_up" if look else "send",
        "look": look,
    }
    rows = await connection.execute(_CLAIM_UNKNOWN if look else _CLAIM_READY, values)
    return [Claimed(*row) for row in rows]


# ---------------------------------------------------------------- finishing


@dataclass(frozen=True, slots=True)
class Finish:
    """What becomes of a leased delivery."""

    id: int
    token: str
    subject_id: int
    chain_id: int
    destination: str
    state: DeliveryState
    outcome: str
    reasons: tuple[str, ...] = ()
    next_at: datetime | None = None
    breached: bool = False
    platform_at: datetime | None = None
    reference: str | None = None
    settle: timedelta | None = None


_LOCK = text(
    """
    select id from subject where id = any(cast(:ids as bigint[])) order by id for no key update
    """
)
_FINISH = text(
    f"""
    with outcome as (select * from {
        unnest(
            "id bigint, token uuid, state text, outcome text, reasons text, next_at timestamptz, "
            "breached boolean, platform_at timestamptz, reference text, settle interval"
        )
    }),
    done as (
        update delivery d set state = o.state, next_at = o.next_at,
            look_after = clock_timestamp() + o.settle,
            reasons = o.reasons::jsonb, reference = coalesce(o.reference, d.reference),
            platform_at = coalesce(o.platform_at, d.platform_at),
            breached_at = case when o.breached then coalesce(d.breached_at, :now)
                else d.breached_at end,
            submitted_at = case when o.state in ('submitted', 'accepted', 'accepted_blind')
                then coalesce(d.submitted_at, :now) else d.submitted_at end,
            accepted_at = case when o.state = 'accepted' then :now else d.accepted_at end,
            lease_token = null, lease_until = null
        from outcome o
        where d.id = o.id and d.lease_token = o.token and d.state = 'leased'
        returning d.id),
    closed as (
        update attempt a set finished_at = :now, outcome = o.outcome, reasons = o.reasons::jsonb
        from outcome o where a.delivery_id = o.id and a.lease_token = o.token)
    select id from done
    """  # noqa: S608  names are ours
)

_FREES = frozenset(
    {S.ACCEPTED, S.ACCEPTED_BLIND, S.SUBMITTED, S.REJECTED, S.SUPERSEDED, S.WITHDRAWN}
)


async def finish(connection: Connection, finished: Sequence[Finish], now: datetime) -> set[int]:
    """Write outcomes where the lease is still ours (compare-and-set); promote what they freed.

    Gives the ids that were ours; the others were taken over and their outcome is not believed.
    """
    await connection.execute(_LOCK, {"ids": sorted({f.subject_id for f in finished})})
    values: dict[str, Any] = {
        "id": [f.id for f in finished],
        "token": [f.token for f in finished],
        "state": [f.state.value for f in finished],
        "outcome": [f.outcome for f in finished],
        "reasons": [orjson.dumps(f.reasons).decode() if f.reasons else None for f in finished],
        "next_at": [f.next_at for f in finished],
        "breached": [f.breached for f in finished],
        "platform_at": [f.platform_at for f in finished],
        "reference": [f.reference for f in finished],
        "settle": [f.settle for f in finished],
        "now": now,
    }
    early = await _early_receipts(connection, finished)
    ours = set(await connection.scalars(_FINISH, values))
    for destination, answers in early.items():
        await _move(connection, destination, [a for a in answers if a.delivery_id in ours], now)
    freed = [(f.chain_id, f.destination) for f in finished if f.id in ours and f.state in _FREES]
    if freed:
        await promote(connection, freed)
    return ours


# ---------------------------------------------------------------- time passes

_PROMOTE_DEFERRED = text(
    """
    update delivery set state = 'ready' where id in (
        select id from delivery where destination = :destination and state = 'deferred'
          and next_at <= :now order by next_at limit :limit for update skip locked)
    """
)


async def promote_deferred(
    connection: Connection, destination: str, now: datetime, limit: int = 1000
) -> int:
    """Deferred deliveries whose time has come are ready again."""
    values = {"destination": destination, "now": now, "limit": limit}
    return (await connection.execute(_PROMOTE_DEFERRED, values)).rowcount


_EXPIRE = text(
    """
    update delivery set state = 'unknown', next_at = :now, lease_token = null,
        look_after = lease_until + cast(:settle as interval), lease_until = null
    where destination = :destination and state = 'leased' and lease_until < clock_timestamp()
    """
)


async def expire_leases(
    connection: Connection, destination: str, settle: timedelta, now: datetime
) -> int:
    """A lease that ran out leaves an unknown outcome, looked into after the settle time."""
    values = {"destination": destination, "settle": settle, "now": now}
    return (await connection.execute(_EXPIRE, values)).rowcount


_STUCK = text(
    """
    select distinct w.chain_id, w.destination, w.subject_id from delivery w
    where w.state = 'waiting'
      and (w.item_kind <> 'grade_change' or exists (select from grade_change g
           where g.id = w.item_id and g.number is not null))
      and not exists (select from delivery b where b.chain_id = w.chain_id
          and b.destination = w.destination
          and b.state in ('ready', 'deferred', 'leased', 'unknown'))
    """
)


async def stuck_chains(connection: Connection) -> list[tuple[int, str, int]]:
    """Chains that wait for nothing: a bug, mended by the sweeper and alerted at one."""
    return [(row[0], row[1], row[2]) for row in await connection.execute(_STUCK)]


async def mend(connection: Connection, chains: Sequence[tuple[int, str, int]]) -> None:
    """Promote the heads of stuck chains under their subjects' locks."""
    await connection.execute(_LOCK, {"ids": sorted({subject for _, _, subject in chains})})
    await promote(connection, [(chain, destination) for chain, destination, _ in chains])


_GRADE_HEADS = text(
    """
    select distinct d.chain_id, d.destination from delivery d
    where d.item_kind = 'grade_change' and d.state = 'waiting'
      and d.chain_id = any(cast(:subjects as bigint[]))
    """
)


async def release_grade_changes(connection: Connection, subject_ids: Sequence[int]) -> None:
    """Grade changes that have just been numbered may go, in order, each behind the last."""
    await connection.execute(_LOCK, {"ids": sorted(set(subject_ids))})
    rows = await connection.execute(_GRADE_HEADS, {"subjects": list(subject_ids)})
    await promote(connection, [(row[0], row[1]) for row in rows])


_MARK_BREACHED = text(
    """
    update delivery set breached_at = :now where breached_at is null and due_at <= :now
      and state in ('held', 'waiting', 'ready', 'deferred', 'leased', 'unknown', 'rejected')
    """
)


async def mark_breached(connection: Connection, now: datetime) -> int:
    """Deliveries whose due time passed without acceptance; they go on all the same."""
    return (await connection.execute(_MARK_BREACHED, {"now": now})).rowcount


# ---------------------------------------------------------------- receipts

_add_receipts = Copy(
    "receipt", "delivery_id, accepted, reasons, platform_at, received_at, reference"
)
_RECEIPT_SUBJECTS = text(
    """
    select distinct subject_id from delivery where id = any(cast(:ids as bigint[]))
      and destination = :destination
    """
)
_APPLY_RECEIPTS = text(
    f"""
    update delivery d set
        state = case when t.accepted then 'accepted' else 'rejected' end,
        accepted_at = case when t.accepted then coalesce(d.accepted_at, :now)
            else d.accepted_at end,
        platform_at = t.platform_at, reasons = t.reasons::jsonb,
        reference = coalesce(t.reference, d.reference)
    from {
        unnest("id bigint, accepted boolean, reasons text, platform_at timestamptz, reference text")
    }
    where d.id = t.id and d.destination = :destination
      and (d.state in ('submitted', 'accepted_blind')
           or (d.state = 'accepted' and not t.accepted)
           or (d.state = 'rejected' and t.accepted))
    returning d.id
    """  # noqa: S608  names are ours
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A receipt 回执 that has found its delivery."""

    delivery_id: int
    accepted: bool
    reasons: tuple[str, ...]
    platform_at: datetime
    reference: str | None


async def apply_receipts(
    connection: Connection, destination: str, answers: Sequence[Answer], now: datetime
) -> int:
    """Write receipts and move their deliveries; gives how many moved."""
    subjects = await connection.scalars(
        _RECEIPT_SUBJECTS,
        {"ids": [a.delivery_id for a in answers], "destination": destination},
    )
    await connection.execute(_LOCK, {"ids": sorted(subjects)})
    texts = [orjson.dumps(a.reasons).decode() if a.reasons else None for a in answers]
    await _add_receipts(
        connection,
        [
            (a.delivery_id, a.accepted, reasons, a.platform_at, now, a.reference)
            for a, reasons in zip(answers, texts, strict=True)
        ],
    )
    return await _move(connection, destination, answers, now)


async def _move(
    connection: Connection, destination: str, answers: Sequence[Answer], now: datetime
) -> int:
    """Move the deliveries that wait for these receipts; the last receipt of each counts."""
    latest = {
        a.delivery_id: (a, orjson.dumps(a.reasons).decode() if a.reasons else None) for a in answers
    }
    if not latest:
        return 0
    values: dict[str, Any] = {
        "id": list(latest),
        "accepted": [a.accepted for a, _ in latest.values()],
        "reasons": [reasons for _, reasons in latest.values()],
        "platform_at": [a.platform_at for a, _ in latest.values()],
        "reference": [a.reference for a, _ in latest.values()],
        "destination": destination,
        "now": now,
    }
    return len(list(await connection.scalars(_APPLY_RECEIPTS, values)))


_EARLY_RECEIPTS = text(
    """
    select distinct on (d.id) d.destination, d.id, r.accepted, r.reasons, r.platform_at, r.reference
    from receipt r join delivery d on d.id = r.delivery_id
    where d.id = any(cast(:ids as bigint[]))
      and (d.platform_at is null or r.platform_at > d.platform_at)
    order by d.id, r.platform_at desc, r.received_at desc
    """
)


async def _early_receipts(
    connection: Connection, finished: Sequence[Finish]
) -> dict[str, list[Answer]]:
    """Receipts that were read while their deliveries were still in flight, by destination.

    Those that have moved a delivery before left their time in its `platform_at`.
    """
    ids = [f.id for f in finished if f.state in {S.SUBMITTED, S.ACCEPTED_BLIND, S.REJECTED}]
    found: dict[str, list[Answer]] = {}
    for row in await connection.execute(_EARLY_RECEIPTS, {"ids": ids}) if ids else ():
        answer = Answer(row[1], row[2], tuple(row[3] or ()), row[4], row[5])
        found.setdefault(row[0], []).append(answer)
    return found


# ---------------------------------------------------------------- for people

_SHOW = """
    select d.id, d.item_kind, d.destination, d.verb, d.state, d.due_at, d.clock, d.provisional,
        d.attempts, d.next_at, d.breached_at, d.submitted_at, d.accepted_at, d.platform_at,
        d.reference, d.reasons, s.code as subject_code, s.name as subject_name, s.person,
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


async def listed(
    connection: Connection, state: str | None, destination: str | None, limit: int
) -> list[Mapping[str, Any]]:
    """Deliveries for people to look at, earliest due first."""
    values = {"state": state, "destination": destination, "limit": limit}
    return [dict(row._mapping) for row in await connection.execute(_LIST, values)]  # noqa: SLF001


async def shown(connection: Connection, id_: int) -> tuple[Mapping[str, Any], list[Any]] | None:
    """One delivery with its attempts."""
    rows = (await connection.execute(_ONE, {"id": id_, "limit": 1})).mappings().all()
    if not rows:
        return None
    attempts = (await connection.execute(_ATTEMPTS, {"id": id_})).mappings().all()
    return dict(rows[0]), [dict(attempt) for attempt in attempts]


_RETRYABLE = text(
    """
    select d.id, d.subject_id, d.chain_id, d.destination from delivery d
    where d.id = any(cast(:ids as bigint[])) and d.state in ('deferred', 'rejected', 'parked')
      and not exists (select from delivery later where later.chain_id = d.chain_id
          and later.destination = d.destination and later.id > d.id
          and later.item_kind = d.item_kind and later.state not in ('superseded', 'withdrawn'))
    """
)
_RETRY = text(
    """
    update delivery set state = 'ready', next_at = null
    where id = any(cast(:ids as bigint[])) and state in ('deferred', 'rejected', 'parked')
    returning id
    """
)


async def retry(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Make deferred, rejected or parked deliveries ready now, by a person's word.

    One that a later of its chain has overtaken stays: it would go out behind its successor.
    """
    rows = list(await connection.execute(_RETRYABLE, {"ids": list(ids)}))
    await connection.execute(_LOCK, {"ids": sorted({row.subject_id for row in rows})})
    again = [row.id for row in await connection.execute(_RETRYABLE, {"ids": list(ids)})]
    return set(await connection.scalars(_RETRY, {"ids": again}))


_OPEN_BY_HOURS = text(
    """
    with open as (select destination, state, due_at, due_at - :now as slack from delivery
        where state in ('held', 'waiting', 'ready', 'deferred', 'leased', 'unknown', 'submitted'))
    select t.name, coalesce(min(due_at), to_timestamp(0)),
        count(*) filter (where state = 'ready' and slack < -interval '10 minutes'),
        count(*) filter (where slack <= interval '0'),
        count(*) filter (where slack > interval '0' and slack <= interval '1 hour'),
        count(*) filter (where slack > interval '1 hour' and slack <= interval '8 hours'),
        count(*) filter (where slack > interval '8 hours' and slack <= interval '24 hours'),
        count(*) filter (where slack > interval '24 hours' and slack <= interval '72 hours'),
        count(*) filter (where slack > interval '72 hours')
    from destination t left join open on open.destination = t.name group by t.name
    """
)
_BUCKETS = ("overdue", "1", "8", "24", "72", "more")


@dataclass(frozen=True, slots=True)
class OpenCount:
    """The open deliveries of one destination, by hours to due."""

    destination: str
    oldest_due: datetime
    due_unclaimed: int
    buckets: Mapping[str, int]


async def open_by_hours(connection: Connection, now: datetime) -> list[OpenCount]:
    """Open deliveries of every destination; zeros where there are none."""
    rows = await connection.execute(_OPEN_BY_HOURS, {"now": now})
    return [
        OpenCount(row[0], row[1], row[2], dict(zip(_BUCKETS, row[3:], strict=True))) for row in rows
    ]


_PREDICTED = text(
    """
    select count(*) from (
        select due_at, row_number() over (order by due_at, id) as ahead from delivery
        where destination = :destination and state in ('ready', 'deferred', 'unknown', 'leased')
          and due_at > :now) d
    where d.due_at < cast(:now as timestamptz) + d.ahead * cast(:seconds as float8)
        * interval '1 second'
    """
)


async def predicted_breaches(
    connection: Connection, destination: str, now: datetime, seconds: float
) -> int:
    """Open deliveries not yet due whose turn comes too late at `seconds` for each before them."""
    values = {"destination": destination, "now": now, "seconds": seconds}
    return int(await connection.scalar(_PREDICTED, values) or 0)


_SILENT = text(
    """
    select count(*) from delivery where destination = :destination and state = 'submitted'
      and submitted_at < :before
    """
)


async def silent_receipts(connection: Connection, destination: str, before: datetime) -> int:
    """Deliveries handed over before a moment whose verdict is still outstanding."""
    values = {"destination": destination, "before": before}
    return int(await connection.scalar(_SILENT, values) or 0)


_OF_DECISIONS = text(
    """
    select d.chain_id, d.destination, d.id, d.verb, d.state, d.due_at, d.dues, d.submitted_at,
        d.accepted_at, d.platform_at, d.reasons, d.attempts, d.breached_at
    from delivery d where d.item_kind = 'record_version'
      and d.chain_id = any(cast(:ids as bigint[])) order by d.id
    """
)


async def of_decisions(connection: Connection, decision_ids: Sequence[int]) -> list[Any]:
    """All deliveries of these decisions, for ledger and reconciliation."""
    return list(await connection.execute(_OF_DECISIONS, {"ids": list(decision_ids)}))
