"""What a sender wants done with a decision (pure): its verb, or 当前状态 of an old penalty."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from gateway.check.exclusions import plain
from gateway.check.values import fault_in, told
from schemas.cell import is_empty
from schemas.codes import Verb
from schemas.legacy import PENALTY_STATE, is_revoked
from schemas.problem import Problem, Rule

#: Words for a withdrawal.
_WITHDRAW = frozenset({Verb.WITHDRAW.value, "撤回", "撤销"})
#: Words for a correction.
_CORRECT = frozenset({Verb.CORRECT.value, "更正"})
#: Verbs that the record step derives itself; they are ignored in the input.
_OWN_VERBS = frozenset({"", Verb.NEW.value}) | _CORRECT
#: 当前状态 of an old penalty among the plain names of columns.
STATE = PENALTY_STATE.lower()


def own_columns(row: Mapping[str, Any], unknown: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the row, with its unknown columns also by their plain names.

    A name with another spelling, such as `State_Secret` or one behind a BOM, is still that name.
    """
    if unknown is None:
        return row
    return {_plain_name(name): value for name, value in unknown.items()} | dict(row)


_plain_name = lru_cache(maxsize=1024)(plain)


def verb_of(
    own: Mapping[str, Any], placeholders: frozenset[str]
) -> tuple[Verb | None, list[Problem]]:
    """Return the verb of the sender; an unknown one refuses, since it may be a withdrawal.

    `own` are the `own_columns` of a row: 当前状态 of an old penalty may be spelled oddly.
    """
    state, given = own.get(STATE), own.get("verb")
    if state is None and given is None:
        return None, []
    revoked = False if is_empty(state, placeholders) else is_revoked(state)
    if revoked is not False:
        return (Verb.WITHDRAW, []) if revoked else (None, [_unknown_state(state)])
    word = "" if is_empty(given, placeholders) else plain(given)
    if word in _WITHDRAW:
        return Verb.WITHDRAW, []
    return None, [] if word in _OWN_VERBS else [_unknown_verb(given)]


def register_verb(own: Mapping[str, Any], placeholders: frozenset[str]) -> Verb:
    """Return what a row of a register says of the rows of its decision before it."""
    verb, _ = verb_of(own, placeholders)
    if verb is None and plain(own.get("verb")) in _CORRECT:
        return Verb.CORRECT
    return verb or Verb.NEW


def _unknown_verb(given: object) -> Problem:
    usual = (Rule.CODE_LIST, f"“{told(given)}”不认识", "留空，或填 withdraw（撤回）")
    rule, words, fix = fault_in(given) or usual
    return Problem(field="verb", rule=rule, message=f"操作（verb）：{words}", fix=fix)


def _unknown_state(state: object) -> Problem:
    usual = (
        Rule.CODE_LIST,
        f"“{told(state)}”：看不出决定是否仍然有效",
        "有效的填 0，撤销的填 1，异议的填 2",
    )
    rule, words, fix = fault_in(state) or usual
    return Problem(field=PENALTY_STATE, rule=rule, message=f"当前状态：{words}", fix=fix)
