"""Checks of layouts at the start: each column is of its kind, and none is lost under another."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from connectors.shared import standard
from connectors.shared.layout import RowLayout, kind_of
from connectors.shared.sent_kinds import model_of, title_of
from schemas.codes import RecordKind
from schemas.column_names import name_key, standard_names
from schemas.columns import columns_of
from schemas.kinds import KINDS

L = TypeVar("L", bound=RowLayout)


def fitting(tables: dict[str, L]) -> dict[str, L]:
    """Accept layouts of which each column has its place; raises ValueError with the fix."""
    for table, layout in tables.items():
        _of_its_kind(table, layout)
        keep_apart(table, layout, kind_of(table))
    return tables


def fitting_sheets(tables: dict[str, L]) -> dict[str, L]:
    """Accept the same of workbooks, whose columns have the titles of the standard."""
    for table, layout in tables.items():
        _of_its_kind(table, layout)
        _keep_apart(table, layout, kind_of(table), standard.titles(kind_of(table)), _head_key)
    return tables


def keep_apart(where: str, layout: RowLayout, kind: str, *more: tuple[str, str]) -> None:
    """Refuse two columns that go into one of the platform: only one of them would arrive.

    `more`: further columns that are written, with their settings. Names are compared without the
    case of letters, as databases do.
    """
    names = {wire: wire for wire in standard.titles(kind)}
    _keep_apart(where, layout, kind, names, lambda _kind, _layout, name: name.casefold(), more)


def _head_key(kind: str, layout: RowLayout, name: str) -> str:
    """Return what a head is in a template: a standard column that has no head of its own, or it."""
    meant = standard_names().wire(RecordKind(kind), name) if kind in KINDS else None
    if meant is not None and meant not in layout.columns and meant not in layout.left_out:
        return meant
    return name_key(name) or name.casefold()


def _keep_apart(
    where: str,
    layout: RowLayout,
    kind: str,
    names: Mapping[str, str],
    key_of: Callable[[str, RowLayout, str], str],
    more: Iterable[tuple[str, str]] = (),
) -> None:
    given = [(w, layout.columns.get(w, n)) for w, n in names.items() if w not in layout.left_out]
    taken: dict[str, str] = {}
    for one, name in [*given, *layout.beside(), *more]:
        other = taken.setdefault(key_of(kind, layout, name), one)
        # The platform's own status stands in the place of the standard's.
        if other is not one and (other, one) != (_status(kind), "status_column"):
            raise ValueError(
                f"{where}：{other} 和 {one} 都写进平台的列“{name}”，只有一个会留下；"
                "改其中一个的列名，或把不要的标准列写进 left_out"
            )


def _of_its_kind(table: str, layout: RowLayout) -> None:
    """Refuse columns of another kind, which would do nothing, and those that contradict."""
    kind = kind_of(table)
    known = standard.titles(kind)
    for setting in ("columns", "left_out", "masked", "words"):
        if wrong := sorted(set(getattr(layout, setting)) - set(known)):
            raise ValueError(
                f"{table}.{setting}：{title_of(kind)}没有列 {'、'.join(wrong)}；"
                "写本种类的列的代码，见 schemas/generated，或删去"
            )
    if wrong := sorted(layout.masked - standard.identity_numbers()):
        raise ValueError(
            f"{table}.masked：{'、'.join(wrong)} 不是证件号码的列；不要的列写进 left_out"
        )
    if both := sorted(layout.left_out & layout.columns.keys()):
        raise ValueError(f"{table}：columns 和 left_out 都有 {'、'.join(both)}；删去其中一处")


def _status(kind: str) -> str | None:
    """Return the standard column of the status, in whose place a platform's own may stand."""
    model = model_of(kind)
    columns = () if model is None else columns_of(model)
    return next((one.wire for one in columns if one.name == "status"), None)
