"""Put refused items into quarantine 隔离区, with their bytes, origin and problems."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from gateway.check.checked import Checked
from gateway.config.keys import Keys
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Ids
from gateway.store.record import quarantine as quarantine_store
from schemas.problem import Problem, Rule
from schemas.verdict import Verdict


def refused_by_bug(checked: Checked, reference: str) -> Checked:
    """Return the item as refused, because a bug of ours fails with it; the log has the reference.

    What was known of the item is left out: it may be what the bug fails with.
    """
    problem = Problem(
        field="",
        rule=Rule.INTERNAL,
        message=f"程序处理这条记录时出错（日志编号 {reference}），暂存在隔离区",
        fix="请把日志编号告诉维护人员，程序更正后重放",
    )
    return Checked(checked.raw, Verdict.REFUSED, (problem,), checked.kind or checked.raw.kind)


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
        keys.version,
        orjson.dumps([problem.model_dump() for problem in checked.problems]).decode(),
        checked.decided_on,
        now,
    )


def refused_by_database(checked: Checked) -> Checked:
    """Return the item as refused, because the database cannot store its data."""
    problem = Problem(
        field="",
        rule=Rule.DATABASE,
        message="数据库不接受这条记录的内容",
        fix="检查过大的数字、过早或过晚的日期和特殊字符，更正后重放",
    )
    return Checked(checked.raw, Verdict.REFUSED, (problem,), checked.kind)
