"""Pair our decisions with the rows of another side 配对 (pure).

Rows are paired by kind, document number and subject; where two authorities use one number, also by
authority. Our side is held in memory; the rows of the other side are a stream.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from gateway.check.dates import parse_date
from gateway.reconcile.columns import EXACT, Mismatch, Tolerances, mismatches
from gateway.reconcile.difference import Key
from schemas.codes import RecordKind
from schemas.delivery import DeliveryState
from schemas.identifiers import authority_key, document_number_key
from schemas.kinds import KINDS

_CODE = Mismatch("subject_code", "相对人代码", "", "")


@dataclass(frozen=True, slots=True)
class Ours:
    """One decision of ours, and its state at the destination, if it is compared with one.

    `columns` is the body of the version last handed over, as JSON: unparsed bytes, because there
    may be a million, and a text with one Chinese letter takes twice as much. `owed` is false if the
    destination does not take the decision. `entered_at`: when its first version came.
    """

    decision_id: int
    kind: str
    number_key: str
    subject_code: str
    person: bool
    authority: str
    columns: bytes
    day: date
    owed: bool = True
    excluded: str | None = None
    withdrawn_at: datetime | None = None
    repaired: bool = False
    due: datetime | None = None
    delivery_id: int | None = None
    state: DeliveryState | None = None
    handed_over_at: datetime | None = None
    accepted_at: datetime | None = None
    entered_at: datetime | None = None

    @property
    def key(self) -> Key:
        """The key for pairing."""
        return self.kind, self.number_key, self.subject_code


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the other side; `subject_code` of a natural person is our own code."""

    kind: str
    document_number: str
    subject_code: str
    columns: Mapping[str, Any]
    shown_at: datetime

    @property
    def key(self) -> Key:
        """The key for pairing."""
        return self.kind, document_number_key(self.document_number), self.subject_code

    @property
    def day(self) -> date | None:
        """The decision date, if it can be read."""
        column = KINDS[RecordKind(self.kind)].date_column
        return parse_date(str(self.columns.get(column, "")).strip())


@dataclass(slots=True)
class Pair:
    """One decision of ours with the rows seen for it; `wrong` are the columns of the last one."""

    ours: Ours
    times: int = 0
    shown_at: datetime | None = None
    wrong: tuple[Mismatch, ...] = ()


class Pairing:
    """All of our side, paired with the rows of another side, which are taken one by one."""

    def __init__(self, ours: Iterable[Ours], tolerances: Tolerances = EXACT) -> None:
        self.tolerances = tolerances
        self.pairs: dict[Key, list[Pair]] = {}
        self.strangers: list[Shown] = []  #: rows that are none of ours
        for each in ours:
            self.pairs.setdefault(each.key, []).append(Pair(each))

    def __iter__(self) -> Iterator[Pair]:
        """Yield the pair of each decision of ours."""
        for pairs in self.pairs.values():
            yield from pairs

    def see(self, shown: Shown) -> None:
        """Pair one row."""
        pairs = self.pairs.get(shown.key)
        if pairs is None:
            self.strangers.append(shown)
        else:
            self._pair(pairs[0] if len(pairs) == 1 else _of_authority(pairs, shown), shown)

    def _pair(self, pair: Pair, shown: Shown, *wrong: Mismatch) -> None:
        """Pair a row; the columns of the row shown last are compared."""
        pair.times += 1
        if pair.shown_at is None or shown.shown_at >= pair.shown_at:
            ours = pair.ours
            columns = orjson.loads(ours.columns)
            found = mismatches(
                ours.kind, columns, shown.columns, person=ours.person, tolerances=self.tolerances
            )
            pair.shown_at, pair.wrong = shown.shown_at, (*wrong, *found)

    def pair_strangers(self) -> None:
        """Pair rows by the number alone: those without a code, and one whose code is wrong."""
        if not self.strangers:
            return
        strangers: dict[tuple[str, str], list[Shown]] = {}
        for stranger in self.strangers:
            strangers.setdefault(stranger.key[:2], []).append(stranger)
        ours: dict[tuple[str, str], list[Pair]] = {}
        for key, pairs in self.pairs.items():
            if key[:2] in strangers:
                ours.setdefault(key[:2], []).extend(pairs)
        self.strangers = []
        for number, rows in strangers.items():
            self.strangers += self._by_number(ours.get(number, []), rows)

    def _by_number(self, mine: list[Pair], rows: list[Shown]) -> list[Shown]:
        """Pair rows with the decisions that have their number; return those that fit none.

        A row without a code fits the one decision of its authority; one with another code fits the
        one decision that was not seen, and its code is wrong.
        """
        left = []
        for row in rows:
            named = [pair for pair in mine if pair.ours.authority == _authority(row)] or mine
            if _is_masked(row) and len(named) == 1:
                self._pair(named[0], row)
            else:
                left.append(row)
        unseen = [pair for pair in mine if pair.times == 0]
        if len(unseen) == len(left) == 1 and not _is_masked(left[0]):
            self._pair(unseen[0], left.pop(), _CODE)
        return left

    def counts(self) -> list[tuple[str, str, str, int]]:
        """Return month, kind and authority of the rows that were seen, and how many there are."""
        seen = Counter(
            (f"{pair.ours.day:%Y-%m}", pair.ours.kind, pair.ours.authority)
            for pair in self
            if pair.times
        )
        for row in self.strangers:
            if row.day is not None:
                seen[f"{row.day:%Y-%m}", row.kind, _authority(row)] += 1
        return [(*of, count) for of, count in sorted(seen.items())]

    def strange_rows(self) -> dict[Key, list[Shown]]:
        """Return the rows that are none of ours, by decision."""
        by_key: dict[Key, list[Shown]] = {}
        for stranger in self.strangers:
            by_key.setdefault(stranger.key, []).append(stranger)
        return by_key


def _of_authority(pairs: list[Pair], shown: Shown) -> Pair:
    """Return the pair of the authority in the row, else one not seen yet, else the first."""
    named = [pair for pair in pairs if pair.ours.authority == _authority(shown)]
    unseen = [pair for pair in pairs if pair.times == 0]
    return (named or unseen or pairs)[0]


def _authority(shown: Shown) -> str:
    column = KINDS[RecordKind(shown.kind)].authority_column
    return authority_key(str(shown.columns.get(column, "")))


def _is_masked(shown: Shown) -> bool:
    """Whether the other side masks the subject's number, so that it cannot contradict ours."""
    return not shown.subject_code or "*" in shown.subject_code
