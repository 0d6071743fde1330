"""What a person says of a hand upload 人工上报: it was uploaded, or it was not.

Each act locks the hand upload first, so that of two people only one is believed, and then the
subjects, as everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from gateway.config.keys import Keys
from gateway.deliver.hand_files import UploadRefused, attach, note, opened
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import by_hand, deliveries, hand_uploads, receipts
from gateway.store.deliver.by_hand import Order
from gateway.store.deliver.hand_uploads import HandUpload, UploadRow
from gateway.store.deliver.receipts import MatchedReceipt
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import SHANGHAI, storable
from schemas.delivery import DeliveryState
from schemas.hand_upload import UploadState

S = DeliveryState
#: Rows that a message names.
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class UploadSaid:
    """What a person says of an upload; places as `upload show` has them, or their row numbers."""

    by: str
    at: datetime  #: when it was uploaded
    files: Sequence[tuple[str, bytes]] = ()
    excepted: Sequence[str] = ()  #: rows that were left out of it
    #: Rows that the platform refused at once, and why.
    rejected: Mapping[str, str] = field(default_factory=dict)


class UploadTold(NamedTuple):
    """What became of the rows of a hand upload."""

    upload: HandUpload
    arrived: int
    back: int
    rejected: int
    others: int  #: something else was known of them already

    def counts(self) -> dict[str, int]:
        """Return the counts by their names."""
        return {name: value for name, value in self._asdict().items() if name != "upload"}


async def done(
    database: Database, keys: Keys, id_: int, said: UploadSaid, now: datetime
) -> UploadTold:
    """Write that a file was uploaded: nobody confirmed it, so its rows are accepted blind.

    Raises:
        UploadRefused: it is not open, the time is before it was made, or a row is not in it.
    """

    async def work(connection: Connection) -> UploadTold:
        upload = await opened(connection, id_, lock=True)
        if said.at < upload.made_at.replace(second=0, microsecond=0):
            made = upload.made_at.astimezone(SHANGHAI)
            raise UploadRefused(f"--at 早于下载的时间 {made:%Y-%m-%d %H:%M}：写真正上报的时间")
        told = await _moved(connection, upload, said, now)
        files = await attach(connection, keys, upload, said.files, said.by, now)
        await hand_uploads.end(
            connection, id_, UploadState.DONE, by=said.by, now=now, uploaded_at=said.at
        )
        at = said.at.astimezone(SHANGHAI)
        about = f"已于 {at:%Y-%m-%d %H:%M} 上报 {told.arrived + told.rejected} 条"
        about += f"，其中平台当场退回 {told.rejected} 条" if told.rejected else ""
        about += f"；{told.back} 条没有上报" if told.back else ""
        more = {"uploaded_at": said.at, **told.counts(), "files": files}
        await note(connection, AuditEvent.UPLOAD_DONE, upload, about, said.by, now, **more)
        return told

    return await database.run(work)


async def _moved(
    connection: Connection, upload: HandUpload, said: UploadSaid, now: datetime
) -> UploadTold:
    """Move the rows as a person says."""
    rows = [row for row in await hand_uploads.rows(connection, upload.id) if not row.moved_on]
    excepted = {_found(rows, one).delivery_id for one in said.excepted}
    refused = {_found(rows, one).delivery_id: why for one, why in said.rejected.items()}
    if both := excepted & refused.keys():
        raise UploadRefused(f"报送 {min(both)} 同时写在 --except 和 --rejected 里；只留一处")
    await deliveries.lock(connection, {row.subject_id for row in rows})
    ids = [row.delivery_id for row in rows]
    words = (
        f"{said.by} 于 {said.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 人工上报（批次 {upload.id}）"
    )
    going = [one for one in ids if one not in excepted and one not in refused]
    arrived = await by_hand.change(connection, going, Order(S.ACCEPTED_BLIND, words), said.at)
    left = f"{said.by} 说没有随批次 {upload.id} 上报"
    back = await by_hand.change(connection, sorted(excepted), Order(S.READY, left), now)
    answers = [
        MatchedReceipt(one, False, (storable(why),), said.at, None) for one, why in refused.items()
    ]
    moved = await receipts.apply_receipts(connection, upload.destination, answers, now)
    await _resolve(connection, arrived, S.ACCEPTED_BLIND, words, upload, said.by, now)
    await _resolve(connection, back, S.READY, left, upload, said.by, now)
    others = len(ids) - len(arrived) - len(back) - moved
    return UploadTold(upload, len(arrived), len(back), moved, others)


async def undone(database: Database, id_: int, by: str, reason: str, now: datetime) -> UploadTold:
    """Write that a file was never uploaded, or refused whole: its rows are ready again.

    Raises:
        UploadRefused: it is not open.
    """

    async def work(connection: Connection) -> UploadTold:
        upload = await opened(connection, id_, lock=True)
        rows = await hand_uploads.rows(connection, id_)
        await deliveries.lock(connection, {row.subject_id for row in rows})
        ids = [row.delivery_id for row in rows if not row.moved_on]
        why = storable(reason)
        words = f"{by} 说批次 {id_} 没有上报：{why}"
        back = await by_hand.change(connection, ids, Order(S.READY, words), now)
        await _resolve(connection, back, S.READY, words, upload, by, now)
        await hand_uploads.end(connection, id_, UploadState.UNDONE, by=by, now=now)
        about = f"没有上报：{why}"
        await note(connection, AuditEvent.UPLOAD_UNDONE, upload, about, by, now, reason=why)
        return UploadTold(upload, 0, len(back), 0, len(ids) - len(back))

    return await database.run(work)


async def _resolve(  # noqa: PLR0913, PLR0917  what the trail of each delivery tells
    connection: Connection,
    ids: set[int],
    state: DeliveryState,
    reason: str,
    upload: HandUpload,
    by: str,
    now: datetime,
) -> None:
    """Put what became of each delivery into the audit trail, as for one that is resolved alone."""
    said = {"state": state.value, "reason": reason, "upload": upload.id}
    entries = [
        AuditEntry(AuditEvent.DELIVERY_RESOLVED, {"delivery": one, **said}, by)
        for one in sorted(ids)
    ]
    await events.add(connection, entries, now)


def _found(rows: Sequence[UploadRow], given: str) -> UploadRow:
    """Return the row of a place, or of a row number that only one sheet has."""
    named = given.strip().replace("！", "!")
    found = [row for row in rows if named in {row.place, row.place.rpartition("!")[2]}]
    exact = [row for row in found if row.place == named]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        places = "、".join(row.place for row in found)
        raise UploadRefused(f"“{given}”有几处：{places}；写全，如 {found[0].place}")
    some = "、".join(row.place for row in rows[:_MOST_NAMED])
    raise UploadRefused(f"这一批没有第 {given} 行；行号见 upload show，如 {some}")
