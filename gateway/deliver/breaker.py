"""The circuit breaker 熔断 of calls of one kind (pure): closed, open, or half-open with a probe."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: Calls in a row that must fail before the breaker opens.
THRESHOLD = 5
#: The first pause; it doubles with each further failure, up to the longest one.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)


class BreakerState(StrEnum):
    """Whether calls are sent: all, none, or one probe."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Act(StrEnum):
    """A kind of call to a destination; each has its breaker, since each may fail alone."""

    SEND = "send"
    LOOK_UP = "look_up"
    SILENCE = "silence"  #: a look-up of what was handed over long ago
    RECEIPTS = "receipts"


#: These calls ask for items and hand nothing over.
ASKING = frozenset({Act.LOOK_UP, Act.SILENCE})


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state, the end of the pause while it is open, and the calls failed in a row."""

    state: BreakerState = BreakerState.CLOSED
    until: datetime | None = None
    failures: int = 0

    def at(self, now: datetime) -> "Breaker":
        """Return the breaker at this time: an open one becomes half-open when its pause ends.

        No pause is longer than the longest: an end beyond it is of a clock that was wrong.
        """
        if self.state is not BreakerState.OPEN or self.until is None:
            return self
        if now < self.until <= now + LONGEST_PAUSE:
            return self
        return Breaker(BreakerState.HALF_OPEN, None, self.failures)

    def succeeded(self) -> "Breaker":
        """Return the breaker after an answered call: closed, no failures."""
        return Breaker()

    def failed(
        self, now: datetime, *, at_once: bool = False, asked: timedelta | None = None
    ) -> "Breaker":
        """Return the breaker after a failed call; `at_once`: open it whatever the count.

        `asked` is the pause that the destination asked for (Retry-After).
        """
        failures = self.failures + 1
        opens = at_once or failures >= THRESHOLD or self.state is BreakerState.HALF_OPEN
        if not opens:
            return Breaker(self.state, None, failures)
        doublings = max(0, failures - THRESHOLD)
        pause = max(FIRST_PAUSE * 2 ** min(doublings, 10), asked or timedelta(0))
        pause = min(LONGEST_PAUSE, pause)
        return Breaker(BreakerState.OPEN, now + pause, failures)
