"""Headers of two rows: names under the name of their group 分组表头."""

from collections.abc import Sequence
from itertools import zip_longest

from schemas.codes import RecordKind
from schemas.column_names import ColumnNames, name_key

#: Names of the column that is the group itself.
_OF_THE_GROUP = frozenset({"名称", "全称", "单位"})
_INFORMATION = "信息"


def under_groups(
    given: Sequence[str], above: Sequence[str], names: ColumnNames, kind: RecordKind
) -> list[str]:
    """Return the names together with that of their group above, where this is a known column.

    An empty name is that of a cell that is merged over both rows. A name without a group above it
    belongs to the group on its left, as in a text, which has no merged cells.
    """
    found: list[str] = []
    last = ""
    for name, group in zip_longest(given, above, fillvalue=""):
        last = group or (last if name else "")
        found.append(_in_group(name, last, names, kind))
    return found


def _in_group(name: str, group: str, names: ColumnNames, kind: RecordKind) -> str:
    if not group or group == name or (name and not name_key(name)):
        return name
    if not name or (name in _OF_THE_GROUP and names.wire(kind, group)):
        return group if names.wire(kind, group) else name
    return next((form for form in _forms(name, group) if names.wire(kind, form)), name)


def _forms(name: str, group: str) -> list[str]:
    """Return what a name may be in full, such as 行政相对人代码_1(统一社会信用代码)."""
    groups = [group, group.removesuffix(_INFORMATION)]
    forms = [one + own + name for one in groups for own in ("", "单位")]
    for one in groups:
        forms += [f"{one}{code}_{n}({name})" for code in ("", "代码") for n in range(1, 7)]
    return forms
