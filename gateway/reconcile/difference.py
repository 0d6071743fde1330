"""The differences of two sides 对账差异: six kinds, and what mends each (pure).

One decision with faults is one difference, whatever the number of its flags.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

Key = tuple[str, str, str]  #: kind, normalised document number, subject code


class DifferenceKind(StrEnum):
    """The six kinds of difference, the gravest first."""

    MISSING = "missing"  #: 漏报
    NOT_VISIBLE = "not_visible"  #: 已报送未见公示
    OVER_REPORTED = "over_reported"  #: 多报
    WRONG_VALUE = "wrong_value"  #: 错报
    DUPLICATE = "duplicate"  #: 重复
    LATE = "late"  #: 迟报


KIND_TITLES = {
    DifferenceKind.MISSING: "漏报",
    DifferenceKind.NOT_VISIBLE: "已报送未见公示",
    DifferenceKind.OVER_REPORTED: "多报",
    DifferenceKind.WRONG_VALUE: "错报",
    DifferenceKind.DUPLICATE: "重复",
    DifferenceKind.LATE: "迟报",
}
#: The kinds, the gravest first.
GRAVEST = list(DifferenceKind)


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that is wrong: its cause and what mends it in Chinese, and since when."""

    kind: DifferenceKind
    cause: str
    action: str
    since: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One decision on which two sides differ, with all its flags, the gravest first.

    Without a `decision_id` it is not one of ours; `day` is its decision date, if it has one.
    """

    key: Key
    decision_id: int | None
    day: date | None
    flags: tuple[Flag, ...]


def difference(
    key: Key, decision_id: int | None, day: date | None, flags: Iterable[Flag]
) -> Iterable[Difference]:
    """Yield the difference of these flags; without a flag there is none."""
    if found := sorted(flags, key=lambda flag: GRAVEST.index(flag.kind)):
        yield Difference(key, decision_id, day, tuple(found))
