"""Facts that name their authority by what is an alias are made anew with its own name.

An earlier release wrote the name as it came, and a person may say later that two names are one
authority. A fact is never changed: it is closed, and a new version has the name. So what was
computed by the former one is computed again from the former one.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
import orjson

from gateway.score.stored_result import facts_of
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Ids, as_json
from gateway.store.record import facts
from gateway.store.record.authorities import names_of_aliases
from schemas.identifiers import authority_key

_DEPARTMENT = re.compile(rb'"department": ?("(?:[^"\\]|\\.)*")')


async def renew_departments(
    connection: Connection, bodies: Mapping[int, bytes], now: datetime
) -> bool:
    """Make the open facts among `bodies` anew that name an alias; return whether any did.

    The caller has locked the subjects. Those of branches are locked here, if a fact of theirs is
    made anew; a deadlock is repeated, as in `lock`.
    """
    if not any(b'"department"' in one for one in bodies.values()):
        return False
    aliases = ends(await names_of_aliases(connection))
    if not aliases or not any(_names(one) & aliases.keys() for one in bodies.values()):
        return False
    stale = {id_ for one in bodies.values() for id_ in _named(one, aliases)}
    if not stale:
        return False
    found = await facts.lock_open_facts(connection, sorted(stale))
    ids = await Ids.reserve(connection, len(found))
    await facts.close_facts(connection, [(row[0], row[1]) for row in found], now)
    rows = []
    for subject, decision, body, decided_on in found:
        id_ = ids.take()
        name = aliases[authority_key(body["department"])]
        text = as_json({**body, "department": name, "id": str(id_)})
        rows.append((id_, subject, decision, text, decided_on, None, now))
    await facts.add_facts(connection, rows)
    return True


def ends(names: Mapping[str, str]) -> dict[str, str]:
    """Return the authority of each alias, by way of others too; none where they go in a circle."""
    found = {alias: _end(alias, names) for alias in names}
    return {alias: name for alias, name in found.items() if name is not None}


def _end(alias: str, names: Mapping[str, str]) -> str | None:
    passed: set[str] = set()
    while alias in names and alias not in passed:
        passed.add(alias)
        alias = names[alias]
    return None if alias in passed else alias


def _names(bodies: bytes) -> set[str]:
    return {authority_key(orjson.loads(name)) for name in set(_DEPARTMENT.findall(bodies))}


def _named(bodies: bytes, aliases: Mapping[str, str]) -> Iterable[int]:
    """Yield the ids of the facts of a subject, and of its branches, that name an alias."""
    try:
        known = facts_of(bodies)
    except msgspec.ValidationError:  # told where the subject is scored
        return
    for fact in known:
        if fact.department is not None and authority_key(fact.department) in aliases:
            yield int(fact.id)
