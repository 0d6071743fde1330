"""Compare our decisions with the rows of a platform 对账 (pure).

Rows are paired by kind, document number and subject; where two authorities use one number, also by
authority. Then the columns that both sides have are compared. Our side is held in memory; the rows
of the platform are a stream.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import orjson

from gateway.reconcile.columns import Mismatch, mismatches
from gateway.titles import EXCLUSIONS, STATES
from schemas.base import today
from schemas.codes import RecordKind
from schemas.delivery import DeliveryState
from schemas.identifiers import authority_key, document_number_key
from schemas.kinds import KINDS
from schemas.verdict import Exclusion

#: The wire column of the end of publication 公示截止期.
_PUBLISHED_UNTIL = "CF_GSJZQ"
_CODE = Mismatch("subject_code", "相对人代码", "", "")

Key = tuple[str, str, str]  #: kind, normalised document number, subject code


class DifferenceKind(StrEnum):
    """The six kinds of difference."""

    MISSING = "missing"  #: 漏报
    OVER_REPORTED = "over_reported"  #: 多报
    DUPLICATE = "duplicate"  #: 重复
    WRONG_VALUE = "wrong_value"  #: 错报
    LATE = "late"  #: 迟报
    NOT_VISIBLE = "not_visible"  #: 已报送未见公示


KIND_TITLES = {
    DifferenceKind.MISSING: "漏报",
    DifferenceKind.OVER_REPORTED: "多报",
    DifferenceKind.DUPLICATE: "重复",
    DifferenceKind.WRONG_VALUE: "错报",
    DifferenceKind.LATE: "迟报",
    DifferenceKind.NOT_VISIBLE: "已报送未见公示",
}


@dataclass(frozen=True, slots=True)
class Ours:
    """One decision of ours, and its state at the destination.

    `columns` is the body of the version last handed over, as JSON: unparsed bytes, because there
    may be a million, and a text with one Chinese letter takes twice as much. `owed` is false if the
    destination does not take the decision.
    """

    decision_id: int
    kind: str
    number_key: str
    subject_code: str
    person: bool
    authority: str
    columns: bytes
    owed: bool = True
    excluded: str | None = None
    withdrawn_at: datetime | None = None
    repaired: bool = False
    due: datetime | None = None
    state: DeliveryState | None = None
    handed_over_at: datetime | None = None
    accepted_at: datetime | None = None

    @property
    def key(self) -> Key:
        """The key for pairing."""
        return self.kind, self.number_key, self.subject_code


@dataclass(frozen=True, slots=True)
class Shown:
    """One row that the platform shows; `subject_code` of a natural person is our own code."""

    kind: str
    document_number: str
    subject_code: str
    columns: Mapping[str, Any]
    shown_at: datetime

    @property
    def key(self) -> Key:
        """The key for pairing."""
        return self.kind, document_number_key(self.document_number), self.subject_code


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference with its cause in Chinese, and since when; it corrects nothing."""

    kind: DifferenceKind
    decision_id: int | None
    key: Key
    cause: str
    since: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class _Pair:
    """One decision of ours with the rows seen for it."""

    ours: Ours
    times: int = 0
    shown_at: datetime | None = None
    wrong: tuple[Mismatch, ...] = ()


