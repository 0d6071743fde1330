"""Received grades are known by authority and number, whosever they are (pure)."""

from collections.abc import Mapping

from gateway.check.checked import Checked
from schemas.codes import Verb
from schemas.known import DecisionKey
from schemas.problem import Problem, Rule


class Graded:
    """The subjects of the grades that stand, by number and authority, as a batch goes on."""

    def __init__(self, known: Mapping[tuple[str, int], str]) -> None:
        self._subjects = dict(known)

    def refusal(self, key: DecisionKey, checked: Checked, *, is_known: bool) -> Problem | None:
        """Return that a grade stands for another subject, who would keep it; else note it.

        `is_known`: it stands for this subject, too, since a release before took both.
        """
        if checked.key is None:
            return None
        place, subject = (key[1], key[2]), checked.key.subject
        other = self._subjects.get(place, subject)
        if other != subject and not is_known:
            return _moved(key[1], other)
        if checked.verb is Verb.WITHDRAW:
            self._subjects.pop(place, None)
        else:
            self._subjects[place] = subject
        return None


def _moved(number: str, other: str) -> Problem:
    whom = f"另一单位（{other}）" if other.isalnum() else "另一自然人"
    return Problem(
        field="id",
        rule=Rule.CONFLICT,
        message=f"编号 {number} 的等级已报给{whom}，仍然有效",
        fix="报错了单位的，先按原单位撤回（verb: withdraw），再报这一条；另一条等级用新的编号",
    )
