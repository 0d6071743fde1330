"""The pace of calls to one destination: each waits for its turn within the permitted rates."""

import asyncio
from collections.abc import Callable
from math import inf

from gateway.config.clock import Clock
from gateway.deliver.budget import CallBudget, Kept
from schemas.destination import Destination

#: A claim takes at most the calls of this many seconds, and a turn is awaited no longer.
AHEAD_SECONDS = 10.0


class Pace:
    """The turns of the callers of one destination, in this process, which owns it.

    The budget goes with the ownership: `kept` is stored before the calls of a claim, and
    `restore` takes over what the owner before has left.
    """

    def __init__(self, destination: Destination, clock: Clock) -> None:
        self._clock = clock
        self._budget = CallBudget(destination.rates)
        self._turns = asyncio.Lock()
        self.is_limited = bool(destination.rates)
        self.is_new = False  #: calls were made that are not stored

    def restore(self, kept: Kept) -> None:
        """Take over the calls of the owner before."""
        self._budget.restore(kept)

    def kept(self, more: int = 0) -> Kept:
        """Return the calls to be stored, with `more` that are about to be made."""
        return self._budget.kept(self._now(), more)

    def calls_within(self, most: int, seconds: float) -> int:
        """Return how many of `most` calls fit into `seconds` at the permitted rates; at least 1."""
        room = self._budget.room(self._now(), seconds)
        return most if room == inf else min(most, max(1, int(room)))

    def seconds_to_turn(self) -> float:
        """Return how long the permitted rates make the next call wait."""
        return self._budget.wait(self._now())

    def seconds_a_call(self) -> float:
        """Return how long a call takes in the long run, by the rates of this hour."""
        return self._budget.seconds_a_call(self._now())

    def take(self) -> None:
        """Note a call that could not wait for its turn, such as one that is tried again at once."""
        if self.is_limited:
            self._budget.take(self._now())
            self.is_new = True

    async def turn(self, ends: Callable[[], bool]) -> bool:
        """Wait until the permitted rates allow a call; return whether it is to be made.

        It is not if `ends` says so by then, or if it would have to wait long: the turn is then left
        to a later call.
        """
        if not self.is_limited:
            return not ends()
        async with self._turns:
            at = self._now()
            wait = self._budget.wait(at)
            if ends() or wait > AHEAD_SECONDS:
                return False
            if wait > 0:
                await asyncio.sleep(wait)
                if ends():
                    return False
            self._budget.take(max(at + wait, self._now()))
            self.is_new = True
            return True

    def _now(self) -> float:
        return self._clock().timestamp()
