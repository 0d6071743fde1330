"""Rows of one file that are the same decision and say different things of it 同一决定内容不同."""

import hashlib
from collections.abc import Mapping
from typing import Any

from gateway.check.checked import Checked
from gateway.check.exclusions import plain
from gateway.intake.files.report import FileReport
from gateway.record.content import content
from schemas.cell import TO_FILL
from schemas.codes import Verb
from schemas.kinds import KINDS
from schemas.legacy import new_names
from schemas.licence import AdministrativeLicence
from schemas.problem import Problem, Rule
from schemas.verdict import Verdict

#: Bytes of a digest: of a million records two have the same one with a chance of one to 10⁷.
_BYTES = 8
#: 当前状态 of a licence that is not valid any more.
_INVALID = "2"


class Twice:
    """What the records of a file say, by their keys: digests only, some 200 bytes for each.

    The first row of a key counts. A later one that says something else is refused: it is more often
    the second half of a decision than its correction. Repeats, withdrawals and rows with the verb
    `correct` are what they are.
    """

    def __init__(self) -> None:
        self._said: dict[int, tuple[int, int]] = {}  #: key → content, position

    def judged(self, checked: Checked, report: FileReport) -> Checked:
        """Return an item, refused if a row before it says something else of its decision."""
        if checked.record is None or checked.key is None:
            return checked
        key = _digest("\x1f".join(checked.key).encode())
        if checked.verb is Verb.WITHDRAW:
            self._said.pop(key, None)
            return checked
        said = _digest(content(checked).hashed), checked.raw.position
        first, position = self._said.setdefault(key, said)
        if first == said[0]:
            return checked
        if _is_change(checked):
            self._said[key] = said
            return checked
        places = [report.place(checked.raw._replace(position=at)) for at in (position, said[1])]
        return _refused(checked, "和".join(places))


def _is_change(checked: Checked) -> bool:
    """Whether a row says itself that it changes what is known."""
    record = checked.record
    ended = isinstance(record, AdministrativeLicence) and record.status == _INVALID
    return ended or plain((checked.given or {}).get("verb")) == Verb.CORRECT


def _refused(checked: Checked, places: str) -> Checked:
    kind = KINDS[checked.key.kind] if checked.key else None
    if kind is None:
        raise TypeError(checked.verdict)
    title = kind.model.model_fields[kind.keys[0]].title
    number = checked.key.number if checked.key else ""
    what = "决定" if kind.reported else f"{kind.title}（单位和编号相同）"
    found = Problem(
        field=kind.number_column,
        rule=Rule.CONFLICT,
        message=f"{title}：同一{what} {number} 在{places}，内容不同",
        fix="合成一行，或只留正确的一行；确是两条的，编号写成不同的，再导入；更正的填 verb=correct",
    )
    return Checked(
        checked.raw,
        Verdict.REFUSED,
        (found, *checked.problems),
        checked.kind,
        given=_without_number(checked),
        decided_on=checked.decided_on,
        warnings=checked.warnings,
    )


def _without_number(checked: Checked) -> Mapping[str, Any] | None:
    """Return a row as it was given, but for its number, which a person has to decide.

    In a workbook to mend it stands alone: it would be taken as it is when that comes back.
    """
    if checked.given is None or checked.kind is None:
        return checked.given
    column, names = KINDS[checked.kind].number_column, new_names(checked.kind)
    return {n: TO_FILL if names.get(n, n) == column else v for n, v in checked.given.items()}


def _digest(text: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=_BYTES).digest())
