"""Decisions whose numbers differ in their spelling only 文号写法不同 (pure)."""

from collections.abc import Iterable

from schemas.codes import RecordKind
from schemas.identifiers import masked, plain_number
from schemas.kinds import KINDS
from schemas.known import DecisionKey
from schemas.problem import Problem, Rule


class Alike:
    """The decisions of the store, and those of a batch in its order, by their plain numbers.

    Such a number may be that of another decision, so that nothing is merged: it is only told.
    """

    def __init__(self, known: Iterable[DecisionKey]) -> None:
        self._numbers = {_plain(key): key[1] for key in known}

    def told(self, key: DecisionKey) -> tuple[Problem, ...]:
        """Return a warning if there is a decision of nearly the same number as this new one."""
        number = self._numbers.setdefault(_plain(key), key[1])
        return () if number == key[1] else (_spelt_otherwise(RecordKind(key[3]), number),)


def _plain(key: DecisionKey) -> DecisionKey:
    return key[0], plain_number(key[1]), key[2], key[3]


def _spelt_otherwise(kind: RecordKind, number: str) -> Problem:
    column, model = KINDS[kind].number_column, KINDS[kind].model
    title = model.model_fields[KINDS[kind].keys[0]].title
    return Problem(
        field=column,
        rule=Rule.CONFLICT,
        message=f"{title}：与已有的“{masked(number)}”只差“第”“年”“号”或前面的0，像是同一个决定",
        fix="是同一个决定的，撤回写错的一条，文号改成一样的；否则会算成两个决定",
    )