class Reconciling:
    """Compare all of our side with the platform's rows, taken one by one."""

    def __init__(self, ours: Iterable[Ours], now: datetime) -> None:
        self.now = now
        self.pairs: dict[Key, list[_Pair]] = {}
        self.strangers: list[Shown] = []
        for each in ours:
            self.pairs.setdefault(each.key, []).append(_Pair(each))

    def see(self, shown: Shown) -> None:
        """Pair one row of the platform."""
        pairs = self.pairs.get(shown.key)
        if pairs is None:
            self.strangers.append(shown)
        else:
            self._pair(pairs[0] if len(pairs) == 1 else _of_authority(pairs, shown), shown)

    def differences(self, *, visible: bool = True) -> list[Difference]:
        """Return all differences; `visible` is false if the platform has no listing."""
        self._pair_strangers()
        found: list[Difference] = []
        for pairs in self.pairs.values():
            for pair in pairs:
                found += self._of_pair(pair, visible=visible)
        return found + _over_reported(self.strangers)

    def _pair(self, pair: _Pair, shown: Shown, *wrong: Mismatch) -> None:
        """Pair a row; the columns of the row shown last are compared."""
        pair.times += 1
        if pair.shown_at is None or shown.shown_at >= pair.shown_at:
            ours = pair.ours
            columns = orjson.loads(ours.columns)
            found = mismatches(ours.kind, columns, shown.columns, person=ours.person)
            pair.shown_at, pair.wrong = shown.shown_at, (*wrong, *found)

    def _pair_strangers(self) -> None:
        """Pair one unseen decision and one unpaired row with the same number: its code is wrong."""
        if not self.strangers:
            return
        numbers = {stranger.key[:2] for stranger in self.strangers}
        unseen: dict[tuple[str, str], list[_Pair]] = {}
        for key, pairs in self.pairs.items():
            if key[:2] in numbers:
                unseen.setdefault(key[:2], []).extend(p for p in pairs if p.times == 0)
        strangers: dict[tuple[str, str], list[Shown]] = {}
        for stranger in self.strangers:
            strangers.setdefault(stranger.key[:2], []).append(stranger)
        self.strangers = []
        for number, rows in strangers.items():
            mine = unseen.get(number, [])
            if len(mine) == len(rows) == 1:
                self._pair(mine[0], rows[0], *(() if _is_masked(rows[0]) else (_CODE,)))
            else:
                self.strangers += rows

    # ------------------------------------------------------------ one decision

    def _of_pair(self, pair: _Pair, *, visible: bool) -> Iterable[Difference]:
        ours, shown_at = pair.ours, pair.shown_at
        if ours.excluded is not None or ours.withdrawn_at is not None:
            if shown_at is not None:
                yield self._should_not_be_there(ours, shown_at)
            return
        if pair.times > 1 and shown_at is not None:
            cause = f"平台同时显示{pair.times}条：重复报送，或更正后旧记录没有撤下"
            yield _difference(DifferenceKind.DUPLICATE, ours, cause, shown_at, times=pair.times)
        if pair.wrong and shown_at is not None:
            titles = "、".join(mismatch.title for mismatch in pair.wrong)
            yield _difference(
                DifferenceKind.WRONG_VALUE,
                ours,
                f"平台显示的与报送的不一致：{titles}",
                shown_at,
                columns=[asdict(mismatch) for mismatch in pair.wrong],
            )
        if ours.owed:
            yield from self._of_delivery(ours, shown=shown_at is not None, visible=visible)

    def _should_not_be_there(self, ours: Ours, shown_at: datetime) -> Difference:
        if ours.withdrawn_at is not None:
            cause = f"决定已撤回，平台仍在公示（最近一次报送：{_title(ours.state)}）"
            since = max(ours.withdrawn_at, shown_at)
        else:
            reason = EXCLUSIONS[Exclusion(str(ours.excluded))]
            cause, since = f"不予报送的决定（{reason}），平台却在公示", shown_at
        return _difference(DifferenceKind.OVER_REPORTED, ours, cause, since)

    def _of_delivery(self, ours: Ours, *, shown: bool, visible: bool) -> Iterable[Difference]:
        past_due = ours.due is not None and ours.due <= self.now
        state = _title(ours.state)
        if ours.handed_over_at is None:
            if past_due and ours.due is not None:
                there = "；平台已有该决定，可能由其他途径录入" if shown else ""
                cause = f"期限已过，尚未送达（{state}）{there}"
                yield _difference(DifferenceKind.MISSING, ours, cause, ours.due)
            return
        in_time = ours.accepted_at is not None and ours.due and ours.accepted_at < ours.due
        if past_due and ours.due is not None and not in_time:
            cause = f"期限内没有有效入库（{state}）"
            yield _difference(DifferenceKind.LATE, ours, cause, ours.due)
        if visible and not shown and self._should_be_visible(ours):
            if ours.accepted_at is not None:
                cause, since = "平台已接收，公示清单中没有", ours.accepted_at
            else:
                cause, since = f"已送达，平台未公示（{state}）", ours.handed_over_at
            yield _difference(DifferenceKind.NOT_VISIBLE, ours, cause, since)

    def _should_be_visible(self, ours: Ours) -> bool:
        """Whether it must be shown: not rejected, not repaired, and before its 公示截止期."""
        rejected = ours.state is DeliveryState.REJECTED and ours.accepted_at is None
        if ours.repaired or rejected:
            return False
        until = orjson.loads(ours.columns).get(_PUBLISHED_UNTIL)
        return until is None or date.fromisoformat(until) >= today(self.now)


def compare(ours: Iterable[Ours], shown: Iterable[Shown], now: datetime) -> list[Difference]:
    """Return the differences between our decisions and the rows of the platform."""
    comparison = Reconciling(ours, now)
    for row in shown:
        comparison.see(row)
    return comparison.differences()


def _of_authority(pairs: list[_Pair], shown: Shown) -> _Pair:
    """Return the pair of the authority in the row, else one not seen yet, else the first."""
    name = authority_key(str(shown.columns.get(KINDS[RecordKind(shown.kind)].authority_column, "")))
    named = [pair for pair in pairs if pair.ours.authority == name]
    unseen = [pair for pair in pairs if pair.times == 0]
    return (named or unseen or pairs)[0]


def _over_reported(strangers: Iterable[Shown]) -> list[Difference]:
    """Return one difference for each shown decision that is not ours."""
    by_key: dict[Key, list[Shown]] = {}
    for stranger in strangers:
        by_key.setdefault(stranger.key, []).append(stranger)
    cause = "平台公示的决定不在本单位登记之列：手工补录、文号写错，或有决定没有进入本系统"
    return [
        Difference(
            DifferenceKind.OVER_REPORTED,
            None,
            key,
            cause,
            min(row.shown_at for row in rows),
            {"times": len(rows)},
        )
        for key, rows in by_key.items()
    ]


def _is_masked(shown: Shown) -> bool:
    """Whether the platform masks the subject's number, so that it cannot contradict ours."""
    return not shown.subject_code or "*" in shown.subject_code


def _difference(
    kind: DifferenceKind, ours: Ours, cause: str, since: datetime, **detail: Any
) -> Difference:
    return Difference(kind, ours.decision_id, ours.key, cause, since, detail)


def _title(state: DeliveryState | None) -> str:
    return STATES[state] if state else "没有报送任务"
