"""Put refused items into quarantine 隔离区, with their bytes, origin and problems."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from gateway.check.checked import Checked
from gateway.config.keys import KEY_VERSION, Keys
from gateway.store.base.engine import BadData, Connection
from gateway.store.base.statements import Ids
from gateway.store.record import quarantine as quarantine_store
from schemas.problem import Problem, Rule
from schemas.verdict import Verdict

#: The problem of an item whose check failed because of a bug of ours.
INTERNAL_FAULT = Problem(
    field="",
    rule=Rule.INTERNAL,
    message="校验程序出错，这条记录暂存在隔离区",
    fix="请把隔离区编号告诉维护人员，程序更正后重放",
)


async def quarantine(
    connection: Connection, keys: Keys, refused: Mapping[int, Checked], now: datetime
) -> dict[int, int]:
    """Store refused items with encrypted bytes; return index in the batch → quarantine id."""
    if not refused:
        return {}
    ids = await Ids.reserve(connection, len(refused))
    kept = {index: ids.take() for index in refused}
    rows = [_row(kept[index], one, keys, now) for index, one in refused.items()]
    await quarantine_store.add_quarantine(connection, rows)
    return kept


def _row(id_: int, checked: Checked, keys: Keys, now: datetime) -> tuple[Any, ...]:
    return (
        id_,
        f"{checked.raw.origin}#{checked.raw.position}",
        checked.kind,
        keys.encrypt(checked.raw.body or b""),
        KEY_VERSION,
        orjson.dumps([problem.model_dump() for problem in checked.problems]).decode(),
        checked.decided_on,
        now,
    )


def refused_by_database(checked: Checked, error: BadData) -> Checked:
    """Return the item as refused, because the database cannot store its data.

    Raises:
        BadData: it was refused already, so that the fault is in what we write about it.
    """
    if checked.verdict is Verdict.REFUSED:
        raise error
    problem = Problem(
        field="",
        rule=Rule.DATABASE,
        message="数据库不接受这条记录的内容",
        fix="检查过大的数字、过早或过晚的日期和特殊字符，更正后重放",
    )
    return Checked(checked.raw, Verdict.REFUSED, (problem,), checked.kind)
