"""What the ledger 台账 reads of a month, and its frozen versions, which are never changed."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import attrgetter
from typing import Any

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from schemas.kinds import KINDS

_KEEP_MONTHS = text("lock table attempt in access share mode")


async def keep_months(connection: Connection) -> None:
    """Keep months from being dropped until the end of the transaction.

    Call it first in a snapshot: the lock comes before the moment that it sees.
    """
    await connection.execute(_KEEP_MONTHS)


# ---------------------------------------------------------------- the month

#: A delivery that was rejected at once has been handed over: at the end of that attempt, also if
#: it was sent again later. `least` leaves out what is null.
_MONTH = text(
    """
    select d.id, d.kind, d.document_number, a.name as authority, s.code as subject_code,
        s.name as subject_name, s.person, d.decision_date, d.excluded, d.verb as decision_verb,
        case when d.verb = 'withdraw' then v.recorded_at end as withdrawn_at,
        f.recorded_at as arrived_at,
        coalesce(f.body->>'CF_XDR_LB', f.body->>'XK_XDR_LB') as category,
        f.body->>'CF_CFLB' as penalty_kinds,
        v.body->>'CF_NR_FK' as fine, v.body->>'CF_NR_WFFF' as confiscated,
        (select count(*) from jsonb_array_elements(f.problems) p where p->>'rule' = 'required')
            as lacking,
        x.id as delivery_id, x.destination, x.verb, x.state, x.dues::text as dues, x.attempts,
        x.created_at, x.first_tried_at, i.verdict,
        case when x.first_tried_at is null then array(select json_object_keys(i.body)) end as given,
        case when x.first_tried_at is null then array(
            select p->>'field' from jsonb_array_elements(i.problems) p) end as faulty,
        cast(coalesce(i.body->>'CF_JDRQ', i.body->>'XK_JDRQ') as date) as version_day,
        least(x.submitted_at, r.at) as handed_over_at, least(r.at, t.at) as rejected_at,
        case when x.state = 'accepted' then coalesce(x.platform_at, x.accepted_at) end
            as accepted_at, x.reasons
    from decision d
    join subject s on s.id = d.subject_id
    join authority a on a.id = d.authority_id
    join record_version v on v.id = d.version_id
    join record_version f on f.decision_id = d.id and f.version = 1
    left join delivery x on x.chain_id = d.id and x.item_kind = 'record_version'
    left join record_version i on i.id = x.item_id
    left join lateral (select min(a.finished_at) as at from attempt a
        where a.delivery_id = x.id and a.outcome = 'rejected') r on x.first_tried_at is not null
    left join lateral (select min(p.platform_at) as at from receipt p
        where p.delivery_id = x.id and not p.accepted) t on x.submitted_at is not null
    where d.kind = any(cast(:kinds as text[]))
      and d.decision_date >= :first and d.decision_date < :end
    order by array_position(cast(:kinds as text[]), d.kind), d.decision_date, d.id, x.id
    """
)
_GRADE_CHANGES = text(
    """
    select g.number, s.code, s.name, s.person, g.from_grade, g.to_grade, g.recorded_at
    from grade_change g join subject s on s.id = g.subject_id
    where g.recorded_at >= :start and g.recorded_at < :end order by g.id
    """
)
#: Rows that are in memory at a time.
_SLICE = 2000


async def month_decisions(
    connection: Connection, first: date, end: date
) -> AsyncIterator[list[list[Any]]]:
    """Yield slices of the decisions of a span of dates, in the order of the ledger.

    A decision is a list of rows, one for each of its deliveries in the order of their ids, or one
    without a `destination`; each has the columns of the decision too.
    """
    values = {"first": first, "end": end, "kinds": KINDS.in_order}
    found = await connection.stream(_MONTH, values)
    rest: list[Any] = []
    async for part in found.partitions(_SLICE):
        decisions = [list(rows) for _, rows in groupby([*rest, *part], key=attrgetter("id"))]
        rest = decisions.pop()  # the next part may go on with it
        yield decisions
    if rest:
        yield [rest]


async def grade_changes(
    connection: Connection, start: datetime, end: datetime
) -> AsyncIterator[Sequence[Any]]:
    """Yield slices of the grade changes recorded in a span of time."""
    found = await connection.stream(_GRADE_CHANGES, {"start": start, "end": end})
    async for part in found.partitions(_SLICE):
        yield part


# ---------------------------------------------------------------- frozen versions


@dataclass(frozen=True, slots=True)
class Frozen:
    """One frozen version of a month's ledger, without its workbook."""

    month: str
    version: int
    hash: str
    reason: str
    recorded_at: datetime
    figures: Mapping[str, Any]
    signature: str | None = None  #: None: frozen by a release that did not sign

    @property
    def figures_sha256(self) -> str:
        """The SHA-256 of the figures, the same before they are stored and after."""
        plain = orjson.loads(orjson.dumps(self.figures))
        return hashlib.sha256(orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)).hexdigest()


