"""New deliveries that a destination would take for something else by its duplicate key 重复键."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.held_back import HELD_BACK
from gateway.store.base.statements import arrays, as_json, names, one_of, unnest
from schemas.codes import FOLLOW_UPS
from schemas.delivery import HANDED_OVER, OF_A_PERSON, OVER, TO_COME, DeliveryState
from schemas.destination import KeyPart

#: What `AskedKey` has of a key, in its order; every key has the document number.
ASKED_PARTS = (KeyPart.SUBJECT, KeyPart.SUBJECT_NAME, KeyPart.AUTHORITY, KeyPart.DECISION_DATE)


class AskedKey(NamedTuple):
    """Which parts a destination tells decisions of a kind apart by, besides the document number.

    `name_column` is the wire column of the subject's name in records of the kind.
    """

    destination: str
    kind: str
    name_column: str
    subject: bool
    subject_name: bool
    authority: bool
    decision_date: bool


class Doubled(NamedTuple):
    """A new delivery, and the other decision that its destination takes it for."""

    delivery_id: int
    destination: str
    kind: str
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
    "destination text, kind text, name_column text, subject boolean, subject_name boolean, "
    "authority boolean, decision_date boolean"
)
#: Batches that ask for the same part of all numbers come one after the other: each has to see what
#: the others have decided.
_BUCKETS = 256
_ALONE = text(
    f"""
    select pg_advisory_xact_lock({0x4B45}, bucket) from (
        select distinct abs(hashtext(dec.number_key) % {_BUCKETS}) as bucket
        from delivery d join decision dec on dec.id = d.chain_id
        where d.item_kind = 'record_version' and d.item_id = any(cast(:versions as bigint[]))
          and d.destination = any(cast(:destination as text[]))
        order by bucket) as asked
    """
)
_REPORT = f"{{h}}.item_kind = 'record_version' and {{h}}.verb not in {one_of(FOLLOW_UPS)}"
#: Of a report `{h}`: the destination has it, or will have it without a person, and no withdrawal.
_STANDS = f"""
    {_REPORT}
    and ({{h}}.maybe_arrived or {{h}}.state not in {one_of(OVER | OF_A_PERSON)})
    and not exists (select from delivery w where w.chain_id = {{h}}.chain_id
        and w.destination = {{h}}.destination and w.verb = 'withdraw' and w.id > {{h}}.id
        and w.state in {one_of(HANDED_OVER)})
"""
#: As people compare names: without regard to width, blanks and brackets.
_SAME_NAME = "upper(regexp_replace(normalize({name}, NFKC), '\\s', '', 'g'))"
#: The reports of these versions that would go, or wait for a person for another reason; of their
#: keys what the destination looks at, with nulls for the rest.
_NEW = f"""
    key as (select * from {unnest(_KEYS)}),
    new as (
        select d.id, d.destination, d.chain_id, d.item_id, dec.kind, dec.number_key, told.id
                as told_id,
            case when key.subject then dec.subject_id end as subject_id,
            case when key.authority then dec.authority_id end as authority_id,
            case when key.decision_date then dec.decision_date end as day,
            case when key.subject_name
                then {_SAME_NAME.format(name="v.body->>key.name_column")} end as name
        from delivery d join decision dec on dec.id = d.chain_id
        join key on key.destination = d.destination and key.kind = dec.kind
        join record_version v on v.id = d.item_id
        left join lateral (select h.item_id as id from delivery h
            where h.chain_id = d.chain_id and h.destination = d.destination and h.id < d.id
              and {_STANDS.format(h="h")} order by h.id desc limit 1) told on true
        where d.item_id = any(cast(:versions as bigint[])) and {_REPORT.format(h="d")}
          and (cast(:only as bigint[]) is null or d.id = any(cast(:only as bigint[])))
          and (d.state in {one_of(TO_COME)}
              or ({HELD_BACK} and jsonb_array_length(d.reasons) = 1)))
