"""Pair our decisions with the rows of another side 配对 (pure).

Rows are paired by kind, document number and subject; where two authorities use one number, also by
authority. Our side is held in memory; the rows of the other side are a stream, in which a later row
may correct or withdraw those of its decision before it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

import orjson

from gateway.reconcile.columns import EXACT, Mismatch, Tolerances, mismatches
from gateway.reconcile.difference import Key
from gateway.reconcile.pairs import Ours, Pair, Shown, Stranger
from schemas.codes import RecordKind, Verb
from schemas.identifiers import authority_key
from schemas.kinds import KINDS

_CODE = Mismatch("subject_code", "相对人代码", "", "")


class Pairing:
    """All of our side, paired with the rows of another side, which are taken one by one."""

    def __init__(self, ours: Iterable[Ours], tolerances: Tolerances = EXACT) -> None:
        self.tolerances = tolerances
        self.pairs: dict[Key, list[Pair]] = {}
        self.strangers: list[Stranger] = []
        self._numbers: set[tuple[str, str]] = set()
        self._looked_at = 0  #: strangers that `adopt` has seen
        self._add(ours)

    def _add(self, ours: Iterable[Ours]) -> None:
        for each in ours:
            self.pairs.setdefault(each.key, []).append(Pair(each))
            self._numbers.add(each.key[:2])

    @property
    def new_strangers(self) -> list[Stranger]:
        """The strangers since the last call of `adopt`, with their columns."""
        return self.strangers[self._looked_at :]

    def adopt(self, ours: Iterable[Ours]) -> None:
        """Add decisions that the new strangers name, and pair these again."""
        self._add(ours)
        rows = self.new_strangers
        del self.strangers[self._looked_at :]
        for one in rows:
            if one.row is not None and one.key in self.pairs:
                self.see(one.row)
            else:
                has_number = one.key[:2] in self._numbers
                self.strangers.append(one if has_number else replace(one, row=None))
        self._looked_at = len(self.strangers)

    def __iter__(self) -> Iterator[Pair]:
        """Yield the pair of each decision of ours."""
        for pairs in self.pairs.values():
            yield from pairs

    @property
    def ids(self) -> set[int]:
        """The decisions of ours that are compared."""
        return {pair.ours.decision_id for pair in self}

    def see(self, shown: Shown) -> None:
        """Pair one row; one that names another authority waits until all have been seen."""
        pairs = self.pairs.get(shown.key)
        if pairs is None or not _is_of(pairs, shown):
            about = _authority(shown), shown.shown_at, shown, shown.verb
            self.strangers.append(Stranger(shown.key, shown.day, *about))
        else:
            self._pair(pairs[0] if len(pairs) == 1 else _of_authority(pairs, shown), shown)

    def _pair(self, pair: Pair, shown: Shown, *wrong: Mismatch) -> None:
        """Pair a row; the columns of the row shown last are compared."""
        if shown.verb is not Verb.NEW:
            pair.forget()
            if shown.verb is Verb.WITHDRAW:
                return
        pair.times += 1
        if pair.shown_at is None or shown.shown_at >= pair.shown_at:
            ours = pair.ours
            columns = orjson.loads(ours.columns)
            found = mismatches(
                ours.kind, columns, shown.columns, person=ours.person, tolerances=self.tolerances
            )
            pair.shown_at, pair.wrong = shown.shown_at, (*wrong, *found)

    def pair_strangers(self) -> None:
        """Pair rows by less than kind, number, subject and authority, where nothing contradicts."""
        self._pair_by_number()
        self.strangers = _standing(self.strangers)

    def _pair_by_number(self) -> None:
        self.adopt(())
        strangers: dict[tuple[str, str], list[Stranger]] = {}
        for stranger in self.strangers:
            if stranger.row is not None:
                strangers.setdefault(stranger.key[:2], []).append(stranger)
        if not strangers:
            return
        ours: dict[tuple[str, str], list[Pair]] = {}
        for key, pairs in self.pairs.items():
            if key[:2] in strangers:
                ours.setdefault(key[:2], []).extend(pairs)
        left = [one for one in self.strangers if one.row is None]
        for number, rows in strangers.items():
            left += self._by_number(ours.get(number, []), rows)
        self.strangers = left

    def _by_number(self, mine: list[Pair], rows: list[Stranger]) -> list[Stranger]:
        """Pair rows with the decisions that have their number; return those that fit none.

        A row without a code fits the one decision of its authority, a person's first, since
        platforms mask persons. One whose authority is spelt otherwise fits the decision of its
        subject that was not seen; one with another code the one decision that was not seen, and
        its code is wrong.
        """
        left: list[Stranger] = []
        for one in rows:
            pair = _pair_of(mine, one)
            if pair is not None and one.row is not None:
                self._pair(pair, one.row)
            else:
                left.append(one)
        left = _standing(left)
        unseen = [pair for pair in mine if pair.times == 0]
        if len(unseen) == len(left) == 1 and not _is_masked(left[0].key):
            named, row = left[0].authority, left[0].row
            if row is not None and named in {"", unseen[0].ours.authority}:
                self._pair(unseen[0], row, _CODE)
                left = []
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
                seen[f"{row.day:%Y-%m}", row.key[0], row.authority] += 1
        return [(*of, count) for of, count in sorted(seen.items())]

    def strange_rows(self) -> dict[Key, list[Stranger]]:
        """Return the rows that are none of ours, by decision."""
        by_key: dict[Key, list[Stranger]] = {}
        for stranger in self.strangers:
            by_key.setdefault(stranger.key, []).append(stranger)
        return by_key


def _is_of(pairs: list[Pair], shown: Shown) -> bool:
    """Whether the row names no authority, or that of one of these decisions."""
    named = _authority(shown)
    return not named or any(pair.ours.authority == named for pair in pairs)


def _standing(strangers: Iterable[Stranger]) -> list[Stranger]:
    """Return the rows that no later one of their decision corrects or withdraws."""
    standing: dict[Key, list[Stranger]] = {}
    for one in strangers:
        rows = standing.setdefault(one.key, [])
        if one.verb is not Verb.NEW:
            rows.clear()
        if one.verb is not Verb.WITHDRAW:
            rows.append(one)
    return [one for rows in standing.values() for one in rows]


def _pair_of(mine: list[Pair], row: Stranger) -> Pair | None:
    """Return the one decision of its number that a row can be."""
    if row.verb is not Verb.NEW:
        return _former_pair(mine, row)
    return _masked_pair(mine, row) if _is_masked(row.key) else _unseen_subject(mine, row)


def _former_pair(mine: list[Pair], row: Stranger) -> Pair | None:
    """Return the one decision that a correction or withdrawal can be about, seen or not."""
    pool = [pair for pair in mine if _is_masked(row.key) or pair.ours.subject_code == row.key[2]]
    named = [pair for pair in pool if row.authority in {"", pair.ours.authority}] or pool
    return named[0] if len(named) == 1 else None


def _masked_pair(mine: list[Pair], row: Stranger) -> Pair | None:
    """Return the one decision that a row without a code can be: one not seen, if there is one."""
    named = [pair for pair in mine if row.authority in {"", pair.ours.authority}] or mine
    pool = [pair for pair in named if pair.times == 0] or named
    persons = [pair for pair in pool if pair.ours.person]
    for candidates in (persons, pool):
        if len(candidates) == 1:
            return candidates[0]
    return None


def _unseen_subject(mine: list[Pair], row: Stranger) -> Pair | None:
    """Return the decision of the row's subject that was not seen, whatever authority it names."""
    of_subject = [pair for pair in mine if pair.ours.subject_code == row.key[2]]
    unseen = [pair for pair in of_subject if pair.times == 0]
    return unseen[0] if len(of_subject) == len(unseen) == 1 else None


def _of_authority(pairs: list[Pair], shown: Shown) -> Pair:
    """Return the pair of the authority in the row, else one not seen yet, else the first."""
    named = [pair for pair in pairs if pair.ours.authority == _authority(shown)]
    unseen = [pair for pair in pairs if pair.times == 0]
    return (named or unseen or pairs)[0]


def _authority(shown: Shown) -> str:
    """Return the authority that a row names, normalised."""
    column = KINDS[RecordKind(shown.kind)].authority_column
    return authority_key(str(shown.columns.get(column, "")))


def _is_masked(key: Key) -> bool:
    """Whether the other side masks the subject's number, so that it cannot contradict ours."""
    return not key[2] or "*" in key[2]
