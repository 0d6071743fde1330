"""Replay from quarantine 隔离区重放: process an item again, corrected or as it was."""

from datetime import datetime

import orjson

from gateway.check.checked import Checked
from gateway.check.raw import Raw
from gateway.config.clock import Clock
from gateway.config.keys import Keys
from gateway.pipeline import Pipeline
from gateway.record.result import Result
from gateway.store.audit import events
from gateway.store.base.installation import know
from gateway.store.record import quarantine
from gateway.store.record.decisions import later_version
from gateway.store.record.quarantine import Quarantined
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import SHANGHAI
from schemas.codes import RecordKind
from schemas.problem import Rule
from schemas.verdict import Verdict


class NoSuchItem(LookupError):
    """There is no quarantined item with this number."""

    def __init__(self, id_: int) -> None:
        super().__init__(f"隔离区没有编号 {id_}")


class AlreadyResolved(ValueError):
    """The item has become a record; replaying it could bring back what was corrected since."""

    def __init__(self, id_: int) -> None:
        super().__init__(f"隔离区编号 {id_} 已经解决，不再重放；要更正记录，按原文书号重新报来")


class OnlyStartKept(ValueError):
    """The item was too large to be kept; its start may look like a record that nobody sent."""

    def __init__(self, id_: int) -> None:
        super().__init__(f"隔离区编号 {id_} 过大，只留了开头，不能原样重放；给出更正后的内容")


class Overtaken(ValueError):
    """A version of the decision came after the item; replaying would bring the older one back."""

    def __init__(self, id_: int, at: datetime) -> None:
        super().__init__(
            f"隔离区编号 {id_} 之后，{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 又收到过这个决定的"
            "版本，重放会用旧内容盖掉新的；确要以这一条为准，加 --despite-later"
        )


async def replay(
    pipeline: Pipeline,
    keys: Keys,
    clock: Clock,
    id_: int,
    body: bytes | None = None,
    *,
    despite_later: bool = False,
) -> Result:
    """Process a quarantined item again; with `body`, that is the corrected content.

    It opens its own transactions. An accepted item is resolved. If it is refused again, the item
    stays open and the replay is stored as resolved, so that one item is open however often it is
    tried.

    Raises:
        NoSuchItem: there is no item with this number.
        AlreadyResolved: it has become a record.
        OnlyStartKept: without `body` there is no content to process.
        Overtaken: the decision has a later version; not with `despite_later`.
    """
    async with pipeline.database.transaction() as connection:
        item = await quarantine.quarantined(connection, id_)
        if item is None:
            raise NoSuchItem(id_)
        if item.resolved_at is not None:
            raise AlreadyResolved(id_)
        if body is None and any(one["rule"] == Rule.SIZE for one in item.problems):
            raise OnlyStartKept(id_)
        number = await quarantine.count_replay(connection, id_)
        await know(connection, keys, [item.key_version])
    content = keys.decrypt(item.sealed, item.key_version) if body is None else body
    kind = RecordKind(item.kind) if item.kind and not _says_its_kind(body) else None
    checked = await pipeline.check([Raw(f"quarantine:{id_}", number, content, kind)])
    if not despite_later:
        await _require_latest(pipeline, checked[0], item)
    [result] = await pipeline.commit(checked)
    await _note(pipeline, clock, id_, result, despite_later=despite_later)
    return result


async def _require_latest(pipeline: Pipeline, checked: Checked, item: Quarantined) -> None:
    """Raise Overtaken if a version of the decision came after the item."""
    if checked.key is None:
        return
    async with pipeline.database.transaction() as connection:
        at = await later_version(connection, checked.key, item.id, item.recorded_at)
    if at is not None:
        raise Overtaken(item.id, at)


def _says_its_kind(body: bytes | None) -> bool:
    """Whether a corrected content names its kind; the item may have come on the wrong topic."""
    try:
        row = orjson.loads(body or b"")
    except ValueError:
        return False
    return isinstance(row, dict) and bool(row.get("kind"))


async def _note(
    pipeline: Pipeline, clock: Clock, id_: int, result: Result, *, despite_later: bool
) -> None:
    resolved = result.verdict is not Verdict.REFUSED
    detail = {"quarantine": id_, "verdict": result.verdict.value}
    detail |= {"despite_later": "true"} if despite_later else {}
    async with pipeline.database.transaction() as connection:
        closed = id_ if resolved else result.quarantine_id
        if closed is not None:
            await quarantine.resolve(connection, [closed], clock())
        entry = events.AuditEntry(AuditEvent.QUARANTINE_REPLAYED, detail)
        await events.add(connection, [entry], clock())
