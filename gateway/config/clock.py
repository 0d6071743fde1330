"""The source of the present time for all due and retry times; tests and the demo can move it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: Returns the present time, with a time zone.
Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Return the time of the machine."""
    return datetime.now(UTC)  # noqa: TID251  the only place


class SteppedClock:
    """A clock that stands still until it is moved, for the demo and the tests."""

    def __init__(self, start: datetime) -> None:
        self.moment = start

    def __call__(self) -> datetime:
        """Return the time it is set to."""
        return self.moment

    def step(self, by: timedelta) -> None:
        """Move forward."""
        self.moment += by

    def set(self, moment: datetime) -> None:
        """Set the time."""
        self.moment = moment
