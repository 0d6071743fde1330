"""What people and calls say of an outage, a delivery or a hand upload 举证; it never changes."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, unnest
from schemas.base import storable
from schemas.identifiers import masked


class About(StrEnum):
    """What evidence is about."""

    OUTAGE = "outage"
    DELIVERY = "delivery"
    UPLOAD = "upload"  #: a hand upload


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was said, by whom and when; with a file its name and SHA-256."""

    id: int
    about_id: int
    at: datetime
    actor: str
    words: str
    file_name: str | None
    sha256: str | None


_ROWS = "about_id bigint, at timestamptz, actor text, words text"
_SAY = text(
    f"""
    insert into evidence (id, about, about_id, at, actor, words)
    select nextval('gateway_id'), :about, f.about_id, f.at, f.actor, f.words
    from {unnest(_ROWS, "f")}
    """
)
_ATTACH = text(
    """
    insert into evidence (id, about, about_id, at, actor, words, file_name, file, sha256)
    values (nextval('gateway_id'), :about, :about_id, :at, :actor, :words, :name, :file, :sha256)
    """
)
_OF = text(
    """
    select id, about_id, at, actor, words, file_name, sha256 from evidence
    where about = :about and about_id = any(cast(:ids as bigint[])) order by at, id
    """
)
_OF_DECISIONS = text(
    """
    select e.about_id, string_agg(e.actor || '：' || e.words, '；' order by e.at, e.id) as words
    from evidence e
    join delivery x on x.id = e.about_id and x.item_kind = 'record_version'
    join decision d on d.id = x.chain_id
    where e.about = 'delivery' and d.decision_date >= :first and d.decision_date < :end
    group by e.about_id
    """
)
_FILE = text("select file_name, file from evidence where id = :id and file is not null")


async def say(
    connection: Connection, about: About, said: Sequence[tuple[int, datetime, str, str]]
) -> None:
    """Keep words (about which, when, by whom, what), with identity numbers masked."""
    names = ["about_id", "at", "actor", "words"]
    shown = [(*head, masked(words)) for *head, words in said]
    await connection.execute(_SAY, {**arrays(names, shown), "about": about.value})


class Statement(NamedTuple):
    """What a person says, with a file (name, bytes) where there is one."""

    actor: str
    words: str
    file: tuple[str, bytes] | None = None


async def attach(
    connection: Connection, about: About, id_: int, said: Statement, now: datetime
) -> str | None:
    """Keep what a person says, with identity numbers masked; return the SHA-256 of the file."""
    name, content = said.file or (None, None)
    name = None if name is None else storable(name)
    sha256 = None if content is None else hashlib.sha256(content).hexdigest()
    values = {"about": about.value, "about_id": id_, "at": now, "actor": said.actor}
    more = {"words": masked(said.words), "name": name, "file": content, "sha256": sha256}
    await connection.execute(_ATTACH, {**values, **more})
    return sha256


async def of(connection: Connection, about: About, ids: Sequence[int]) -> dict[int, list[Evidence]]:
    """Return what was said of each of these, in the order of time."""
    found: dict[int, list[Evidence]] = {}
    values = {"about": about.value, "ids": list(ids)}
    for row in await connection.execute(_OF, values):
        found.setdefault(row.about_id, []).append(Evidence(*row))
    return found


async def of_decisions(connection: Connection, first: date, end: date) -> dict[int, str]:
    """Return what people said of the deliveries of the decisions of a span of dates."""
    rows = await connection.execute(_OF_DECISIONS, {"first": first, "end": end})
    return {row.about_id: row.words for row in rows}


async def file(connection: Connection, id_: int) -> tuple[str, bytes] | None:
    """Return the name and the bytes of the file of a piece of evidence, if it has one."""
    found = (await connection.execute(_FILE, {"id": id_})).one_or_none()
    return None if found is None else (str(found[0]), bytes(found[1]))
