"""The record step 入账: same decision, new version, or repeat; and the facts that follow.

Runs inside the batch's transaction, after the subjects are locked. It never changes a stored
version: corrections and withdrawals add one, and close the facts of the one before.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.check.checked import Checked
from gateway.config.keys import Keys
from gateway.record.content import Content, content
from gateway.record.facts import FactWriter
from gateway.record.recorded import NewVersion, Recorded, day_of
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Ids, as_json
from gateway.store.record import decisions, subjects
from gateway.store.record.authorities import add_authority_codes, known_authorities
from gateway.store.record.decisions import Key, Known
from gateway.store.record.subjects import Subject
from schemas.codes import PROCESS_TYPES, RecordKind, Verb
from schemas.identifiers import authority_key, document_number_key


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
        authorities = await known_authorities(self.connection, _authority_names(batch))
        keys = {index: self._key(checked, authorities) for index, checked in batch}
        targets = self._targets(batch, authorities)
        known = await decisions.known_decisions(
            self.connection, list(dict.fromkeys([*keys.values(), *targets.values()]))
        )
        versions = await self._versions(batch, keys, known)
        await self._write_versions(versions)
        await self._note_authority_codes(versions)
        await FactWriter(self.connection, out, self.now).follow(versions, targets, known)
        return out

    # ------------------------------------------------------------ who and which

    async def _lock(self, batch: Sequence[tuple[int, Checked]]) -> Mapping[str, Subject]:
        names: dict[str, str | None] = {}
        for _, checked in batch:
            if checked.key is not None and checked.key.subject not in names:
                name = getattr(checked.record, "subject_name", None)
                names[checked.key.subject] = None if checked.person else name
        persons = {c.key.subject for _, c in batch if c.key and c.person}
        return await subjects.lock_subjects(
            self.connection, ((code, name, code in persons) for code, name in names.items())
        )

    def _key(self, checked: Checked, authorities: Mapping[str, int]) -> Key:
        if checked.key is None:
            raise TypeError(checked.verdict)
        key = checked.key
        subject = self.out.subjects[key.subject].id
        return subject, key.number, authorities[key.authority], key.kind

    def _targets(
        self, batch: Sequence[tuple[int, Checked]], authorities: Mapping[str, int]
    ) -> dict[int, Key]:
        """The decision that each process event is about."""
        targets: dict[int, Key] = {}
        for index, checked in batch:
            event = checked.event
            if event is None or checked.key is None:
                continue
            if event.type in PROCESS_TYPES and event.decision:
                subject = self.out.subjects[checked.key.subject].id
                kind, number = event.decision.kind, event.decision.document_number
                if kind is RecordKind.EVENT:
                    targets[index] = (subject, number, authorities[""], kind)
                else:
                    authority = authorities[authority_key(event.decision.authority)]
                    number = document_number_key(number)
                    targets[index] = (subject, number, authority, kind)
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
            if decision is not None and self._is_repeat(decision, hash_, made):
                self.out.repeats.add(index)
                self.out.version_of[index] = decision.version_id
                continue
            if decision is None:
                decision = known[key] = Known(ids.take(), 0, 0, "", b"", is_new=True)
            version = self._next_version(ids.take(), checked, key, decision, made)
            decision.version, decision.version_id = version.version, version.id
            decision.verb, decision.content_hash = version.verb, hash_
            self.out.version_of[index] = version.id
            self.out.latest.pop(key, None)
            self.out.latest[key] = version
            versions.append(version)
        return versions

    def _is_repeat(self, decision: Known, hash_: bytes, made: Content) -> bool:
        """An upgrade is no reason to send every decision again: the former hash counts too."""
        kept = decision.content_hash
        return kept == hash_ or kept == self.keys.former_content(made.hashed)

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
        await decisions.add_decisions(self.connection, [row for new, row in rows if new])
        await decisions.change_decisions(self.connection, [row for new, row in rows if not new])
        await decisions.add_versions(self.connection, [self._version_row(v) for v in versions])

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
            day_of(checked),
            checked.excluded,
            checked.verdict,
            version.verb,
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
            version.verb,
            version.content.body,
            None if secret is None else self.keys.encrypt(secret),
            None if checked.unknown is None else self._sealed(checked.unknown),
            checked.verdict,
            as_json([p.model_dump() for p in checked.problems]) if checked.problems else None,
            self.now,
        )

    def _sealed(self, unknown: Mapping[str, Any]) -> bytes:
        """Columns that no standard names may hold anything, identity numbers too."""
        return self.keys.encrypt(as_json(unknown).encode())

    async def _note_authority_codes(self, versions: Sequence[NewVersion]) -> None:
        """Which codes an authority was seen with, so that contradictions can be listed."""
        pairs = {
            (version.key[2], code)
            for version in versions
            if (code := getattr(version.checked.record, "authority_code", None))
            and not any(p.field.endswith("JGDM") for p in version.checked.problems)
        }
        await add_authority_codes(self.connection, sorted(pairs))


def _authority_names(batch: Iterable[tuple[int, Checked]]) -> set[str]:
    names = set()
    for _, checked in batch:
        if checked.key is not None:
            names.add(checked.key.authority)
        event = checked.event
        if event is not None and event.decision is not None:
            names.add(authority_key(event.decision.authority))
    return names