"""
#: Of those that are one to a destination the first goes, and first of all one of an earlier batch:
#: that may be on its way already. They are looked for once for all that are one.
_DOUBLED = text(
    f"""
    with {_NEW},
    asked as materialized (
        select distinct destination, kind, number_key, subject_id, authority_id, day, name
        from new where told_id is null),
    first as materialized (
        select asked.*, one.chain_id, one.number, one.subject_name
        from asked join key using (destination, kind) cross join lateral (
            select o.id as chain_id, coalesce(o.document_number, '') as number,
                s.name as subject_name
            from decision o join subject s on s.id = o.subject_id
            join record_version v on v.id = o.version_id
            join lateral (select h.id, h.item_id from delivery h
                where h.chain_id = o.id and h.destination = asked.destination
                  and {_STANDS.format(h="h")} order by h.id limit 1) h on true
            where o.number_key = asked.number_key and o.kind = asked.kind
              and (asked.subject_id is null or o.subject_id = asked.subject_id)
              and (asked.authority_id is null or o.authority_id = asked.authority_id)
              and (asked.day is null or o.decision_date = asked.day)
              and (asked.name is null or asked.name
                  = {_SAME_NAME.format(name="v.body->>key.name_column")})
            order by h.item_id = any(cast(:versions as bigint[])), h.id limit 1) one)
    select new.id, new.destination, new.kind, first.number, first.subject_name
    from new join first on first.destination = new.destination and first.kind = new.kind
        and first.number_key = new.number_key
        and first.subject_id is not distinct from new.subject_id
        and first.authority_id is not distinct from new.authority_id
        and first.day is not distinct from new.day and first.name is not distinct from new.name
    where new.told_id is null and first.chain_id <> new.chain_id
    order by new.id
    """
)
_REWRITTEN = text(
    f"""
    with {_NEW}
    select new.id, new.destination, new.kind, told.body, own.body
    from new join record_version told on told.id = new.told_id
    join record_version own on own.id = new.item_id
    order by new.id
    """
)
_PARKED = "id bigint, reasons jsonb"
_PARK_DOUBLED = text(
    f"""
    update delivery d set state = 'parked',
        reasons = case when d.state = 'parked' then coalesce(d.reasons, '[]') || t.reasons
            else t.reasons end
    from {unnest(_PARKED)}
    where d.id = t.id and d.state in {one_of(TO_COME | {DeliveryState.PARKED})}
    """
)


async def doubled(
    connection: Connection,
    keys: Sequence[AskedKey],
    versions: Sequence[int],
    only: Sequence[int] | None = None,
) -> list[Doubled]:
    """Return the deliveries of new versions that a destination takes for another decision's.

    Those of their batch are written already, and no other batch decides on these numbers now.
    `only` these deliveries of the versions are looked at.
    """
    values = _values(keys, versions, only)
    await connection.execute(_ALONE, values)
    rows = await connection.execute(_DOUBLED, values)
    return [Doubled(*row) for row in rows]


async def rewritten(
    connection: Connection,
    keys: Sequence[AskedKey],
    versions: Sequence[int],
    only: Sequence[int] | None = None,
) -> list[Rewritten]:
    """Return the deliveries of versions of which the destinations have an earlier one."""
    rows = await connection.execute(_REWRITTEN, _values(keys, versions, only))
    return [Rewritten(*row) for row in rows]


async def park(connection: Connection, reasons: Sequence[tuple[int, str]]) -> None:
    """Park deliveries, each with its reason, which is added to that of one that waits already."""
    rows = [(id_, as_json([words])) for id_, words in reasons]
    await connection.execute(_PARK_DOUBLED, arrays(names(_PARKED), rows))


def _values(
    keys: Sequence[AskedKey], versions: Sequence[int], only: Sequence[int] | None
) -> dict[str, Any]:
    named = {"versions": list(versions), "only": None if only is None else list(only)}
    return {**arrays(names(_KEYS), keys), **named}
