"""Rule sets in use 评价办法启用: diffs against the population, and activations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection

#: One process at a time adopts, proposes or decides; the lock ends with its transaction.
_LOCK = 726_180_003
#: Shared by transactions that score; alone for the one that starts an activation.
_SCORING_LOCK = 726_180_004


@dataclass(frozen=True, slots=True)
class Diff:
    """The effect of a new text on the grades of a population."""

    id: int
    as_of: date
    population: int
    flips: int
    made_by: str
    made_at: datetime


_ADD_DIFF = text(
    """
    insert into rule_set_diff
        (id, old_hash, new_hash, as_of, population, flips, totals, made_by, made_at)
    values (nextval('gateway_id'), :old_hash, :new_hash, :as_of, :population, :flips,
        cast(:totals as jsonb), :made_by, :made_at)
    """
)
_LATEST_DIFF = text(
    """
    select id, as_of, population, flips, made_by, made_at from rule_set_diff
    where old_hash = :old and new_hash = :new order by made_at desc, id desc limit 1
    """
)


async def add_diff(connection: Connection, values: Mapping[str, Any]) -> None:
    """Store the result of a diff: `values` are the columns of `rule_set_diff` without its id."""
    totals = orjson.dumps(values["totals"]).decode()
    await connection.execute(_ADD_DIFF, {**values, "totals": totals})


async def latest_diff(connection: Connection, old_hash: str, new_hash: str) -> Diff | None:
    """Return the newest diff between two texts; None if there is none."""
    rows = await connection.execute(_LATEST_DIFF, {"old": old_hash, "new": new_hash})
    row = rows.first()
    return None if row is None else Diff(*row)


@dataclass(frozen=True, slots=True)
class Activation:
    """A text that is to score the subjects bound to `bound`, and the progress of its activation."""

    id: int
    bound: str
    name: str
    hash: str
    from_day: date
    population: int
    flip_limit: int
    flips: int
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    confirmed_by: str | None
    withdrawn_at: datetime | None
    rescored_to: int
    changed: int
    paused_at: datetime | None
    finished_at: datetime | None
    started_at: datetime | None


_COLUMNS = ", ".join(Activation.__dataclass_fields__)
_ADOPT = text(
    """
    insert into rule_set_activation (id, bound, name, hash, from_day, population, flip_limit,
        flips, proposed_by, proposed_at, approved_by, approved_at, finished_at, started_at)
    select nextval('gateway_id'), :name, :name, :hash, '0001-01-01', 0, 0, 0, :actor, :now,
        :actor, :now, :now, :now
    where not exists (select from rule_set_activation where bound = :name)
    """
)
_PROPOSE = text(
    """
    insert into rule_set_activation (id, bound, name, hash, from_day, diff_id, population,
        flip_limit, flips, proposed_by, proposed_at)
    values (nextval('gateway_id'), :bound, :name, :hash, :from_day, :diff_id, :population,
        :flip_limit, :flips, :actor, :now)
    returning id
    """
)
#: May score: approved, confirmed if too many grades change, neither withdrawn nor paused.
_RELEASED = (
    "withdrawn_at is null and paused_at is null and approved_at is not null "
    "and (flips <= flip_limit or confirmed_at is not null)"
)
_IN_FORCE = text(
    f"select bound, from_day, hash from rule_set_activation where {_RELEASED} "
    "and started_at is not null order by from_day desc, id desc"
)
_OPEN = text(
    f"select {_COLUMNS} from rule_set_activation "
    "where finished_at is null and withdrawn_at is null order by from_day, id"
)
_HISTORY = text(f"select {_COLUMNS} from rule_set_activation order by id")
_DUE = text(
    f"select {_COLUMNS} from rule_set_activation where {_RELEASED} "
    "and finished_at is null and from_day <= :today "
    "order by from_day, id limit 1 for update skip locked"
)


_SHARE_SCORING = text("select pg_advisory_xact_lock_shared(:lock)")


async def lock(connection: Connection) -> None:
    """Lock activations until the end of the transaction: one process at a time changes them."""
    await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


async def share_scoring(connection: Connection) -> None:
    """Take the shared lock of scoring: no activation starts until this transaction ends."""
    await connection.execute(_SHARE_SCORING, {"lock": _SCORING_LOCK})


async def start(connection: Connection, id_: int, actor: str, now: datetime) -> None:
    """Start an activation: from its commit on, its text scores in the whole database.

    It waits for the transactions that score by the text before, so that all their subjects can be
    seen and scored again.
    """
    await outlast_scoring(connection)
    await mark(connection, id_, "started", actor, now)


async def outlast_scoring(connection: Connection) -> None:
    """Wait for the transactions that score, and keep others from beginning until ours ends."""
    await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _SCORING_LOCK})


async def adopt(connection: Connection, name: str, hash_: str, actor: str, now: datetime) -> None:
    """Activate the first text of a bound rule set from the start; does nothing for later texts."""
    values = {"name": name, "hash": hash_, "actor": actor, "now": now}
    await connection.execute(_ADOPT, values)


async def propose(connection: Connection, values: Mapping[str, Any]) -> int:
    """Write a proposal; return its id."""
    id_: int = await connection.scalar(_PROPOSE, values)
    return id_


async def in_force(connection: Connection) -> list[tuple[str, date, str]]:
    """Return started activations (bound rule set, from day, text hash), the latest day first."""
    return [(row[0], row[1], row[2]) for row in await connection.execute(_IN_FORCE)]


async def open_activations(connection: Connection) -> list[Activation]:
    """Return proposals and activations that are neither finished nor withdrawn."""
    return [Activation(*row) for row in await connection.execute(_OPEN)]


async def history(connection: Connection) -> list[Activation]:
    """Return every activation in the order of proposal."""
    return [Activation(*row) for row in await connection.execute(_HISTORY)]


async def due(connection: Connection, today: date) -> Activation | None:
    """Lock and return the first released activation that still has subjects to score; or None."""
    row = (await connection.execute(_DUE, {"today": today})).first()
    return None if row is None else Activation(*row)


_MARKS = {
    "approved": "approved_by = :actor, approved_at = :now",
    # subjects scored during the pause may have used the old text, so that it starts again
    "confirmed": "confirmed_by = :actor, confirmed_at = :now, paused_at = null, rescored_to = 0, "
    "started_at = null",
    "started": "started_at = :now",
    "withdrawn": "withdrawn_at = :now",
    "paused": "paused_at = coalesce(paused_at, :now)",
    "finished": "finished_at = :now",
}


async def mark(connection: Connection, id_: int, what: str, actor: str, now: datetime) -> None:
    """Mark an activation: `what` is a key of `_MARKS`."""
    statement = f"update rule_set_activation set {_MARKS[what]} where id = :id"
    await connection.execute(text(statement), {"id": id_, "actor": actor, "now": now})


_ROLL_BACK = text(
    """
    insert into rule_set_activation (id, bound, name, hash, from_day, population, flip_limit,
        flips, proposed_by, proposed_at, approved_by, approved_at)
    select nextval('gateway_id'), :bound, r.name, :hash, :from_day, :population, :population, 0,
        :actor, :now, :actor, :now
    from rule_set_version r where r.hash = :hash
    """
)


async def roll_back(connection: Connection, values: Mapping[str, Any]) -> None:
    """Activate an earlier text again, approved at once: all its subjects are scored by it."""
    await connection.execute(_ROLL_BACK, values)


_SCORED_HERE = text(
    """
    select exists (
        select from assessment a join subject s on s.id = a.subject_id
        where a.rule_set_hash is not null and a.subject_kind = any(cast(:kinds as text[]))
          and exists (select from unnest(cast(:regions as text[])) as r(prefix)
              where starts_with(substr(s.code, 3, 6), r.prefix)))
    """
)


async def adopted(connection: Connection) -> set[str]:
    """Return the bound rule sets that have any activation."""
    return set(await connection.scalars(text("select distinct bound from rule_set_activation")))


async def scored_already(
    connection: Connection, kinds: Sequence[str], regions: Sequence[str]
) -> bool:
    """Whether any subject of these kinds and regions was ever scored by a rule set."""
    values = {"kinds": list(kinds), "regions": list(regions)}
    return bool(await connection.scalar(_SCORED_HERE, values))


_SLICE = text(
    """
    select s.id, s.code, s.person, a.subject_kind from subject s
    cross join lateral (select subject_kind from assessment a where a.subject_id = s.id
        order by a.id desc limit 1) a
    where s.id > :after order by s.id limit :limit
    """
)
_ADVANCE = text(
    """
    update rule_set_activation set rescored_to = :to, changed = changed + :changed where id = :id
    """
)


class AssessedSubject(NamedTuple):
    """A subject that was ever assessed, with the kind of its last assessment."""

    id: int
    code: str
    person: bool
    kind: str


async def subjects_after(
    connection: Connection, after: int, limit: int
) -> Sequence[AssessedSubject]:
    """Return the next subjects that were ever assessed."""
    rows = await connection.execute(_SLICE, {"after": after, "limit": limit})
    return [AssessedSubject(*row) for row in rows]


async def advance(connection: Connection, id_: int, to: int, changed: int) -> None:
    """Store the progress: the last subject scored, and the grade changes of the slice."""
    await connection.execute(_ADVANCE, {"id": id_, "to": to, "changed": changed})
