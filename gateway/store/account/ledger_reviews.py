"""What became of a month after its ledger was frozen 冻结后的变动."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from schemas.kinds import KINDS


@dataclass(frozen=True, slots=True)
class LedgerReview:
    """How a frozen version compared with its month on a day.

    `seen` says what the month was made of; `changed`, in Chinese, what differs: None, nothing.
    """

    month: str
    version: int
    reviewed_on: date
    seen: str
    changed: str | None


_SAVE = text(
    """
    insert into ledger_review (month, version, reviewed_on, seen, changed)
    values (:month, :version, :reviewed_on, :seen, :changed)
    on conflict (month) do update set version = excluded.version,
        reviewed_on = excluded.reviewed_on, seen = excluded.seen, changed = excluded.changed
    """
)
_OF = text(
    """
    select month, version, reviewed_on, seen, changed from ledger_review
    where month = any(cast(:months as text[]))
    """
)
#: Sums do not depend on the order. A decision that came or went changes them by its own rows.
_SEEN = text(
    """
    with span as (
        select d.id, d.version_id, d.verb, d.excluded, d.decision_date from decision d
        where d.kind = any(cast(:kinds as text[]))
            and d.decision_date >= :first and d.decision_date < :end)
    select concat_ws('/',
        (select concat_ws('/', count(*), sum(hashtextextended(s::text, 0))) from span s),
        (select concat_ws('/', count(*), sum(hashtextextended(concat_ws('|', x.id, x.destination,
                x.verb, x.state, x.dues, x.submitted_at, x.accepted_at, x.platform_at, x.reasons),
                0)))
            from span s join delivery x on x.chain_id = s.id and x.item_kind = 'record_version'),
        (select concat_ws('/', count(*), max(e.id)) from evidence e where e.about = 'delivery'),
        (select sum(hashtextextended(o::text, 0)) from outage o
            where o.until is null or o.until >= :start))
    """
)


async def save(connection: Connection, review: LedgerReview) -> None:
    """Keep how a month was found, instead of how it was found before."""
    await connection.execute(_SAVE, asdict(review))


async def of(connection: Connection, months: Sequence[str]) -> dict[str, LedgerReview]:
    """Return how these months were found, those that were looked at."""
    rows = await connection.execute(_OF, {"months": list(months)})
    return {row.month: LedgerReview(*row) for row in rows}


async def seen(connection: Connection, first: date, end: date, start: datetime) -> str:
    """Return what the decisions of a span are made of, which is much cheaper than their ledger.

    It says nothing of what changes by time alone. `start` is the first moment of the span.
    """
    values = {"first": first, "end": end, "start": start, "kinds": KINDS.in_order}
    return str(await connection.scalar(_SEEN, values))
