"""Fines 罚款 among the penalties of a decision: an amount is a fine, whatever the words name."""

from decimal import Decimal

from schemas.codes import OTHER_PENALTY_PREFIX

FINE = "罚款"
#: Kinds whose amount is 罚款金额: a fine, and one for each day (环境保护法 第五十九条).
FINES = frozenset({FINE, "按日连续处罚"})


def names_fine(kinds: tuple[str, ...]) -> bool:
    """Whether one of the penalty kinds is a fine."""
    if not FINES.isdisjoint(kinds):
        return True
    return any(kind.removeprefix(OTHER_PENALTY_PREFIX) in FINES for kind in kinds)


def with_fine(kinds: tuple[str, ...], fine_wan: Decimal | None) -> tuple[str, ...]:
    """Return the penalty kinds, and 罚款 behind them for an amount that none of them has."""
    if not fine_wan or FINE in kinds or names_fine(kinds):
        return kinds
    return (*kinds, FINE)
