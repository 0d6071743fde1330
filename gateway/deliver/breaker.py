"""The circuit breaker of one destination (pure): closed, open, half-open with a single probe."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: Calls in a row that must fail before the breaker opens.
THRESHOLD = 5
#: How long it stays open the first time; doubled each time up to the cap.
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)


class BreakerState(StrEnum):
    """Whether calls go out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state, until when it is open, and how many calls failed in a row."""

    state: BreakerState = BreakerState.CLOSED
    until: datetime | None = None
    failures: int = 0

    def at(self, now: datetime) -> "Breaker":
        """The breaker at a moment: an open one becomes half-open when its pause ends."""
        if self.state is BreakerState.OPEN and self.until is not None and now >= self.until:
            return Breaker(BreakerState.HALF_OPEN, None, self.failures)
        return self

    def succeeded(self) -> "Breaker":
        """A call was answered: closed, and counting from nothing."""
        return Breaker()

    def failed(self, now: datetime, *, at_once: bool = False) -> "Breaker":
        """A call was not answered, or (`at_once`) refused as a whole."""
        failures = self.failures + 1
        opens = at_once or failures >= THRESHOLD or self.state is BreakerState.HALF_OPEN
        if not opens:
            return Breaker(self.state, None, failures)
        doublings = max(0, failures - THRESHOLD)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(doublings, 10))
        return Breaker(BreakerState.OPEN, now + pause, failures)
