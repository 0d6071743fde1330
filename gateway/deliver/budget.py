"""How many calls a destination may have 限速 (pure): several windows at once, others at night."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from math import ceil, inf

from schemas.base import SHANGHAI
from schemas.destination import CallRate

#: Kept calls of a minute ago and before are told by the minute, the others by the second.
_MINUTE = 60
#: What is kept: times (seconds since 1970, rounded up), and how many calls each had.
Kept = Sequence[tuple[int, int]]


class CallBudget:
    """The calls of one destination, and when its rates permit the next one.

    Windows slide: in no span as long as that of a rate are there more calls than it permits,
    wherever the platform begins to count. Times are in seconds since 1970. Calls of a clock that
    was ahead count as made now: they are never doubled, and hold nothing up beyond a window.
    """

    def __init__(self, rates: Iterable[CallRate]) -> None:
        self.rates = tuple(rates)
        self._most = max((rate.calls for rate in self.rates), default=0)
        self._calls: list[float] = []  #: in order; at most those that any rate looks at, twice

    def take(self, at: float, times: int = 1) -> None:
        """Note calls that are made now."""
        self._see(at)
        self._calls += [at] * times
        if len(self._calls) > 2 * self._most:
            del self._calls[: len(self._calls) - self._most]

    def wait(self, at: float) -> float:
        """Return in how many seconds the next call may be made; 0 if it may now."""
        self._see(at)
        waits = (
            self._calls[-rate.calls] + rate.within.total_seconds() - at
            for rate in self._applying(at)
            if len(self._calls) >= rate.calls
        )
        return max(0.0, max(waits, default=0.0))

    def _see(self, now: float) -> None:
        if self._calls and self._calls[-1] > now:
            late = bisect_right(self._calls, now)
            self._calls[late:] = [now] * (len(self._calls) - late)

    def room(self, at: float, seconds: float) -> float:
        """Return about how many calls fit into the next seconds; infinite without a rate."""
        return min((self._room(rate, at, seconds) for rate in self._applying(at)), default=inf)

    def seconds_a_call(self, at: float) -> float:
        """Return how long a call takes in the long run, by the rates of this hour."""
        spans = (rate.within.total_seconds() / rate.calls for rate in self._applying(at))
        return max(spans, default=0.0)

    def _room(self, rate: CallRate, at: float, seconds: float) -> float:
        within = rate.within.total_seconds()
        if within < seconds:
            return rate.calls * seconds / within
        counted = len(self._calls) - bisect_right(self._calls, at + seconds - within)
        return max(0, rate.calls - counted)

    def _applying(self, at: float) -> Iterable[CallRate]:
        local = datetime.fromtimestamp(at, SHANGHAI).time()
        return (rate for rate in self.rates if rate.during is None or rate.during.covers(local))

    def kept(self, at: float, more: int = 0) -> Kept:
        """Return the calls for the next owner, with `more` that are about to be made.

        Times are rounded up, so that none counts for a shorter time than it should.
        """
        longest = max((rate.within.total_seconds() for rate in self.rates), default=0.0)
        counts: Counter[int] = Counter()
        for one in (*self._calls, *([at] * more)):
            if one > at - longest:
                recent = one > at - _MINUTE
                counts[ceil(one) if recent else ceil(one / _MINUTE) * _MINUTE] += 1
        return sorted(counts.items())

    def restore(self, kept: Kept) -> None:
        """Take over the calls of an earlier owner, in place of those known here."""
        self._calls = [float(at) for at, times in sorted(kept) for _ in range(times)]
