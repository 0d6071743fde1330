"""Facts 评分事实 of the record step: closed and written as decisions and process events change.

A process event (rectification, repair, warning) rewrites the fact of its decision, and waits for
it where it is not there yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from gateway.record.content import NO_FACT, fact_body, process_dates
from gateway.record.recorded import NewVersion, Recorded
from gateway.record.repairs import confirms_repair, is_reported
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Ids, as_json
from gateway.store.record import decisions, facts
from gateway.store.record.decisions import Key, Known
from gateway.store.record.subjects import Subject, set_suspects
from schemas.codes import EventType, RecordKind, Verb
from schemas.obligation import Version


class FactWriter:
    """Writes what follows from new versions for scoring, and the versions that repairs make."""

    def __init__(self, connection: Connection, out: Recorded, now: datetime) -> None:
        self.connection = connection
        self.out = out
        self.now = now

    async def follow(
        self,
        versions: Sequence[NewVersion],
        targets: Mapping[int, Key],
        known: Mapping[Key, Known],
    ) -> None:
        """All that new versions mean for scoring; `targets` are what process events are about."""
        await self._write_process_events(versions, targets)
        await self._write(versions, targets, known)
        await self._follow_up(versions, targets, known)
        await self._suspicions(versions)

    async def _write_process_events(
        self, versions: Sequence[NewVersion], targets: Mapping[int, Key]
    ) -> None:
        by_version = {self.out.version_of[index]: key for index, key in targets.items()}
        rows = []
        for version in versions:
            event = version.checked.event
            if version.id in by_version and event is not None:
                subject, number, authority, kind = by_version[version.id]
                dates = as_json(process_dates(event))
                type_ = str(event.type)
                rows.append((version.id, subject, kind, number, authority, type_, dates, self.now))
        await facts.add_process_events(self.connection, rows)

    async def _write(
        self,
        versions: Sequence[NewVersion],
        targets: Mapping[int, Key],
        known: Mapping[Key, Known],
    ) -> None:
        """Close the facts of changed decisions; write the new ones with their process dates."""
        changed = {key: v for key, v in self.out.latest.items() if _makes_facts(v)}
        news = {key for index, key in targets.items() if index not in self.out.repeats}
        processed = {key for key in news if key in known and key not in changed}
        if not changed and not processed:
            return
        dates = await facts.process_dates(self.connection, [*changed, *processed])
        of_old = [(key[0], v.decision.id) for key, v in changed.items() if not v.decision.is_new]
        of_old += [(key[0], known[key].id) for key in processed]
        old = await facts.close_facts(self.connection, of_old, self.now)
        bodies = {key: fact_body(v.checked, v.verb) for key, v in changed.items()}
        bodies |= {key: old.get(known[key].id) for key in processed}
        ids = await Ids.reserve(self.connection, len(bodies))
        rows = []
        for key, body in bodies.items():
            if body is not None:
                id_, decided = ids.take(), body["decided_on"]
                day = decided if isinstance(decided, date) else date.fromisoformat(decided)
                text = as_json({**body, **dates.get(key, {}), "id": str(id_)})
                rows.append((id_, key[0], known[key].id, text, day, self.now))
        self.out.touched.update(
            key[0] for key, body in bodies.items() if body is not None or known[key].id in old
        )
        self.out.touched.update(_overtaken_subjects(versions, self.out.latest))
        await facts.add_facts(self.connection, rows)

    async def _follow_up(
        self,
        versions: Sequence[NewVersion],
        targets: Mapping[int, Key],
        known: Mapping[Key, Known],
    ) -> None:
        """A confirmed repair is a version of its decision, told to every past recipient.

        A repair that came before its decision has nobody to tell, in one batch as in two.
        """
        about = {self.out.version_of[index]: key for index, key in targets.items()}
        repaired: dict[int, Key] = {}
        waiting = {version.key for version in versions if version.decision.is_new}
        for version in versions:
            waiting.discard(version.key)
            if confirms_repair(version):
                key = about[version.id]
                if is_reported(key, known) and key not in waiting:
                    repaired[known[key].id] = key
        if not repaired:
            return
        ids = await Ids.reserve(self.connection, len(repaired))
        pairs = [(ids.take(), decision_id) for decision_id in repaired]
        added = await decisions.add_repair_versions(self.connection, pairs, self.now)
        codes = {subject.id: subject.code for subject in self.out.subjects.values()}
        self.out.follow_ups += [
            Version(
                id=id_,
                decision_id=decision_id,
                subject_id=repaired[decision_id][0],
                subject_code=codes[repaired[decision_id][0]],
                kind=RecordKind(repaired[decision_id][3]),
                verb=Verb.REPAIR,
                decision_date=day,
                record=None,
                problem_fields=frozenset(),
                excluded=False,
                person=False,
            )
            for id_, decision_id, day in added
        ]

    async def _suspicions(self, versions: Sequence[NewVersion]) -> None:
        suspected = {}
        for version in versions:
            event = version.checked.event
            if event is not None and event.type is EventType.CRIMINAL_SUSPICION:
                suspected[version.key[0]] = event.suspected
        await set_suspects(self.connection, suspected)
        self.out.touched.update(suspected)
        if suspected:
            self.out.subjects = {
                code: Subject(s.id, s.code, suspected.get(s.id, s.criminal_suspect))
                for code, s in self.out.subjects.items()
            }


def _overtaken_subjects(
    versions: Iterable[NewVersion], latest: Mapping[Key, NewVersion]
) -> set[int]:
    """Subjects of a fact that came and went within the batch: they are scored all the same."""
    return {
        v.key[0]
        for v in versions
        if latest[v.key] is not v and _makes_facts(v) and fact_body(v.checked, v.verb) is not None
    }


def _makes_facts(version: NewVersion) -> bool:
    event = version.checked.event
    if event is not None:
        return event.type not in NO_FACT
    return version.checked.kind is RecordKind.PENALTY
