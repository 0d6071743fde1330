"""What a run says of the differences that stand 差异的延续 (pure).

A run mends only what it could see: a decision that it compared, and a kind of difference that it
could judge. Everything else stands as it was.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gateway.reconcile.difference import GRAVEST, DifferenceKind
from schemas.reconciled import FoundDifference, OpenDifference

ALL_KINDS = frozenset(DifferenceKind)
_OF_CONTENT = frozenset({DifferenceKind.WRONG_VALUE, DifferenceKind.DUPLICATE})
#: Kinds that our own records show, without the other side.
OWN_KINDS = frozenset({DifferenceKind.MISSING, DifferenceKind.LATE})


@dataclass(frozen=True, slots=True)
class Examined:
    """What a run has seen.

    `decisions` are ours that it compared, `kinds` what it could judge of them; of those in
    `unsettled` it cannot say yet whether they are there (`absence`). Rows of others were read from
    the decision date `first` to the day before `end`, and those without a date if they were shown
    from `since` on; None: no rows were read.
    """

    decisions: Set[int]
    kinds: frozenset[DifferenceKind]
    unsettled: Set[int]
    absence: DifferenceKind
    first: date
    end: date
    since: datetime | None
    lagging: Set[int] = frozenset()  #: their content cannot be judged yet

    def kinds_of(self, one: OpenDifference) -> frozenset[DifferenceKind]:
        """Return the kinds that the run could judge of a difference that stands."""
        if one.decision_id is None:
            return ALL_KINDS if self._reads(one) else frozenset()
        if one.decision_id not in self.decisions:
            return frozenset()
        kinds = self.kinds
        if one.decision_id in self.unsettled:
            kinds -= {self.absence}
        if one.decision_id in self.lagging:
            kinds -= _OF_CONTENT
        return kinds

    def _reads(self, one: OpenDifference) -> bool:
        if self.since is None:
            return False
        if one.day is None:
            return self.since <= one.since
        return self.first <= one.day < self.end


@dataclass(frozen=True, slots=True)
class RunResult:
    """What is to be stored of a run: differences as they are now, and those that are mended."""

    standing: Sequence[FoundDifference]
    mended: Sequence[int]


def result_of(
    before: Iterable[OpenDifference], found: Iterable[FoundDifference], examined: Examined
) -> RunResult:
    """Return what a run makes of the differences that stood before it."""
    new = {one.identity: one for one in found}
    standing: list[FoundDifference] = []
    mended: list[int] = []
    for one in before:
        judged = examined.kinds_of(one)
        left = [flag for flag in one.flags if DifferenceKind(flag["kind"]) not in judged]
        now = new.pop(one.identity, None)
        if now is not None:
            standing.append(_lasting(now, one, left))
        elif not left:
            mended.append(one.id)
        elif len(left) < len(one.flags):
            standing.append(_of_flags(one.found, left))
    return RunResult([*standing, *new.values()], mended)


def _lasting(
    now: FoundDifference, before: OpenDifference, left: Sequence[Mapping[str, Any]]
) -> FoundDifference:
    """Return a difference with the flags of now and those that could not be judged.

    A flag of the same kind has stood since it was seen first.
    """
    since = {flag["kind"]: flag["since"] for flag in before.flags}
    flags = [
        {**flag, "since": min(flag["since"], since.get(flag["kind"], flag["since"]))}
        for flag in now.flags
    ]
    kinds = {flag["kind"] for flag in flags}
    return _of_flags(now, [*flags, *(flag for flag in left if flag["kind"] not in kinds)])


def _of_flags(one: FoundDifference, flags: Sequence[Mapping[str, Any]]) -> FoundDifference:
    ordered = sorted(flags, key=lambda flag: GRAVEST.index(flag["kind"]))
    since = min(datetime.fromisoformat(flag["since"]) for flag in flags)
    return replace(one, flags=ordered, since=since)
