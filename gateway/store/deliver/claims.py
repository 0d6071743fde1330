"""Claim deliveries under a lease; `ends` has how it ends.

Leases run on the clock of the database; due and retry times are parameters.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from schemas.delivery import HANDED_OVER, Claimed

#: Deliveries never tried have a share of each claim: many retries, all due earlier, would starve
#: them. So would those that are overdue, such as a year that is reported afterwards: while others
#: wait that can be in time they have no more than a share, in which new and tried ones alternate.
#: New ones and tried ones have their own index each, which is read in the order of due times.
_HEADS = """
        select id, due_at, row_number() over (order by due_at, id) as place from (
            select id, due_at from delivery
            where destination = :destination and state = 'ready' and attempts {attempts}
              and due_at {when} :now{behind}
            order by due_at, id limit :limit for update skip locked) as first
"""
_TIMELY = " and (due_at, id) > (:timely_at, :timely_id)"
_OVERDUE = " and (due_at, id) > (:overdue_at, :overdue_id)"
_PICK_READY = f"""
    with timely as ({_HEADS.format(attempts="= 0", when=">", behind=_TIMELY)}),
    tried as ({_HEADS.format(attempts="> 0", when=">", behind="")}),
    overdue as ({_HEADS.format(attempts="= 0", when="<=", behind=_OVERDUE)}),
    overdue_tried as ({_HEADS.format(attempts="> 0", when="<=", behind="")}),
    late as (
        select id, due_at, row_number() over (order by place, due_at, id) as place
        from (select * from overdue union all select * from overdue_tried) as every),
    heads as (
        select id, due_at, case when place <= :fresh then 0 else 1 end as turn from timely
        union all select id, due_at, 1 from tried
        union all select id, due_at, case when place <= :backfill then 0 else 2 end from late)
    select id from heads order by turn, due_at, id limit :limit
"""
#: One of those that have waited longest, so that every one has its turn: the earliest due may be
#: refused for ever, and would then be every probe of a breaker.
_PICK_PROBE = """
    select id from delivery where destination = :destination and state = 'ready'
    order by coalesce(next_at, created_at), due_at, id limit :limit for update skip locked
"""
_PICK_UNKNOWN = """
    select id from delivery where destination = :destination and state = 'unknown'
      and (next_at <= :now or next_at > greatest(due_at, :latest))
      and (look_after is null or look_after <= clock_timestamp())
    order by next_at limit :limit for update skip locked
"""
#: Earlier deliveries of a decision that an item names, the latest ones.
MOST_EARLIER = 100
#: Deliveries `leased` with all that their items need.
#: A decision that became secret is withdrawn with what the destination has, whatever else is said
#: of it then or later: its content must not leave. What it has for certain comes before what it
#: may have.
WITH_CONTENT = f"""
    select l.*, cast(:token as text), cast(:look as boolean),
        exists (select from delivery h where h.chain_id = l.chain_id
            and h.destination = l.destination and h.id < l.id
            and (l.verb <> 'withdraw' or h.verb <> 'withdraw')
            and (h.maybe_arrived or h.state in {{handed_over}})) as holds,
        coalesce(dec.kind, 'grade_change'), coalesce(own.version, 1), s.code, s.person, s.name,
        dec.document_number, dec.decision_date, coalesce(v.body, g.body::json),
        coalesce(v.secret, own.secret),
        case when v.secret is null then own.key_version else v.key_version end,
        coalesce(own.recorded_at, g.recorded_at), g.number,
        dec.excluded is not null,
        array(select h.id from delivery h where h.chain_id = l.chain_id
            and h.destination = l.destination and h.id < l.id and h.attempts > 0
            and l.item_kind = 'record_version' order by h.id desc limit {MOST_EARLIER})
    from leased l
    join subject s on s.id = l.subject_id
    left join record_version own on l.item_kind = 'record_version' and own.id = l.item_id
    left join lateral (select h.item_id as id from delivery h where l.verb = 'withdraw'
        and h.verb <> 'withdraw' and h.chain_id = l.chain_id and h.destination = l.destination
        and h.id < l.id and (h.maybe_arrived or h.state in {{handed_over}})
        and (own.verb <> 'withdraw' or exists (select from record_version x
            where x.decision_id = own.decision_id and x.id > h.item_id
              and x.excluded is not null))
        order by h.state in {{handed_over}} desc, h.id desc limit 1) told on true
    left join record_version v on v.id = coalesce(told.id, own.id)
    left join decision dec on dec.id = own.decision_id
    left join grade_change g on l.item_kind = 'grade_change' and g.id = l.item_id
    order by l.due_at, l.id
