"""Judge our decisions against the register of the case system 案件登记 (pure).

The register says what was decided: what it has and we have not was not entered 漏录入, and what we
have and it has not was never decided, or has another number there. What it has and was withdrawn
here is missing, too: nobody shows it any more.
"""

from collections.abc import Callable, Iterator, Set
from datetime import date, datetime, timedelta

from gateway.reconcile.compare import of_pairs, wrong_flags
from gateway.reconcile.difference import Difference, DifferenceKind, Flag, difference
from gateway.reconcile.lasting import ALL_KINDS, Examined
from gateway.reconcile.pairing import Pairing
from gateway.reconcile.pairs import Ours, Pair
from schemas.base import SHANGHAI, end_of, last_moment
from schemas.kinds import DOUBLE_PUBLICITY
from schemas.obligation import DueTime

_MINUTE = "%Y-%m-%d %H:%M"


class RegisterUnread(Exception):
    """A register cannot be read to its end; the message says why in Chinese."""


class SourceRegister:
    """The judgement of one register as of a time.

    `entered_by` returns by when a decision of a day has to be here; None: there is no clock of
    entry; by a provisional one nobody was late. `complete_until`: up to when the register is
    complete; what came here within `settle` before it may not be in it yet, nor what was decided so
    recently be here. Where it is not `is_whole`, a row that could not be read may be any decision
    that it seems not to have. It says nothing of decisions of other kinds than `kinds`.
    """

    def __init__(
        self,
        now: datetime,
        complete_until: datetime,
        settle: timedelta,
        entered_by: Callable[[date], DueTime] | None,
        *,
        is_whole: bool = True,
        kinds: Set[str] = frozenset(DOUBLE_PUBLICITY),
    ) -> None:
        self.now = now
        self.settle = settle
        self.is_whole = is_whole
        self.kinds = kinds
        self._unsettled: set[int] = set()
        self.settled = complete_until - settle
        self.entered_by = entered_by

    def differences(self, pairing: Pairing) -> list[Difference]:
        """Return all differences of what was paired."""
        return [*of_pairs(pairing, self._flags), *self._missing(pairing)]

    def examined(self, pairing: Pairing, first: date, end: date) -> Examined:
        """Return what could be seen in this run, after `differences`."""
        return Examined(
            decisions=pairing.ids,
            kinds=ALL_KINDS,
            unsettled=self._unsettled,
            absence=DifferenceKind.OVER_REPORTED,
            first=first,
            end=end,
            since=datetime.min.replace(tzinfo=SHANGHAI),
        )

    def _flags(self, pair: Pair) -> Iterator[Flag]:
        ours, shown_at = pair.ours, pair.shown_at
        if ours.withdrawn_at is not None:
            if ours.excluded is None:  # 不予报送 stands in a register all the same
                yield from self._withdrawn_here(ours.withdrawn_at, shown_at)
        elif shown_at is not None:
            yield from wrong_flags(pair, shown_at, "登记", "本系统")
        elif not self._is_settled(ours):
            self._unsettled.add(ours.decision_id)
        else:
            cause = "登记里没有这个决定：漏登、文号写得不同，或本不应报送"
            action = "按决定书核对：登记漏了的补登；不应报送的撤回（withdraw）"
            yield Flag(DifferenceKind.OVER_REPORTED, cause, action, _entered(ours))
        by = self.entered_by(ours.day) if self.entered_by else None
        if by is not None and not by.provisional and _entered(ours) >= by.at:
            entered = _entered(ours).astimezone(SHANGHAI).strftime(_MINUTE)
            cause = f"{entered} 才录入，录入期限是 {_last_minute(by.at)}"
            yield Flag(DifferenceKind.LATE, cause, "按录入期限录入；已录入的写明原因", by.at)

    def _withdrawn_here(self, withdrawn_at: datetime, shown_at: datetime | None) -> Iterator[Flag]:
        """Yield that it stands in the register, which may not know yet what was withdrawn now."""
        if shown_at is not None and withdrawn_at <= self.settled:
            at = withdrawn_at.astimezone(SHANGHAI).strftime(_MINUTE)
            cause = f"本系统 {at} 已撤回，登记仍有"
            action = "按决定书核对：决定有效的，重新录入报送；确已撤销的，请登记改正"
            yield Flag(DifferenceKind.MISSING, cause, action, withdrawn_at)

    def _is_settled(self, ours: Ours) -> bool:
        """Whether the register would have it by now, and every row of it was read."""
        return self.is_whole and ours.kind in self.kinds and _entered(ours) <= self.settled

    def _missing(self, pairing: Pairing) -> Iterator[Difference]:
        for key, rows in pairing.strange_rows().items():
            day = rows[0].day
            by = self.now if day is None else self._here_by(day)
            if by <= self.now:
                cause = "登记里有，本系统没有：没有录入，或录入时被拒收（见 quarantine list）"
                action = "录入这个决定；在隔离区的，更正后重放"
                flag = Flag(DifferenceKind.MISSING, cause, action, by, {"times": len(rows)})
                yield from difference(key, None, day, [flag])

    def _here_by(self, day: date) -> datetime:
        return self.entered_by(day).at if self.entered_by else end_of(day) + self.settle


def _entered(ours: Ours) -> datetime:
    if ours.entered_at is None:
        raise ValueError("a decision that is compared with a register has its time of entry")
    return ours.entered_at


def _last_minute(by: datetime) -> str:
    return last_moment(by).strftime(_MINUTE)
