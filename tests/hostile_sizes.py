"""Others' bytes at the size that they may have, in shapes that cost a careless reader too much.

`python -m tests.hostile_sizes <place>` reads them in a process of its own with bounds of time and
memory. What is read once takes a hundredth of the time; what is read again from each of its places,
or held many times, goes beyond both bounds by far.
"""

import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import orjson

from gateway.check.checker import Checker
from gateway.config.keys import Keys, Master
from tests.factories import event, grade, licence, penalty, person_penalty, raw

#: Seconds of the processor for one place, and MiB that it may add to what the imports took.
SECONDS, MEBIBYTES = 20, 300
MIB = 2**20

#: Texts of so many characters, by what they are made of.
Shape = Callable[[int], str]
TEXTS: Mapping[str, Shape] = {
    "digits": lambda n: "9" * n,
    "decimals": lambda n: "0." + "1" * n,
    "points": lambda n: "1." * (n // 2),
    "commas": lambda n: "1," * (n // 2),
    "two commas": lambda n: "1,," * (n // 3),
    "groups": lambda n: "1" + ",111" * (n // 4),
    "numerals": lambda n: "一" * n,
    "ten thousands": lambda n: "万" * n + "元",
    "digits before spaces": lambda n: "1" * (n // 2) + " " * (n // 2) + "x",
    "numbers of persons": lambda n: "110105194912310 " * (n // 16),
    "days": lambda n: "2026-" * (n // 5),
    "brackets": lambda n: "〔" * n,
    "wide": lambda n: "１" * n,
    "marks above": lambda n: "a" + "\u0301" * n,
    "separators": lambda n: "警告；" * (n // 3),
    "unseen": lambda n: "\u200b" * n,
}
_LONG = 60_000
#: The usual limit of a message of Kafka.
_MESSAGE = MIB


def _columns() -> None:
    """Check a record of each kind with each text in each column."""
    checker = Checker(Keys(Master(b"a master key for tests only")))
    for row in (penalty(), person_penalty(), licence(), event(), grade()):
        for column in (*row, "unknown"):
            for shape in TEXTS.values():
                checker.check(raw({**row, column: shape(_LONG)}), date(2026, 10, 12))


def _names() -> None:
    """Check records of many names, and with one name twice or very often."""
    checker = Checker(Keys(Master(b"a master key for tests only")))
    row = orjson.dumps(penalty())[:-1]
    count = _MESSAGE // 12
    many = b"".join(b',"x%07d":1' % n for n in range(count))
    often = b"".join(b',"x":%07d' % n for n in range(count))
    long = b',"' + b"x" * _MESSAGE + b'":1'
    for more in (many, often, long, many + b',"x0000001":2', b',"o":{"a":1' + often + b"}"):
        checker.check(raw(row + more + b"}"), date(2026, 10, 12))


PLACES: Mapping[str, Callable[[], Any]] = {
    "columns of an item": _columns,
    "names of an item": _names,
}


def main() -> Iterator[str]:
    """Read one place; yield what went beyond the bounds."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    PLACES[sys.argv[1]]()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    if grown > MEBIBYTES:
        yield f"{grown} MiB"


if __name__ == "__main__":
    sys.exit("\n".join(main()) or None)