"""
_CLAIM = (
    """
    with picked as ({pick}),
    leased as (
        update delivery d set state = 'leased', lease_token = :token, attempts = d.attempts + 1,
            lease_until = clock_timestamp() + cast(:lease as interval),
            first_tried_at = coalesce(d.first_tried_at, :now)
        from picked where d.id = picked.id
        returning d.id, d.item_kind, d.item_id, d.subject_id, d.chain_id, d.destination, d.verb,
            d.attempts, d.due_at, d.maybe_arrived),
    opened as (
        insert into attempt (delivery_id, lease_token, started_at, act)
        select id, :token, :now, :act from leased)
    """
    + WITH_CONTENT
)
_CLAIM_READY = text(_CLAIM.format(pick=_PICK_READY, handed_over=one_of(HANDED_OVER)))
_CLAIM_PROBE = text(_CLAIM.format(pick=_PICK_PROBE, handed_over=one_of(HANDED_OVER)))
_CLAIM_UNKNOWN = text(_CLAIM.format(pick=_PICK_UNKNOWN, handed_over=one_of(HANDED_OVER)))
#: More than any claim has.
MOST = 10**9
Front = tuple[datetime, int]
#: Before every delivery: (due time, id).
FIRST: Front = (datetime(1, 1, 2, tzinfo=UTC), 0)


class Fronts(NamedTuple):
    """Behind which due time and id new deliveries are looked for, before and after now."""

    timely: Front = FIRST
    overdue: Front = FIRST

    def behind(self, claimed: Iterable[Claimed], now: datetime) -> "Fronts":
        """Return the fronts behind what was claimed for the first time."""
        first = [(one.due_at, one.id) for one in claimed if one.attempts == 1]
        timely = [one for one in first if one[0] > now]
        overdue = [one for one in first if one[0] <= now]
        return Fronts(max(timely, default=self.timely), max(overdue, default=self.overdue))


FROM_THE_FIRST = Fronts()
#: An upper bound for the wait before any retry after the due time.
LONGEST_WAIT = timedelta(days=60)


async def claim(  # noqa: PLR0913  the parts of a lease
    connection: Connection,
    destination: str,
    *,
    limit: int,
    token: str,
    lease: timedelta,
    now: datetime,
    look: bool = False,
    act: str = "send",
    probe: bool = False,
    fresh: int = 0,
    backfill: int = MOST,
    fronts: Fronts = FROM_THE_FIRST,
    longest: timedelta = LONGEST_WAIT,
) -> list[Claimed]:
    """Lease up to `limit` ready deliveries, earliest due first, and open their attempts.

    `fresh` of the places go first to the earliest due that were never tried and can be in time,
    and `backfill` to those that were overdue before (all of them, unless told); others go last.
    Of both only those behind their front are looked at. With `look` it leases deliveries with
    an unknown outcome instead, to ask or to send again as `act` says, once their settle time is
    over; a time beyond the due time and the `longest` wait is of a clock that was wrong. For a
    `probe` those come first that have waited longest. It is one statement and skips rows that
    others lock; the lease counts once the caller commits.
    """
    values = {
        "destination": destination,
        "limit": limit,
        "token": token,
        "lease": lease,
        "now": now,
        "act": act,
        "look": look,
    }
    if look:
        statement = _CLAIM_UNKNOWN
        values["latest"] = now + longest
    elif probe:
        statement = _CLAIM_PROBE
    else:
        statement = _CLAIM_READY
        values |= {"fresh": min(fresh, limit), "backfill": min(backfill, limit)}
        values["timely_at"], values["timely_id"] = fronts.timely
        values["overdue_at"], values["overdue_id"] = fronts.overdue
    return [Claimed(*row) for row in await connection.execute(statement, values)]


_PROMOTE_DEFERRED = text(
    """
    update delivery set state = 'ready' where id in (
        select id from delivery where destination = :destination and state = 'deferred'
          and (next_at <= :now or next_at > greatest(due_at, :latest))
        order by next_at limit :limit for update skip locked)
    """
)


async def promote_deferred(
    connection: Connection,
    destination: str,
    now: datetime,
    longest: timedelta = LONGEST_WAIT,
    limit: int = 1000,
) -> int:
    """Make deferred deliveries ready whose time has come; return how many.

    A time beyond the due time and beyond the longest wait is of a clock that was wrong.
    """
    values = {"destination": destination, "now": now, "latest": now + longest, "limit": limit}
    return (await connection.execute(_PROMOTE_DEFERRED, values)).rowcount
