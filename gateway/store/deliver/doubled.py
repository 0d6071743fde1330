"""New deliveries that a destination would take for something else by its duplicate key 重复键."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, as_json, names, one_of, unnest
from schemas.codes import FOLLOW_UPS
from schemas.delivery import OF_A_PERSON, OVER, TO_COME
from schemas.destination import KeyPart

#: What `AskedKey` has of a key, in its order; every key has the document number.
ASKED_PARTS = (KeyPart.SUBJECT, KeyPart.SUBJECT_NAME, KeyPart.AUTHORITY, KeyPart.DECISION_DATE)


class AskedKey(NamedTuple):
    """Which parts a destination tells decisions apart by, besides the document number."""

    destination: str
    subject: bool
    subject_name: bool
    authority: bool
    decision_date: bool


class Doubled(NamedTuple):
    """A new delivery, and the other decision that its destination takes it for."""

    delivery_id: int
    destination: str
    number: str
    subject_name: str | None


class Rewritten(NamedTuple):
    """A new delivery of a correction: its kind, what the destination has, and what it gets."""

    delivery_id: int
    destination: str
    kind: str
    told: dict[str, Any]
    now: dict[str, Any]


_KEYS = (
    "destination text, subject boolean, subject_name boolean, authority boolean, "
    "decision_date boolean"
)
#: Batches that ask this come one after the other: each has to see what the others have decided.
_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended('duplicate_key', 0))")
#: Of a delivery `{h}`: the destination has the report, or will have it without a person.
_STANDS = f"""
    {{h}}.item_kind = 'record_version' and {{h}}.verb not in {one_of(FOLLOW_UPS)}
    and ({{h}}.maybe_arrived or {{h}}.state not in {one_of(OVER | OF_A_PERSON)})
"""
_NEW = f"""
    key as (select * from {unnest(_KEYS)}),
    new as (
        select d.*, told.id as told_id from delivery d join key using (destination)
        left join lateral (select h.item_id as id from delivery h
            where h.chain_id = d.chain_id and h.destination = d.destination and h.id < d.id
              and {_STANDS.format(h="h")} order by h.id desc limit 1) told on true
        where d.item_kind = 'record_version' and d.item_id = any(cast(:versions as bigint[]))
          and d.state in {one_of(TO_COME)} and d.verb not in {one_of(FOLLOW_UPS)})
"""
#: Of two in one batch the first one goes.
_DOUBLED = text(
    f"""
    with {_NEW}
    select distinct on (new.id) new.id, new.destination, coalesce(o.document_number, ''), os.name
    from new join key using (destination) join decision dec on dec.id = new.chain_id
    join subject s on s.id = dec.subject_id
    join decision o on o.number_key = dec.number_key and o.kind = dec.kind and o.id <> dec.id
    join subject os on os.id = o.subject_id
    where new.told_id is null
      and (not key.subject or o.subject_id = dec.subject_id)
      and (not key.subject_name or os.name = s.name)
      and (not key.authority or o.authority_id = dec.authority_id)
      and (not key.decision_date or o.decision_date = dec.decision_date)
      and exists (select from delivery h where h.chain_id = o.id
          and h.destination = new.destination and {_STANDS.format(h="h")}
          and (h.id < new.id or h.item_id <> all(cast(:versions as bigint[])))
          and not exists (select from delivery w where w.chain_id = o.id
              and w.destination = new.destination and w.verb = 'withdraw' and w.id > h.id
              and w.state not in {one_of(OVER | OF_A_PERSON)}))
    order by new.id, o.id
    """
)
_REWRITTEN = text(
    f"""
    with {_NEW}
    select new.id, new.destination, dec.kind, told.body, own.body
    from new join decision dec on dec.id = new.chain_id
    join record_version told on told.id = new.told_id
    join record_version own on own.id = new.item_id
    order by new.id
    """
)
_PARKED = "id bigint, reasons jsonb"
_PARK_DOUBLED = text(
    f"""
    update delivery d set state = 'parked', reasons = t.reasons from {unnest(_PARKED)}
    where d.id = t.id and d.state in {one_of(TO_COME)}
    """
)


async def doubled(
    connection: Connection, keys: Sequence[AskedKey], versions: Sequence[int]
) -> list[Doubled]:
    """Return the deliveries of new versions that a destination takes for another decision's.

    Those of their batch are written already, and no other batch decides at the same time.
    """
    await connection.execute(_ONE_AT_A_TIME)
    rows = await connection.execute(_DOUBLED, _values(keys, versions))
    return [Doubled(*row) for row in rows]


async def rewritten(
    connection: Connection, keys: Sequence[AskedKey], versions: Sequence[int]
) -> list[Rewritten]:
    """Return the deliveries of versions of which the destinations have an earlier one."""
    rows = await connection.execute(_REWRITTEN, _values(keys, versions))
    return [Rewritten(*row) for row in rows]


async def park(connection: Connection, reasons: Sequence[tuple[int, str]]) -> None:
    """Park deliveries, each with its reason."""
    rows = [(id_, as_json([words])) for id_, words in reasons]
    await connection.execute(_PARK_DOUBLED, arrays(names(_PARKED), rows))


def _values(keys: Sequence[AskedKey], versions: Sequence[int]) -> dict[str, Any]:
    return {**arrays(names(_KEYS), keys), "versions": list(versions)}
