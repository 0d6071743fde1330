"""Open the envelopes of change capture and of data exchange around a row (pure).

Kafka Connect: `schema` and `payload`. Debezium: `before`, `after`, `op` (c, u, r; d for a row that
was deleted), or its flattened form with `__op` and `__deleted`. Canal and Maxwell: `database`,
`table`, `type` and `data`. Oracle GoldenGate: `op_type`, `before`, `after`. Avro unions in JSON:
`{"string": "…"}`.
"""

from collections.abc import Collection, Mapping
from typing import Any

from schemas.cell import unsent
from schemas.input_rules import Deletes
from schemas.kinds import KINDS
from schemas.problem import Problem, Rule

_MARKS = frozenset({"payload", "after", "before", "op", "database", "data_base64", "op_type"})
#: Marks of a row whose envelope was flattened into it.
_FLAT = ("__deleted", "__op")
_DELETED = frozenset({"d", "D", "DELETE", "delete"})
_WRITTEN = frozenset({"c", "u", "r", "I", "U", "INSERT", "UPDATE", "insert", "update"})
_TRUE = frozenset({"true", "1"})
_OPERATIONS = ("op", "op_type")
_AVRO_TYPES = frozenset({"string", "long", "int", "double", "float", "boolean", "bytes"})
#: What Debezium writes for a long text that a change did not touch.
NOT_SENT = "__debezium_unavailable_value"
#: Names that tell the envelope of a change, whatever its rows are in: Canal and Maxwell, Debezium,
#: GoldenGate.
_SHAPES = tuple(
    map(
        frozenset,
        [
            *({"database", "table", "type"}, {"table", "op_type"}),
            *({operation, row} for operation in _OPERATIONS for row in ("before", "after")),
        ],
    )
)
#: Names of what happened to a row, in envelopes of any program.
_ACTIONS = frozenset({"op", "optype", "type", "operation", "action", "event", "eventtype"})
#: Envelopes within each other at most: a Debezium one within one of Connect.
_DEEPEST = 3

Row = Mapping[str, Any]


def opened(row: Row, deletes: Deletes) -> Row | Problem:
    """Return the row within its envelopes; the same object if it has none.

    A deleted row withdraws its decision where this is configured, and is refused elsewhere.
    """
    found = _opened(row, deletes)
    if isinstance(found, Problem) or NOT_SENT not in found.values():
        return found
    return {name: unsent() if value == NOT_SENT else value for name, value in found.items()}


def _opened(row: Row, deletes: Deletes) -> Row | Problem:
    row = _without_unions(row)
    for _ in range(_DEEPEST):
        if _MARKS.isdisjoint(row):
            break
        if KINDS.of_columns(row) is not None:  # then it is the record, whatever else it has
            if not any(_is_deleted(row.get(name)) for name in _OPERATIONS):
                break
            return _deleted({n: row[n] for n in row if n not in _OPERATIONS}, deletes)
        inner = _opened_once(row, deletes)
        if not isinstance(inner, Mapping) or inner is row:
            return inner
        row = _without_unions(inner)
    if _FLAT[0] in row or _FLAT[1] in row:
        gone = str(row.get("__deleted")).lower() in _TRUE or _is_deleted(row.get("__op"))
        row = {name: value for name, value in row.items() if not name.startswith("__")}
        return _deleted(row, deletes) if gone else row
    return row


def is_envelope(names: Collection[str]) -> bool:
    """Whether names are those of the envelope of a change: a list within it is none of records."""
    return any(shape <= set(names) for shape in _SHAPES)


def tells_deletion(name: str, value: object) -> bool:
    """Whether a member of an object says that its rows were deleted."""
    return name.lower().replace("_", "") in _ACTIONS and _is_deleted(value)


def _is_deleted(operation: object) -> bool:
    return isinstance(operation, str) and operation.strip() in _DELETED


def _opened_once(row: Row, deletes: Deletes) -> Row | Problem:
    if "data_base64" in row:
        return _refused("内容在 data_base64 里，是二进制", "以 JSON 放在 data 里发送")
    if "payload" in row:
        return _inner(row["payload"], "payload")
    if "database" in row and "data" in row:
        return _change(str(row.get("type")), _single(row["data"]), deletes, "data")
    if "op" in row or "op_type" in row:
        operation = str(row.get("op", row.get("op_type")))
        deleted = operation in _DELETED
        return _change(operation, row.get("before" if deleted else "after"), deletes)
    return row


def _change(operation: str, inner: Any, deletes: Deletes, name: str | None = None) -> Row | Problem:
    if operation not in _DELETED | _WRITTEN:
        return _refused(f"操作“{operation}”不是新增、修改或删除", "只发送记录的新增和修改")
    found = _inner(inner, name or ("before" if operation in _DELETED else "after"))
    if operation in _DELETED and not isinstance(found, Problem):
        return _deleted(found, deletes)
    return found


def _deleted(row: Row, deletes: Deletes) -> Row | Problem:
    if deletes is Deletes.WITHDRAW:
        return {**row, "verb": "withdraw"}
    return _refused(
        "这是源数据库里的删除；记录被删不等于决定被撤销",
        "决定确已撤销的，发送 verb 为 withdraw 的记录；删除都应视为撤回的，设置 input.deletes",
    )


def _single(data: Any) -> Any:
    return data[0] if isinstance(data, list) and len(data) == 1 else data


def _inner(value: Any, name: str) -> Row | Problem:
    if isinstance(value, Mapping):
        return value
    many = f"有{len(value)}条记录" if isinstance(value, list) else "不是一条记录"
    return _refused(f"消息的 {name} {many}", f"每条消息的 {name} 里放一条记录")


def _without_unions(row: Row) -> Row:
    """Return the row with Avro unions such as `{"string": "…"}` replaced by their values."""
    if dict not in map(type, row.values()):
        return row
    return {name: _of_union(value) for name, value in row.items()}


def _of_union(value: Any) -> Any:
    if type(value) is dict and len(value) == 1 and value.keys() <= _AVRO_TYPES:
        [value] = value.values()
    return value


def _refused(message: str, fix: str) -> Problem:
    return Problem(field="", rule=Rule.BYTES, message=message, fix=fix)
