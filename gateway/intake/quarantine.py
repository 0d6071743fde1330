"""Replay from quarantine 隔离区重放: process an item again, corrected or as it was."""

import orjson

from gateway.check.raw import Raw
from gateway.config.clock import Clock
from gateway.config.keys import Keys
from gateway.pipeline import Pipeline
from gateway.record.result import Result
from gateway.store.audit import events
from gateway.store.base.installation import know
from gateway.store.record import quarantine
from gateway.telemetry.audit_events import AuditEvent
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


async def replay(
    pipeline: Pipeline, keys: Keys, clock: Clock, id_: int, body: bytes | None = None
) -> Result:
    """Process a quarantined item again; with `body`, that is the corrected content.

    It opens its own transactions. An accepted item is resolved. If it is refused again, the item
    stays open and the replay is stored as resolved, so that one item is open however often it is
    tried.

    Raises:
        NoSuchItem: there is no item with this number.
        AlreadyResolved: it has become a record.
        OnlyStartKept: without `body` there is no content to process.
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
    [result] = await pipeline.process([Raw(f"quarantine:{id_}", number, content, kind)])
    await _note(pipeline, clock, id_, result)
    return result


def _says_its_kind(body: bytes | None) -> bool:
    """Whether a corrected content names its kind; the item may have come on the wrong topic."""
    try:
        row = orjson.loads(body or b"")
    except ValueError:
        return False
    return isinstance(row, dict) and bool(row.get("kind"))


async def _note(pipeline: Pipeline, clock: Clock, id_: int, result: Result) -> None:
    resolved = result.verdict is not Verdict.REFUSED
    detail = {"quarantine": id_, "verdict": result.verdict.value}
    async with pipeline.database.transaction() as connection:
        closed = id_ if resolved else result.quarantine_id
        if closed is not None:
            await quarantine.resolve(connection, [closed], clock())
        entry = events.AuditEntry(AuditEvent.QUARANTINE_REPLAYED, detail)
        await events.add(connection, [entry], clock())
