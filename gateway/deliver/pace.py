"""The pace of calls to one destination: each waits for its turn within the permitted rates."""

import asyncio
from collections.abc import Callable
from math import inf

from gateway.config.clock import Clock
from gateway.deliver.budget import CallBudget, Kept
from schemas.destination import CallRate, Destination

#: A claim takes at most the calls of this many seconds, and a turn is awaited no longer.
AHEAD_SECONDS = 10.0


#: Of the calls of each window, one in so many is for receipts, spread over it: a queue would else
#: leave none for them, and asking every few seconds none for the queue.
ASKS = 5
#: Seconds of the shortest wait: times are fractions, and may fall short by a rounding.
_TICK = 0.001


class Pace:
    """The turns of the callers of one destination, in this process, which owns it.

    The budget goes with the ownership: `kept` is stored before the calls of a claim, and
    `restore` takes over what the owner before has left.
    """

    def __init__(self, destination: Destination, clock: Clock, *, asks: bool = False) -> None:
        """Take the rates; `asks`: the destination is asked for receipts besides what is sent."""
        self._clock = clock
        self._budget = CallBudget(destination.rates)
        self._sends = CallBudget(map(_of_sends, destination.rates) if asks else ())
        self._asks = CallBudget(map(_of_asks, destination.rates) if asks else ())
        #: One after the other, in their order: those that send, and those that ask for receipts.
        self._in_order = {False: asyncio.Lock(), True: asyncio.Lock()}
        self._reserved = 0
        self.is_limited = bool(destination.rates)
        self.is_new = False  #: calls were made that are not stored

    def restore(self, kept: Kept) -> None:
        """Take over the calls of the owner before."""
        self._budget.restore(kept)
        self._sends.restore(kept)

    def reserve(self, calls: int) -> None:
        """Note how many calls of a claim are still to be made: 0 once it is over."""
        self._reserved = calls

    def kept(self) -> Kept:
        """Return the calls to be stored: those made, and those that are reserved."""
        return self._budget.kept(self._now(), self._reserved)

    def calls_within(self, most: int, seconds: float) -> int:
        """Return how many of `most` calls fit into `seconds` at the permitted rates; at least 1."""
        now = self._now()
        room = min(self._budget.room(now, seconds), self._sends.room(now, seconds))
        return most if room == inf else min(most, max(1, int(room)))

    def seconds_to_turn(self) -> float:
        """Return how long the permitted rates make the next send wait."""
        now = self._now()
        return max(self._budget.wait(now), self._sends.wait(now))

    def seconds_a_call(self) -> float:
        """Return how long a call takes in the long run, by the rates of this hour."""
        return self._budget.seconds_a_call(self._now())

    def take(self) -> None:
        """Note a send that has not waited for its turn, such as one that is tried again at once."""
        if self.is_limited:
            self._take(self._sends, self._now())

    def _take(self, own: CallBudget, at: float) -> None:
        own.take(at)
        self._budget.take(at)
        self.is_new = True

    async def turn(self, ends: Callable[[], bool], *, asking: bool = False) -> bool:
        """Wait until the permitted rates allow a call; return whether it is to be made.

        It is not if `ends` says so by then, or if it would have to wait long: the turn is then left
        to a later call. `asking`: it is one for receipts.
        """
        if not self.is_limited:
            return not ends()
        own = self._asks if asking else self._sends
        async with self._in_order[asking]:
            ahead = AHEAD_SECONDS
            while True:
                at = self._now()
                # Others may have had the turn for which this one has waited.
                wait = max(self._budget.wait(at), own.wait(at))
                if ends() or wait > ahead:
                    return False
                if wait <= 0:
                    break
                wait = max(wait, _TICK)
                ahead -= wait
                await asyncio.sleep(wait)
            self._take(own, at)
            self._reserved = max(0, self._reserved - (not asking))
            return True

    def _now(self) -> float:
        return self._clock().timestamp()


def _of_sends(rate: CallRate) -> CallRate:
    """Return what a rate leaves for all but receipts; of few calls, that of several windows."""
    windows = 1 if rate.calls >= ASKS else ASKS
    calls = rate.calls * windows * (ASKS - 1) // ASKS
    return rate.model_copy(update={"calls": calls, "within": rate.within * windows})


def _of_asks(rate: CallRate) -> CallRate:
    """Return the calls for receipts, one at a time, evenly over the window."""
    return rate.model_copy(update={"calls": 1, "within": rate.within * ASKS / rate.calls})
