"""How audit events are hashed, one behind the other (pure).

The digest of an event is the SHA-256 of its canonical JSON; the hash of a link is the SHA-256 of
the hash before it and that digest. So whoever changes, removes or inserts an event changes all
hashes behind it, of which one is signed every day.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

#: The hash before the first link.
GENESIS = bytes(32)


@dataclass(frozen=True, slots=True)
class AuditedEvent:
    """An event as it was written."""

    id: int
    at: datetime
    event: str
    actor: str
    source: str | None
    detail: Mapping[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return it as values of JSON; times are UTC to the microsecond."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        told = {"id": self.id, "at": at, "event": self.event, "actor": self.actor}
        return {**told, "source": self.source, "detail": dict(self.detail)}


@dataclass(frozen=True, slots=True)
class Link:
    """One event in the chain; its content may be deleted once it is older than it is kept."""

    seq: int
    event_id: int
    at: datetime
    digest: bytes
    hash: bytes


def digest_of(event: Mapping[str, Any]) -> bytes:
    """Return the digest of the JSON of an event."""
    return hashlib.sha256(orjson.dumps(event, option=orjson.OPT_SORT_KEYS)).digest()


def hash_of(before: bytes, digest: bytes) -> bytes:
    """Return the hash of the link behind another one."""
    return hashlib.sha256(before + digest).digest()


def linked(seq: int, before: bytes, events: Iterable[AuditedEvent]) -> Iterator[Link]:
    """Yield the links of events behind the one with this number and hash."""
    for event in events:
        digest = digest_of(event.as_json())
        seq, before = seq + 1, hash_of(before, digest)
        yield Link(seq, event.id, event.at, digest, before)
