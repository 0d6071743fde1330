"""A difference 对账差异 as a run finds it, and as it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class FoundDifference:
    """A difference as a run found it; `identity` is the same in every run, `key` is for people.

    Each flag has kind, cause, action, since and detail; times are texts in UTC.
    """

    identity: str
    decision_id: int | None
    key: str
    day: date | None
    flags: Sequence[Mapping[str, Any]]
    since: datetime

    @property
    def words(self) -> str:
        """What it says: an explanation is of these words, with the values that differ."""
        return "；".join(map(_words, self.flags))


def _words(flag: Mapping[str, Any]) -> str:
    columns = flag["detail"].get("columns", ())
    values = "、".join(f"{one['column']} {one['ours']} {one['shown']}" for one in columns)
    return f"{flag['kind']}：{flag['cause']}" + (f"（{values}）" if values else "")


@dataclass(frozen=True, slots=True)
class OpenDifference:
    """A difference that stands, with its number."""

    id: int
    found: FoundDifference

    @property
    def identity(self) -> str:
        """The same in every run."""
        return self.found.identity

    @property
    def decision_id(self) -> int | None:
        """The decision of ours, if it is one."""
        return self.found.decision_id

    @property
    def day(self) -> date | None:
        """The decision date, if it is known."""
        return self.found.day

    @property
    def flags(self) -> Sequence[Mapping[str, Any]]:
        """What is wrong with it."""
        return self.found.flags

    @property
    def since(self) -> datetime:
        """Since when the oldest flag stands."""
        return self.found.since
