"""The record step 入账: same decision, new version, or repeat; and the facts that follow.

`lock` locks the subjects of the batch first. The step then reads what is known, makes a plan and
writes it. Stored versions never change: corrections and withdrawals add a version and close the
earlier facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gateway.check.checked import Checked
from gateway.config.keys import Keys
from gateway.record.content import process_dates
from gateway.record.plan import IDS_FOR_EACH, Incoming, Plan, plan
from gateway.record.reading import what_is_known
from gateway.record.recorded import NewVersion, Recorded, day_of
from gateway.record.unchanged import Hashes
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Ids, as_json
from gateway.store.record import decisions, facts, subjects
from gateway.store.record.authorities import add_authority_codes, known_authorities
from schemas.codes import ABOUT_A_DECISION, EventType, RecordKind
from schemas.identifiers import authority_key, document_number_key
from schemas.kinds import KINDS
from schemas.known import Authority, DecisionKey, Subject
from schemas.record import number_of
from scoring.consequences.publicity import PublicityPolicy


class Locked(NamedTuple):
    """The locked subjects of a batch by code, and the ids of those of which others are branches."""

    subjects: Mapping[str, Subject]
    parents: frozenset[int]


async def lock(connection: Connection, batch: Iterable[tuple[int, Checked]]) -> Locked:
    """Lock the subjects of a batch, and the legal persons of its branches, until the end.

    Of which a subject is a branch is known only under its lock, so that its legal person is locked
    last; if that leads to a deadlock, PostgreSQL ends one transaction and `Database.run` repeats.
    """
    names: dict[str, tuple[str | None, bool]] = {}
    parents: set[str] = set()
    for _, checked in batch:
        if checked.key is not None and checked.key.subject not in names:
            name = getattr(checked.record, "subject_name", None)
            names[checked.key.subject] = (None if checked.person else name, checked.person)
        if (entry := checked.entry) is not None:
            parents.add(entry.parent_code or "")
    if not names:
        return Locked({}, frozenset())
    parents.discard("")
    asked: dict[str, tuple[str, str | None, bool]]
    asked = {code: (code, None, False) for code in parents}
    asked |= {code: (code, name, person) for code, (name, person) in names.items()}
    found = await subjects.lock_subjects(connection, asked.values())
    parents |= set(await facts.parents_of(connection, [one.id for one in found.values()]))
    if missing := parents - found.keys():
        found |= await subjects.lock_subjects(connection, ((c, None, False) for c in missing))
    return Locked(found, frozenset(found[code].id for code in parents))


class Recording:
    """The record step for one batch; the batch owns the transaction."""

    def __init__(
        self,
        connection: Connection,
        keys: Keys,
        regimes: Sequence[PublicityPolicy],
        now: datetime,
    ) -> None:
        self.connection = connection
        self.keys = keys
        self.regimes = regimes
        self.now = now

    async def record(
        self, batch: Sequence[tuple[int, Checked]], locked: Mapping[str, Subject]
    ) -> Recorded:
        """Record the (index, checked) items that are neither refused nor repeats by origin.

        `locked` are their subjects, of which `lock` has the locks.
        """
        if not batch:
            return Recorded()
        authorities = await known_authorities(self.connection, _authority_names(batch))
        items = [_incoming(*item, locked, authorities) for item in batch]
        known = await what_is_known(self.connection, items, locked)
        known = known._replace(facts=known.facts._replace(authorities=authorities))
        ids = await Ids.reserve(self.connection, IDS_FOR_EACH * len(items))
        hashes = Hashes(self.keys.content, self.keys.former_content)
        made = plan(items, known, ids.take, hashes, self.regimes)
        await self._write(made)
        return made.recorded

    async def _write(self, made: Plan) -> None:
        await self._write_versions(made)
        await self._note_authority_codes(made.versions)
        await self._write_facts(made)
        await decisions.add_versions_like(self.connection, made.added, self.now)
        await self._write_suspects(made)

    async def _write_versions(self, made: Plan) -> None:
        latest = made.recorded.latest.values()
        rows = [(version.decision.is_new, self._decision_row(version)) for version in latest]
        await decisions.add_decisions(self.connection, [row for new, row in rows if new])
        await decisions.change_decisions(self.connection, [row for new, row in rows if not new])
        versions = [self._version_row(version) for version in made.versions]
        await decisions.add_versions(self.connection, versions)

    def _decision_row(self, version: NewVersion) -> tuple[Any, ...]:
        checked, decision = version.checked, version.decision
        subject, number, authority, kind = version.key
        return (
            decision.id,
            kind,
            number,
            authority,
            subject,
            _number_of(checked),
            day_of(checked),
            checked.excluded,
            checked.verdict,
            decision.verb,
            decision.version,
            decision.version_id,
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
            version.verb,
            version.content.body,
            None if secret is None else self.keys.encrypt(secret),
            None if checked.unknown is None else self._sealed(checked.unknown),
            self.keys.version,
            checked.verdict,
            as_json([p.model_dump() for p in checked.problems]) if checked.problems else None,
            checked.excluded,
            self.now,
        )

    def _sealed(self, unknown: Mapping[str, Any]) -> bytes:
        """Encrypt columns that no standard names: they may hold identity numbers."""
        return self.keys.encrypt(as_json(unknown).encode())

    async def _write_facts(self, made: Plan) -> None:
        events: list[tuple[Any, ...]] = []
        for version_id, event, target, _ in made.process_events:
            subject, number, authority, kind = target
            dates = as_json(process_dates(event))
            row = (version_id, subject, kind, number, authority, str(event.type))
            events.append((*row, dates, None, self.now))
        for version_id, (subject, number, authority, kind), letter in made.letters:
            row = (version_id, subject, kind, number, authority, EventType.PUBLICITY_REPAIR.value)
            told = as_json({"severity": letter.severity, "found": letter.found})
            events.append((*row, "{}", told, self.now))
        await facts.add_process_events(self.connection, events)
        await facts.close_facts(self.connection, made.closed, self.now)
        rows = []
        for id_, key, decision_id, body, decided_on in made.facts:
            text = as_json({**body, "id": str(id_)})
            parent = body.get("entry", {}).get("parent")
            rows.append((id_, key[0], decision_id, text, decided_on, parent, self.now))
        await facts.add_facts(self.connection, rows)

    async def _write_suspects(self, made: Plan) -> None:
        """Which event of suspicion decides is known only when the versions are written."""
        if not made.suspicions:
            return
        found = await subjects.renew_suspects(self.connection, made.suspicions)
        out = made.recorded
        out.subjects = {
            code: one._replace(criminal_suspect=found.get(one.id, one.criminal_suspect))
            for code, one in out.subjects.items()
        }

    async def _note_authority_codes(self, versions: Sequence[NewVersion]) -> None:
        """Store the codes seen for each authority, so that conflicts can be listed."""
        pairs = {
            (version.key[2], code)
            for version in versions
            if (code := getattr(version.checked.record, "authority_code", None))
            and not any(p.field.endswith("JGDM") for p in version.checked.problems)
        }
        await add_authority_codes(self.connection, sorted(pairs))


def _incoming(
    index: int,
    checked: Checked,
    locked: Mapping[str, Subject],
    authorities: Mapping[str, Authority],
) -> Incoming:
    if checked.key is None:
        raise TypeError(checked.verdict)
    key = checked.key
    subject = locked[key.subject].id
    own = (subject, key.number, authorities[key.authority].id, key.kind)
    return Incoming(index, checked, own, _target(checked, subject, authorities))


def _target(
    checked: Checked, subject: int, authorities: Mapping[str, Authority]
) -> DecisionKey | None:
    """Return the decision that an event is about; None for other items."""
    event = checked.event
    if event is None or event.type not in ABOUT_A_DECISION or event.decision is None:
        return None
    kind, number = event.decision.kind, event.decision.document_number
    if kind is RecordKind.EVENT:
        return subject, number, authorities[""].id, kind
    authority = authorities[authority_key(event.decision.authority)].id
    return subject, document_number_key(number), authority, kind


def _authority_names(batch: Iterable[tuple[int, Checked]]) -> set[str]:
    names = set()
    for _, checked in batch:
        if checked.key is not None:
            names.add(checked.key.authority)
        event = checked.event
        if event is not None and event.decision is not None:
            names.add(authority_key(event.decision.authority))
    return names


def _number_of(checked: Checked) -> str | None:
    """Return the document number that people are shown; None of messages."""
    record = checked.record
    return number_of(record) if record is not None and record.KIND in KINDS.reported else None
