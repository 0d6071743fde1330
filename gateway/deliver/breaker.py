"""The circuit breaker 熔断 of one destination (pure): closed, open, or half-open with one probe."""

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


@dataclass(frozen=True, slots=True)
class Breaker:
    """The state, the end of the pause while it is open, and the calls failed in a row."""

    state: BreakerState = BreakerState.CLOSED
    until: datetime | None = None
    failures: int = 0

    def at(self, now: datetime) -> "Breaker":
        """Return the breaker at this time: an open one becomes half-open when its pause ends."""
        if self.state is BreakerState.OPEN and self.until is not None and now >= self.until:
            return Breaker(BreakerState.HALF_OPEN, None, self.failures)
        return self

    def succeeded(self) -> "Breaker":
        """Return the breaker after an answered call: closed, no failures."""
        return Breaker()

    def failed(self, now: datetime, *, at_once: bool = False) -> "Breaker":
        """Return the breaker after a failed call; `at_once`: open it whatever the count."""
        failures = self.failures + 1
        opens = at_once or failures >= THRESHOLD or self.state is BreakerState.HALF_OPEN
        if not opens:
            return Breaker(self.state, None, failures)
        doublings = max(0, failures - THRESHOLD)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(doublings, 10))
        return Breaker(BreakerState.OPEN, now + pause, failures)
