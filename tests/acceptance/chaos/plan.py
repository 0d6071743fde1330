"""What goes wrong when: the same from the same seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from tests.acceptance.chaos.proxy import Fault

#: Shares of the steps at which a process is killed, or stopped in order; at which all is well.
KILLED, STOPPED, CALM = 0.35, 0.1, 0.15
#: How many things go wrong at once, and how often.
AT_ONCE = {1: 6, 2: 3, 3: 1}
#: Seconds of the shortest step.
SHORTEST = 0.3


class End(StrEnum):
    """How a process ends."""

    KILLED = "killed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One step: for how long, what goes wrong where, and which process ends at its start."""

    seconds: float
    faults: Mapping[str, Fault]
    process: int = 0
    end: End | None = None


def plan(
    chance: Random, seconds: float, longest: float, places: Sequence[str], faults: Sequence[Fault]
) -> Iterator[Trouble]:
    """Yield steps for so many seconds; each fault comes first once, then by chance."""
    first = chance.sample(faults, len(faults))
    while seconds > 0:
        lasts = chance.uniform(SHORTEST, longest)
        seconds -= lasts
        if first:
            yield Trouble(lasts, {chance.choice(places): first.pop()}, *_ended(chance))
        elif chance.random() < CALM:
            yield Trouble(lasts, {}, *_ended(chance))
        else:
            [count] = chance.choices(list(AT_ONCE), list(AT_ONCE.values()))
            where = chance.sample(places, count)
            yield Trouble(lasts, {one: chance.choice(faults) for one in where}, *_ended(chance))


def _ended(chance: Random) -> tuple[int, End | None]:
    process, what = chance.randint(0, 1), chance.random()
    if what < KILLED:
        return process, End.KILLED
    return process, End.STOPPED if what < KILLED + STOPPED else None
