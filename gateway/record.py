"""The record step 入账: same decision, new version, or repeat; and the facts that follow.

Runs inside the batch's transaction, after the subjects are locked. It never changes a stored
version: corrections and withdrawals add one, and close the facts of the one before.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from gateway.check import Checked
from gateway.content import Content, content, fact_body, process_dates
from gateway.decide import Version
from gateway.secrets import Keys
from gateway.store import records
from gateway.store.engine import Connection
from gateway.store.records import Key, Known, Subject
from gateway.store.rows import Ids
from schemas.codes import PROCESS_TYPES, EventType, RecordKind, Verb
from schemas.event import CreditEvent, ReceivedGrade
from schemas.identifiers import authority_key, document_number_key
from schemas.record import REPORTED_KINDS, decision_date


class NewVersion(NamedTuple):
    """One record version that the batch adds."""

    id: int
    checked: Checked
    key: Key
    decision: Known
    version: int
    verb: Verb
    content: Content


@dataclass(slots=True)
class Recorded:
    """What the record step found and wrote."""

    subjects: Mapping[str, Subject] = field(default_factory=dict)
    version_of: dict[int, int] = field(default_factory=dict)  #: index in batch → version id
    repeats: set[int] = field(default_factory=set)  #: indexes in batch
    latest: dict[Key, NewVersion] = field(default_factory=dict)
    follow_ups: list[Version] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)  #: subjects whose facts changed


class Recording:
    """The record step for one batch."""

    def __init__(self, connection: Connection, keys: Keys, now: datetime) -> None:
        self.connection = connection
        self.keys = keys
        self.now = now
        self.out = Recorded()

    async def record(self, batch: Sequence[tuple[int, Checked]]) -> Recorded:
        """Record the (index, checked) items that are no refusals and no repeats by origin."""
        if not batch:
            return self.out
        out = self.out
        out.subjects = await self._lock(batch)
        authorities = await records.authorities(self.connection, _authority_names(batch))
        keys = {index: self._key(checked, authorities) for index, checked in batch}
        targets = self._targets(batch, authorities)
        known = await records.known_decisions(
            self.connection, list(dict.fromkeys([*keys.values(), *targets.values()]))
        )
        versions = await self._versions(batch, keys, known)
        await self._write_versions(versions)
        await self._note_authority_codes(versions)
        await self._write_process_events(versions, targets)
        await self._write_facts(versions, targets, known)
        await self._follow_up(versions, targets, known)
        await self._suspicions(versions)
        return out

    # ------------------------------------------------------------ who and which

    async def _lock(self, batch: Sequence[tuple[int, Checked]]) -> Mapping[str, Subject]:
        subjects = {}
        for _, checked in batch:
            if checked.key is not None and checked.key.subject not in subjects:
                name = getattr(checked.record, "subject_name", None)
                subjects[checked.key.subject] = None if checked.person else name
        persons = {c.key.subject for _, c in batch if c.key and c.person}
        return await records.lock_subjects(
            self.connection, ((code, name, code in persons) for code, name in subjects.items())
        )

    def _key(self, checked: Checked, authorities: Mapping[str, int]) -> Key:
        if checked.key is None:
            raise TypeError(checked.verdict)
        key = checked.key
        subject = self.out.subjects[key.subject].id
        return subject, key.number, authorities[key.authority], key.kind.value

    def _targets(
        self, batch: Sequence[tuple[int, Checked]], authorities: Mapping[str, int]
    ) -> dict[int, Key]:
        """The decision that each process event is about."""
        targets = {}
        for index, checked in batch:
            event = checked.record
            if isinstance(event, CreditEvent) and event.type in PROCESS_TYPES and event.decision:
                subject = self.out.subjects[event.subject_code].id
                kind, number = event.decision.kind, event.decision.document_number
                if kind is RecordKind.EVENT:
                    targets[index] = (subject, number, authorities[""], kind.value)
                else:
                    authority = authorities[authority_key(event.decision.authority)]
                    number = document_number_key(number)
                    targets[index] = (subject, number, authority, kind.value)
        return targets

    # ------------------------------------------------------------ versions

    async def _versions(
        self,
        batch: Sequence[tuple[int, Checked]],
        keys: Mapping[int, Key],
        known: dict[Key, Known],
    ) -> list[NewVersion]:
        ids = await Ids.reserve(self.connection, 2 * len(batch))
        versions = []
        for index, checked in batch:
            key = keys[index]
            made = content(checked)
            hash_ = self.keys.content(made.hashed)
            decision = known.get(key)
            if decision is not None and decision.content_hash == hash_:
                self.out.repeats.add(index)
                self.out.version_of[index] = decision.version_id
                continue
            if decision is None:
                decision = known[key] = Known(ids.take(), 0, 0, "", b"", is_new=True)
            version = self._next_version(ids.take(), checked, key, decision, made)
            decision.version, decision.version_id = version.version, version.id
            decision.verb, decision.content_hash = version.verb.value, hash_
            self.out.version_of[index] = version.id
            self.out.latest.pop(key, None)
            self.out.latest[key] = version
            versions.append(version)
        return versions

    @staticmethod
    def _next_version(
        id_: int, checked: Checked, key: Key, decision: Known, made: Content
    ) -> NewVersion:
        if checked.verb is Verb.WITHDRAW:
            verb = Verb.WITHDRAW
        elif decision.version == 0:
            verb = Verb.NEW
        else:
            verb = Verb.REVIVE if decision.verb == Verb.WITHDRAW else Verb.CORRECT
        return NewVersion(id_, checked, key, decision, decision.version + 1, verb, made)

    async def _write_versions(self, versions: Sequence[NewVersion]) -> None:
        latest = self.out.latest.values()
        rows = [(version.decision.is_new, self._decision_row(version)) for version in latest]
        await records.add_decisions(self.connection, [row for new, row in rows if new])
        await records.change_decisions(self.connection, [row for new, row in rows if not new])
        await records.add_versions(self.connection, [self._version_row(v) for v in versions])

    def _decision_row(self, version: NewVersion) -> tuple[Any, ...]:
        checked, decision = version.checked, version.decision
        subject, number, authority, kind = version.key
        return (
            decision.id,
            kind,
            number,
            authority,
            subject,
            getattr(checked.record, "document_number", None),
            _day_of(checked),
            checked.excluded,
            checked.verdict.value,
            version.verb.value,
            version.version,
            version.id,
            decision.content_hash,
            self.now,
        )

    def _version_row(self, version: NewVersion) -> tuple[Any, ...]:
        checked = version.checked
        secret = version.content.secret
        return (
            version.id,
            version.decision.id,
            version.version,
            version.verb.value,
            version.content.body,
            None if secret is None else self.keys.encrypt(secret),
            None if checked.unknown is None else _json(checked.unknown),
            checked.verdict.value,
            _json([p.model_dump() for p in checked.problems]) if checked.problems else None,
            self.now,
        )

    async def _note_authority_codes(self, versions: Sequence[NewVersion]) -> None:
        """Which codes an authority was seen with, so that contradictions can be listed."""
        pairs = {
            (version.key[2], code)
            for version in versions
            if (code := getattr(version.checked.record, "authority_code", None))
            and not any(p.field.endswith("JGDM") for p in version.checked.problems)
        }
        await records.add_authority_codes(self.connection, sorted(pairs))

    # ------------------------------------------------------------ facts

    async def _write_process_events(
        self, versions: Sequence[NewVersion], targets: dict[int, Key]
    ) -> None:
        by_version = {self.out.version_of[index]: key for index, key in targets.items()}
        rows = []
        for version in versions:
            event = version.checked.record
            if version.id in by_version and isinstance(event, CreditEvent):
                subject, number, authority, kind = by_version[version.id]
                dates = _json(process_dates(event))
                type_ = str(event.type)
                rows.append((version.id, subject, kind, number, authority, type_, dates, self.now))
        await records.add_process_events(self.connection, rows)

    async def _write_facts(
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
        dates = await records.process_dates(self.connection, [*changed, *processed])
        old_ids = [v.decision.id for v in changed.values() if not v.decision.is_new]
        old_ids += [known[key].id for key in processed]
        old = await self._current_facts(old_ids)
        bodies = {key: fact_body(v.checked, v.verb) for key, v in changed.items()}
        bodies |= {key: old.get(known[key].id) for key in processed}
        await records.close_facts(self.connection, old_ids, self.now)
        ids = await Ids.reserve(self.connection, len(bodies))
        rows = []
        for key, body in bodies.items():
            if body is not None:
                whole = {**body, **dates.get(key, {})}
                decided = whole["decided_on"]
                day = decided if isinstance(decided, date) else date.fromisoformat(decided)
                text = _json(whole)
                rows.append((ids.take(), key[0], known[key].id, text, day, self.now))
        self.out.touched.update(
            key[0] for key, body in bodies.items() if body is not None or known[key].id in old
        )
        self.out.touched.update(_overtaken_subjects(versions, self.out.latest))
        await records.add_facts(self.connection, rows)

    async def _current_facts(self, decision_ids: list[int]) -> dict[int, dict[str, Any]]:
        if not decision_ids:
            return {}
        found = await records.facts_of_decisions(self.connection, decision_ids)
        return {fact.decision_id: fact.body for fact in found}

    # ------------------------------------------------------------ what else follows

    async def _follow_up(
        self,
        versions: Sequence[NewVersion],
        targets: Mapping[int, Key],
        known: Mapping[Key, Known],
    ) -> None:
        """A confirmed repair is a version of its decision, told to every past recipient."""
        about = {self.out.version_of[index]: key for index, key in targets.items()}
        repaired = {
            known[about[version.id]].id: about[version.id]
            for version in versions
            if _confirms_repair(version) and _is_reported(about[version.id], known)
        }
        if not repaired:
            return
        ids = await Ids.reserve(self.connection, len(repaired))
        pairs = [(ids.take(), decision_id) for decision_id in repaired]
        added = await records.add_repair_versions(self.connection, pairs, self.now)
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
            event = version.checked.record
            if isinstance(event, CreditEvent) and event.type is EventType.CRIMINAL_SUSPICION:
                suspected[version.key[0]] = event.suspected
        await records.set_suspects(self.connection, suspected)
        self.out.touched.update(suspected)
        if suspected:
            self.out.subjects = {
                code: Subject(s.id, s.code, suspected.get(s.id, s.criminal_suspect))
                for code, s in self.out.subjects.items()
            }


def reported(recorded: Recorded) -> list[Version]:
    """The versions of which destinations may have to hear; overtaken ones of the batch do not."""
    return [
        Version(
            id=v.id,
            decision_id=v.decision.id,
            subject_id=v.key[0],
            subject_code=v.checked.key.subject if v.checked.key else "",
            kind=v.checked.kind or RecordKind.EVENT,
            verb=v.verb,
            decision_date=_day_of(v.checked),
            record=v.checked.record,
            problem_fields=frozenset(problem.field for problem in v.checked.problems),
            excluded=v.checked.excluded is not None,
            person=v.checked.person,
        )
        for v in recorded.latest.values()
        if v.checked.kind in REPORTED_KINDS
    ] + recorded.follow_ups


def received_grades(recorded: Recorded) -> list[tuple[int, ReceivedGrade]]:
    """(subject id, grade) of the grades that came from outside."""
    return [
        (v.key[0], v.checked.record)
        for v in recorded.latest.values()
        if isinstance(v.checked.record, ReceivedGrade)
    ]


def _authority_names(batch: Iterable[tuple[int, Checked]]) -> set[str]:
    names = set()
    for _, checked in batch:
        if checked.key is not None:
            names.add(checked.key.authority)
        event = checked.record
        if isinstance(event, CreditEvent) and event.decision is not None:
            names.add(authority_key(event.decision.authority))
    return names


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
    record = version.checked.record
    if isinstance(record, CreditEvent):
        return record.type not in PROCESS_TYPES and record.type is not EventType.CRIMINAL_SUSPICION
    return version.checked.kind is RecordKind.PENALTY


def _confirms_repair(version: NewVersion) -> bool:
    event = version.checked.record
    return (
        isinstance(event, CreditEvent)
        and event.type is EventType.REPAIR
        and event.repair_confirmed_on is not None
    )


def _is_reported(key: Key, known: Mapping[Key, Known]) -> bool:
    return key in known and RecordKind(key[3]) in REPORTED_KINDS


def _day_of(checked: Checked) -> date:
    day = decision_date(checked.record) if checked.record is not None else None
    if day is None:
        raise TypeError(checked.verdict)
    return day


def _json(value: object) -> str:
    try:
        return orjson.dumps(value, default=str).decode()
    except TypeError:  # an integer beyond 64 bits, which PostgreSQL keeps as it is
        return json.dumps(value, ensure_ascii=False, default=str)
