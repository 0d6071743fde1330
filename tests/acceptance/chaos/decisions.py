"""The decisions of a month as they come from the bus: the same from the same seed."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.acceptance.month import message
from tests.acceptance.town import Message
from tests.factories import credit_code, event, licence, penalty, person_penalty

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
COMPANIES = range(1, 9)
#: A region without rules, in which nobody is scored and everything is reported all the same.
ELSEWHERE = credit_code(77, "159800")
#: A penalty without an amount.
STOP = {"CF_CFLB": "责令停产停业", "CF_NR": "责令停产整治", "CF_NR_FK": None}
#: Shares of the messages that repeat, correct or withdraw a decision, and that are no records.
REPEATED, CORRECTED, WITHDRAWN, BAD = 0.1, 0.2, 0.06, 0.05


def month_of(chance: Random, count: int) -> list[Message]:
    """Return so many messages of a month, in the order of their days."""
    return [message(kind, row) for kind, row in _rows(chance, count)]


def refused(messages: Sequence[Message]) -> int:
    """Return how many messages are no records."""
    return sum(one.key is None for one in messages)


def _rows(chance: Random, count: int) -> Iterator[tuple[str, dict[str, Any] | bytes]]:
    decided: list[tuple[str, dict[str, Any]]] = []
    for number in range(1, count + 1):
        day = FIRST + timedelta(days=(LAST - FIRST).days * number // count)
        what = chance.random()
        if decided and what < REPEATED:
            yield chance.choice(decided)
        elif decided and what < REPEATED + CORRECTED:
            place = chance.randrange(len(decided))
            kind, row = decided[place]
            column = "CF_NR" if kind == "penalty" else "XK_NR"
            decided[place] = kind, {**row, column: f"更正后的内容（第{number}件来件）"}
            yield decided[place]
        elif decided and what < REPEATED + CORRECTED + WITHDRAWN:
            kind, row = decided.pop(chance.randrange(len(decided)))
            yield kind, {**row, "verb": "withdraw"}
        elif what > 1 - BAD:
            yield "penalty", b"\xff no JSON %d" % number
        else:
            kind, row = _new(chance, number, day)
            if kind != "event":
                decided.append((kind, row))
            yield kind, row


def _new(chance: Random, number: int, day: date) -> tuple[str, dict[str, Any]]:
    company, on = chance.choice(COMPANIES), day.isoformat()
    rows = (
        ("penalty", penalty(number, company, CF_JDRQ=on)),
        ("penalty", penalty(number, company, CF_JDRQ=on, **STOP)),
        ("penalty", penalty(number, 77, CF_JDRQ=on, CF_XDR_SHXYM=ELSEWHERE)),
        ("penalty", person_penalty(number, CF_JDRQ=on)),
        ("licence", licence(number, company, XK_JDRQ=on)),
        ("event", event(number, company, occurred_on=on)),
    )
    return chance.choice(rows)
