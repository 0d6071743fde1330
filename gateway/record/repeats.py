"""Repeats by origin and bytes 重复接收: found at the start of a batch, stored at its end."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.check.checked import Checked
from gateway.check.raw import Raw
from gateway.record.recorded import Recorded
from gateway.record.result import Result
from gateway.store.audit import events
from gateway.store.base.engine import Connection
from gateway.store.record import inbox, quarantine
from gateway.store.record.inbox import Seen
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.verdict import Verdict


class Inbox:
    """The inbox 收件箱 for the items of one batch; the batch owns the transaction."""

    def __init__(
        self,
        connection: Connection,
        checked: Sequence[Checked],
        now: datetime,
        metrics: Metrics,
    ) -> None:
        self.connection = connection
        self.checked = checked
        self.now = now
        self.metrics = metrics
        self.results: dict[int, Result] = {}
        self.hashes = [bytes_hash(c.raw) for c in checked]
        self.origins: Mapping[str, int] = {}
        self.seen: Mapping[tuple[int, int], Seen] = {}

    async def unseen(self) -> list[int]:
        """Return the indexes of items that are not repeats.

        Other bytes at a known origin and position are processed, with a warning and an audit event.
        What was refused before and is readable now (it was read as another kind, or by a release
        with a fault) is processed too, and its quarantine item is resolved; unless it is resolved
        already, since what came of it may have been corrected, or was refused as the decisions
        stood, since only a person says that they stand otherwise now.
        """
        self.origins = await inbox.origins(self.connection, [c.raw.origin for c in self.checked])
        places = [(self.origins[c.raw.origin], c.raw.position) for c in self.checked]
        self.seen = await inbox.seen(self.connection, places)
        mended = await self._mended(places)
        fresh, reused = [], set()
        in_batch: dict[tuple[int, int], bytes] = {}
        for index, (checked, place) in enumerate(zip(self.checked, places, strict=True)):
            known = self.seen.get(place)
            hash_ = self.hashes[index]
            again = known is not None and bytes(known.bytes_hash) == hash_
            if in_batch.get(place) == hash_ or (again and index not in mended):
                self.results[index] = _seen_before(checked, known)
                continue
            if known is not None and not again:
                reused.add(checked.raw.origin)
            in_batch[place] = hash_
            fresh.append(index)
        await self._alert_reused(reused)
        return fresh

    async def _mended(self, places: Sequence[tuple[int, int]]) -> set[int]:
        """Resolve what was refused and is readable now; return the indexes of what was open."""
        readable = {
            index: known.quarantine_id
            for index, (checked, place) in enumerate(zip(self.checked, places, strict=True))
            if (known := self.seen.get(place)) is not None
            and known.quarantine_id is not None
            and known.verdict == Verdict.REFUSED
            and checked.verdict is not Verdict.REFUSED
            and bytes(known.bytes_hash) == self.hashes[index]
        }
        if not readable:
            return set()
        numbers = sorted(set(readable.values()))
        opened = await quarantine.resolve_readable(self.connection, numbers, self.now)
        return {index for index, number in readable.items() if number in opened}

    async def _alert_reused(self, reused: set[str]) -> None:
        for origin in sorted(reused):
            self.metrics.origin_reused.inc()
            logger.warning(LogEvent.ORIGIN_REUSED, extra={"origin": origin})
        entries = [
            events.AuditEntry(AuditEvent.ORIGIN_REUSED, {"origin": o}) for o in sorted(reused)
        ]
        await events.add(self.connection, entries, self.now)

    async def close(
        self, fresh: Sequence[int], recorded: Recorded, quarantined: Mapping[int, int]
    ) -> list[Result]:
        """Store the result of each item; return the results in the order of the batch."""
        rows = []
        changed = recorded.warned | recorded.refused
        for index in fresh:
            checked = changed.get(index, self.checked[index])
            version = recorded.version_of.get(index)
            rows.append(
                (
                    self.origins[checked.raw.origin],
                    checked.raw.position,
                    self.hashes[index],
                    checked.verdict,
                    version,
                    quarantined.get(index),
                    self.now,
                )
            )
            repeat = index in recorded.repeats
            self.results[index] = Result(checked, repeat, version, quarantined.get(index))
        last = _last_of_each_place(rows)
        await inbox.add(
            self.connection, [row for place, row in last.items() if place not in self.seen]
        )
        await inbox.change(
            self.connection, [row for place, row in last.items() if place in self.seen]
        )
        return [self.results[index] for index in range(len(self.checked))]


def _seen_before(checked: Checked, known: Seen | None) -> Result:
    if known is None:
        return Result(checked, repeat=True)
    return Result(checked, True, known.record_version_id, known.quarantine_id)


def _last_of_each_place(
    rows: Sequence[tuple[Any, ...]],
) -> dict[tuple[int, int], tuple[Any, ...]]:
    """Return the last row of each (origin id, position): a batch may hold one twice."""
    return {(row[0], row[1]): row for row in rows}


def bytes_hash(raw: Raw) -> bytes:
    """Return the hash that identifies the same bytes at the same origin."""
    return hashlib.blake2b(raw.body or b"", digest_size=16).digest()
