"""Exceptions 例外: which apply to a fact on a day, given the subject's other records."""

from collections.abc import Iterable, Sequence
from datetime import date

from schemas.codes import OTHER_PENALTY_PREFIX
from scoring.dates import add_days, add_months
from scoring.facts import Fact
from scoring.regulation.terms import Condition, Unless


class History:
    """The decision dates of the subject's adverse records: they take points or set a grade.

    Penalties and events of misconduct are some, also where the rule set has no row for them.
    """

    def __init__(self, records: Iterable[tuple[str, date]]) -> None:
        """Store the fact id and the decision date of each record."""
        self._records = tuple(records)

    def counted_within(self, fact: Fact, months: int, as_of: date) -> bool:
        """Return whether another record was decided within `months` before `as_of`."""
        return any(
            decided_on <= as_of and id_ != fact.id and _after(add_months(decided_on, months), as_of)
            for id_, decided_on in self._records
        )


def windows(exceptions: Iterable[Unless]) -> frozenset[int]:
    """Return how many months these exceptions look back, each number once."""
    whens = [exception.when for exception in exceptions]
    months = {when.clean_months for when in whens} | {when.counted_within_months for when in whens}
    return frozenset(number for number in months if number is not None)


def applying(
    exceptions: Sequence[Unless], fact: Fact, as_of: date, history: History
) -> list[Unless]:
    """Return the exceptions whose condition holds for the fact on the day."""
    return [each for each in exceptions if holds(each.when, fact, as_of, history)]


def holds(when: Condition, fact: Fact, as_of: date, history: History) -> bool:
    """Return whether every part of the condition holds."""
    return (
        (not when.penalties or _any_word(when.penalties, fact))
        and (when.amount is None or _in_amount(when, fact))
        and (not when.codes or not set(when.codes).isdisjoint(fact.codes))
        and (not when.events or fact.type in when.events)
        and (when.decided is None or when.decided.contains(fact.decided_on))
        and _rectified_in_time(when.rectified_within_days, fact, as_of)
        and _past_holds(when, fact, as_of, history)
    )


def _any_word(words: Sequence[str], fact: Fact) -> bool:
    types = () if fact.penalty is None else fact.penalty.kinds
    return any(word.removeprefix(OTHER_PENALTY_PREFIX) in words for word in types)


def _in_amount(when: Condition, fact: Fact) -> bool:
    fine = None if fact.penalty is None else fact.penalty.fine_wan
    return fine is not None and when.amount is not None and when.amount.contains(fine)


def _rectified_in_time(days: int | None, fact: Fact, as_of: date) -> bool:
    if days is None:
        return True
    done = fact.rectified_on
    return done is not None and done <= as_of and _after(add_days(fact.decided_on, days + 1), done)


def _past_holds(when: Condition, fact: Fact, as_of: date, history: History) -> bool:
    clean, counted = when.clean_months, when.counted_within_months
    if clean is not None and history.counted_within(fact, clean, as_of):
        return False
    return counted is None or history.counted_within(fact, counted, as_of)


def _after(end: date | None, day: date) -> bool:
    return end is None or day < end
