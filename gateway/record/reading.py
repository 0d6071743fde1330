"""What the store knows of a batch, for the record step 入账; read under the locks of its subjects.

Each question is one statement for the whole batch, and is asked only where the batch needs it.
"""

from collections.abc import Mapping, Sequence

from gateway.record.content import makes_facts
from gateway.record.plan import Incoming, Known
from gateway.record.repairs import ends_publicity
from gateway.store.base.engine import Connection
from gateway.store.record import decisions, facts
from schemas.codes import EventType, Verb
from schemas.kinds import KINDS
from schemas.known import DecisionKey, KnownDecision, KnownFacts, Relation, StoredContent, Subject

_LETTER = EventType.PUBLICITY_REPAIR


async def what_is_known(
    connection: Connection, items: Sequence[Incoming], locked: Mapping[str, Subject]
) -> Known:
    """Return what is known of the decisions, facts, letters and branches of these items."""
    return await _Reading(connection, items).known(locked)


class _Reading:
    """The questions for one batch."""

    def __init__(self, connection: Connection, items: Sequence[Incoming]) -> None:
        self.connection = connection
        self.items = items

    async def known(self, locked: Mapping[str, Subject]) -> Known:
        keys = [item.key for item in self.items]
        about = [item.target for item in self.items if item.target is not None]
        found = await decisions.known_decisions(
            self.connection, list(dict.fromkeys((*keys, *about)))
        )
        former = await self._former_targets(found)
        known = await self._facts(found, former)
        contents = await self._contents(found, {*about, *former.values()})
        targets = [item.target for item in self.items if item.target and item.checked.verb is None]
        unknown = [target for target in targets if target not in found]
        branches = await facts.decisions_of_branches(self.connection, unknown)
        relations, alike = await self._relations(), await self._alike(found)
        graded = await decisions.grades_of(self.connection, keys)
        return Known(locked, found, known, relations, branches, alike, graded, contents)

    async def _facts(
        self,
        found: Mapping[DecisionKey, KnownDecision],
        former: Mapping[int, DecisionKey],
    ) -> KnownFacts:
        about = {item.key for item in self.items if makes_facts(item.checked) or item.checked.event}
        about |= {item.target for item in self.items if item.target is not None}
        known = await self._known_facts(about | set(former.values()), found)
        letters = {one.version_id for one in found.values() if one.event_type == _LETTER}
        targets = {id_: key for id_, key in former.items() if id_ not in letters}
        if not targets:
            return known
        ids = [found[key].id for key in targets.values() if key in found]
        own = await facts.own_dates(self.connection, ids)
        return known._replace(targets=targets, own=own)

    async def _alike(self, found: Mapping[DecisionKey, KnownDecision]) -> Sequence[DecisionKey]:
        """Return the decisions with nearly the numbers of those that the batch adds."""
        new = {
            item.key
            for item in self.items
            if item.key not in found and item.key[3] in KINDS.reported
        }
        return await decisions.decisions_alike(self.connection, new) if new else ()

    async def _former_targets(
        self, found: dict[DecisionKey, KnownDecision]
    ) -> dict[int, DecisionKey]:
        """Return by version the decisions that known events of the batch are about as yet.

        Those decisions are added to `found`: a correction of the event may let go of them.
        """
        known = [item.key for item in self.items if item.checked.event and item.key in found]
        if not known:
            return {}
        ids = [found[key].version_id for key in known]
        former = await facts.targets_of(self.connection, ids)
        missing = [key for key in former.values() if key not in found]
        if missing:
            found |= await decisions.known_decisions(self.connection, missing)
        return former

    async def _contents(
        self, found: Mapping[DecisionKey, KnownDecision], about: set[DecisionKey]
    ) -> dict[int, StoredContent]:
        """Return what decisions are now, where a withdrawn letter may make them public again."""
        checked = [item.checked for item in self.items]
        if not any(ends_publicity(one.event) and one.verb is Verb.WITHDRAW for one in checked):
            return {}
        ids = [found[key].id for key in about if key in found]
        return await decisions.contents_of(self.connection, ids)

    async def _relations(self) -> dict[int, Relation]:
        """Return the relations of branches 分支机构 that the entries of the batch may touch."""
        named: set[str] = set()
        for item in self.items:
            entry, key = item.checked.entry, item.checked.key
            if entry is not None and entry.parent_code is not None and key:
                named |= {entry.parent_code, key.subject}
        return await facts.branches_among(self.connection, sorted(named)) if named else {}

    async def _known_facts(
        self, keys: set[DecisionKey], found: Mapping[DecisionKey, KnownDecision]
    ) -> KnownFacts:
        if not keys:
            return KnownFacts({}, {})
        dates, letters = await facts.told_of(self.connection, list(keys))
        old = [(key[0], found[key].id) for key in keys if key in found]
        away = [(key[0], one.id) for key, one in found.items() if one.repaired and one.is_away]
        former = await facts.former_facts(self.connection, away)
        bodies = await facts.present_facts(self.connection, old)
        return KnownFacts(bodies, dates, former=former, letters=letters)
