"""Editions 期次 of whole lists 名单: what the last one had, and what became of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.held_back import HELD_BACK
from gateway.store.base.statements import arrays, names, unnest

_LISTED = "number text, authority text, subject text"
#: Entries of the same authorities that came before, and that the list has no more.
_ABSENT = text(
    f"""
    with listed as (select t.number, l.authority_id, t.subject from {unnest(_LISTED)}
        join authority_alias l on l.alias = t.authority)
    select d.id, v.body, v.secret, v.key_version
    from decision d join record_version v on v.id = d.version_id
    join subject s on s.id = d.subject_id
    where d.kind = :kind and d.verb <> 'withdraw' and v.id < :mark
      and d.authority_id in (select authority_id from listed)
      and not exists (select from listed t where t.number = d.number_key
          and t.authority_id = d.authority_id and t.subject = s.code)
    order by d.id
    """
)
_ADDED = text(
    f"""
    select count(*) from {unnest(_LISTED)} join authority_alias l on l.alias = t.authority
    join subject s on s.code = t.subject
    join decision d on d.subject_id = s.id and d.number_key = t.number
        and d.authority_id = l.authority_id and d.kind = :kind
    join record_version v on v.decision_id = d.id and v.version = 1 and v.id > :mark
    """
)
_HELD_BACK = text(
    f"""
    select count(distinct d.chain_id) from delivery d
    where d.chain_id = any(cast(:ids as bigint[])) and d.item_kind = 'record_version'
      and d.verb = 'withdraw' and {HELD_BACK}
    """
)
_NOTE = text(
    """
    insert into list_edition (kind, name, taken_at, taken_by, origin, entries, added, removed)
    values (:kind, :name, :taken_at, :taken_by, :origin, :entries, :added, :removed)
    """
)
_OF = text(
    """
    select name, taken_at, taken_by, entries, added, removed from list_edition
    where kind = :kind order by taken_at
    """
)


class ListedKey(NamedTuple):
    """What an entry of a list is known by: number or keys, name of the authority, subject code."""

    number: str
    authority: str
    subject: str


class AbsentEntry(NamedTuple):
    """An entry that a list has no more: its decision, and its latest version."""

    id: int
    body: Any
    secret: bytes | None
    key_version: int


@dataclass(frozen=True, slots=True)
class Edition:
    """One file that was the whole list."""

    name: str
    taken_at: datetime
    taken_by: str
    entries: int
    added: int
    removed: int


async def absent(
    connection: Connection, kind: str, listed: Iterable[ListedKey], mark: int
) -> list[AbsentEntry]:
    """Return the entries from before the mark that a list of their authority has no more."""
    values = {**_arrays(listed), "kind": kind, "mark": mark}
    return [AbsentEntry(*row) for row in await connection.execute(_ABSENT, values)]


async def added(connection: Connection, kind: str, listed: Iterable[ListedKey], mark: int) -> int:
    """Return how many entries of a list came for the first time since the mark."""
    values = {**_arrays(listed), "kind": kind, "mark": mark}
    return int(await connection.scalar(_ADDED, values) or 0)


async def held_back(connection: Connection, decision_ids: Sequence[int]) -> int:
    """Return of how many of these decisions the withdrawal waits as a mass change."""
    return int(await connection.scalar(_HELD_BACK, {"ids": list(decision_ids)}) or 0)


def _arrays(listed: Iterable[ListedKey]) -> Mapping[str, list[str]]:
    return arrays(names(_LISTED), list(listed))


async def note(connection: Connection, kind: str, origin: str, edition: Edition) -> None:
    """Note an edition."""
    values = {
        "kind": kind,
        "origin": origin,
        "name": edition.name,
        "taken_at": edition.taken_at,
        "taken_by": edition.taken_by,
        "entries": edition.entries,
        "added": edition.added,
        "removed": edition.removed,
    }
    await connection.execute(_NOTE, values)


async def of(connection: Connection, kind: str) -> list[Edition]:
    """Return the editions of a kind, the first one first."""
    return [Edition(*row) for row in await connection.execute(_OF, {"kind": kind})]
