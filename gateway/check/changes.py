"""What reading changed in the values of a decision 整理, to tell who gave them (pure)."""

from collections.abc import Callable, Collection, Iterator, Mapping
from enum import StrEnum

from gateway.check.checked import Checked
from gateway.check.dates import has_time
from schemas.codes import RecordKind
from schemas.columns import Column, ColumnType, columns_of
from schemas.identifiers import visible
from schemas.kinds import KINDS
from schemas.legacy import PENALTY_STATE


class Change(StrEnum):
    """One way in which a value that is kept differs from what was given."""

    PLACEHOLDER = "placeholder"  #: 占位符按空处理
    TIME = "time"  #: 日期后面的时间去掉了
    UNIT = "unit"  #: 金额从元、亿元或中文大写换算成万元
    FLOAT_TAIL = "float_tail"  #: 浮点尾差去掉了
    CODE = "code"  #: 代码里的全角、小写、空格或看不见的字符改正了
    INVISIBLE = "invisible"  #: 看不见的字符去掉了
    STATE = "state"  #: 当前状态换成了撤回，或现行的代码


#: Digits of a number that is no float's: what a person types has fewer.
_LONG_NUMBER = 16


def changes(checked: Checked, placeholders: Collection[str]) -> Iterator[Change]:
    """Yield the changes in the columns of an item; none for events and grades."""
    if checked.given is None or checked.kind not in KINDS.reported:
        return
    if checked.given.get(PENALTY_STATE) not in (None, "") and checked.verb is not None:
        yield Change.STATE
    columns, record = _by_wire(checked.kind), checked.record
    for wire, given in checked.given.items():
        column = columns.get(wire)
        if column is None or type(given) is not str or not given:
            continue
        kept = getattr(record, column.name, None)
        if given != kept:  # most texts are kept as they are
            change = _change(column, given, kept, placeholders)
            if change is not None:
                yield change


@KINDS.cached
def _by_wire(kind: RecordKind) -> Mapping[str, Column]:
    return {column.wire: column for column in columns_of(KINDS[kind].model)}


def _change(
    column: Column, given: str, kept: object, placeholders: Collection[str]
) -> Change | None:
    if kept is None:
        return Change.PLACEHOLDER if visible(given).strip() in placeholders else None
    changed = _BY_TYPE.get(column.type)
    if changed is not None and (change := changed(given, kept)) is not None:
        return change
    return Change.INVISIBLE if not given.isascii() and visible(given) != given else None


def _of_date(given: str, kept: object) -> Change | None:
    del kept
    return Change.TIME if ":" in given and has_time(given) else None


def _of_amount(given: str, kept: object) -> Change | None:
    del kept
    if given.isascii():
        return Change.FLOAT_TAIL if len(given) > _LONG_NUMBER else None
    number, _, unit = given.strip().partition("万")
    plain = number.strip().replace(".", "").isdecimal() and unit in {"", "元"}
    return None if plain else Change.UNIT


def _of_code(given: str, kept: object) -> Change | None:
    return Change.CODE if given.strip() != kept else None


def _of_code_list(given: str, kept: object) -> Change | None:
    return Change.STATE if visible(given).strip() != kept else None


_BY_TYPE: Mapping[ColumnType, Callable[[str, object], Change | None]] = {
    ColumnType.DATE: _of_date,
    ColumnType.AMOUNT: _of_amount,
    ColumnType.CREDIT_CODE: _of_code,
    ColumnType.IDENTITY: _of_code,
    ColumnType.CODE: _of_code_list,
}