#: Another freeze of the month may take minutes, which is no outage.
_PATIENT = text("set local lock_timeout = '5min'")
_LOCK = text("select pg_advisory_xact_lock(hashtext('credit-gateway/ledger/' || :month))")
_VERSIONS = text(
    """
    select month, version, hash, reason, recorded_at, figures, signature from ledger
    where month = :month order by version desc
    """
)
_NEWEST = text(
    """
    select distinct on (month) month, version, hash, reason, recorded_at, figures, signature
    from ledger where month = any(cast(:months as text[])) order by month, version desc
    """
)
_SAVE = text(
    """
    insert into ledger
        (month, version, hash, figures, workbook, rows, reason, recorded_at, signature)
    values (:month, :version, :hash, cast(:figures as jsonb), :workbook, :rows, :reason,
        :recorded_at, :signature)
    """
)
_WORKBOOK = text("select workbook from ledger where month = :month and version = :version")
_ROWS = text("select rows from ledger where month = :month and version = :version")


async def lock_month(connection: Connection, month: str) -> None:
    """Lock a month until the end of the transaction, so that one process at a time freezes it."""
    await connection.execute(_PATIENT)
    await connection.execute(_LOCK, {"month": month})


async def versions(connection: Connection, month: str) -> list[Frozen]:
    """Return every frozen version of a month, the newest first."""
    return [Frozen(*row) for row in await connection.execute(_VERSIONS, {"month": month})]


async def newest(connection: Connection, months: Sequence[str]) -> dict[str, Frozen]:
    """Return the newest frozen version of each of these months that has one."""
    rows = await connection.execute(_NEWEST, {"months": list(months)})
    return {row.month: Frozen(*row) for row in rows}


async def save(connection: Connection, frozen: Frozen, workbook: bytes, rows: bytes) -> None:
    """Write one version with its workbook, and with its rows as Parquet."""
    await connection.execute(
        _SAVE,
        {
            "month": frozen.month,
            "version": frozen.version,
            "hash": frozen.hash,
            "figures": orjson.dumps(frozen.figures).decode(),
            "workbook": workbook,
            "rows": rows,
            "signature": frozen.signature,
            "reason": frozen.reason,
            "recorded_at": frozen.recorded_at,
        },
    )


async def workbook(connection: Connection, month: str, version: int) -> bytes | None:
    """Return the workbook of one version, byte for byte as frozen; None if there is none."""
    found = await connection.scalar(_WORKBOOK, {"month": month, "version": version})
    return None if found is None else bytes(found)


async def frozen_rows(connection: Connection, month: str, version: int) -> bytes | None:
    """Return the rows of one version as Parquet; None if it was frozen without."""
    found = await connection.scalar(_ROWS, {"month": month, "version": version})
    return None if found is None else bytes(found)
