"""Authorities 机关, found by their normalised name, with the codes seen for each."""

from collections.abc import Iterable, Sequence

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Insert
from schemas.known import Authority

_AUTHORITIES = text(
    """
    with new as (
        insert into authority (id, name)
        select nextval('gateway_id'), name from unnest(cast(:names as text[])) as t(name)
        where not exists (select from authority_alias a where a.alias = t.name)
        on conflict (name) do nothing returning id, name),
    alias as (insert into authority_alias (alias, authority_id) select name, id from new
        returning alias, authority_id)
    select alias, authority_id, alias as name from alias
    union all
    select l.alias, a.id, a.name from authority_alias l join authority a on a.id = l.authority_id
    where l.alias = any(cast(:names as text[]))
    """
)


async def known_authorities(connection: Connection, names: Iterable[str]) -> dict[str, Authority]:
    """Return the authority of each normalised name, through aliases; unknown ones are added."""
    wanted = sorted(set(names))
    found = await _authority_ids(connection, wanted)
    if len(found) < len(wanted):  # another batch wrote one after our snapshot
        found = await _authority_ids(connection, wanted)
    return found


async def _authority_ids(connection: Connection, names: Sequence[str]) -> dict[str, Authority]:
    rows = await connection.execute(_AUTHORITIES, {"names": names})
    return {row.alias: Authority(row.authority_id, row.name) for row in rows}


_NAMED = text(
    """
    select a.name from authority_alias l join authority a on a.id = l.authority_id
    where l.alias = :name
    """
)
_NAMES_WITH = text(
    "select name from authority where strpos(name, :part) > 0 order by name limit :limit"
)
#: So many names are enough to see which one was meant.
_NEAR = 5


async def named(connection: Connection, name: str) -> str | None:
    """Return the name of the authority of this name or alias; None if there is none."""
    found = await connection.scalar(_NAMED, {"name": name})
    return None if found is None else str(found)


async def names_with(connection: Connection, part: str) -> list[str]:
    """Return the first few authorities whose name has this part."""
    return list(await connection.scalars(_NAMES_WITH, {"part": part, "limit": _NEAR}))


_ALIASES = text(
    """
    select l.alias, a.name from authority_alias l join authority a on a.id = l.authority_id
    where a.name <> l.alias
    """
)


async def names_of_aliases(connection: Connection) -> dict[str, str]:
    """Return the name of the authority of each alias that is not its own name."""
    return {row[0]: row[1] for row in await connection.execute(_ALIASES)}


add_authority_codes = Insert(
    "authority_code", "authority_id bigint, code text", "on conflict do nothing"
)

_CONFLICTS = text(
    """
    select a.name, array_agg(distinct c.code order by c.code) codes, 'two_codes' as conflict
    from authority_code c join authority a on a.id = c.authority_id
    group by a.id, a.name having count(*) > 1
    union all
    select c.code, array_agg(distinct a.name order by a.name), 'two_names'
    from authority_code c join authority a on a.id = c.authority_id
    group by c.code having count(*) > 1 order by 3, 1
    """
)


async def authority_conflicts(connection: Connection) -> list[tuple[str, list[str], str]]:
    """Return names with two codes and codes with two names; a person has to decide."""
    return [(row[0], row[1], row[2]) for row in await connection.execute(_CONFLICTS)]
