"""Apply a list of results 平台结果 that a platform exported to the rows of a hand upload."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.config.keys import Keys
from gateway.deliver.hand_answers import RowAnswer
from gateway.deliver.hand_files import UploadRefused, attach, note
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import hand_uploads, receipts
from gateway.store.deliver.hand_uploads import HandUpload, UploadRow
from gateway.store.deliver.receipts import MatchedReceipt
from gateway.telemetry.audit_events import AuditEvent
from schemas.delivery import DeliveryState
from schemas.hand_upload import UploadState


class Answered(NamedTuple):
    """What a list of results said of a hand upload."""

    upload: HandUpload
    accepted: int
    rejected: int
    unread: Sequence[str]  #: numbers of ours with a result that is not known
    unmentioned: int  #: rows of the upload that the list does not have
    strange: int  #: rows of the list that are none of the upload


async def answered(  # noqa: PLR0913, PLR0917  a list, who brings it, and where it is kept
    database: Database,
    keys: Keys,
    id_: int,
    answers: Sequence[RowAnswer],
    file: tuple[str, bytes],
    by: str,
    now: datetime,
) -> Answered:
    """Apply a list of results to the rows of an upload that was done, and keep the list.

    Raises:
        UploadRefused: nobody has said that it was uploaded, or the list has none of its rows.
    """

    async def work(connection: Connection) -> Answered:
        upload = await hand_uploads.one(connection, id_, lock=True)
        if upload is None:
            raise UploadRefused(f"没有批次 {id_}；批次见 upload list --all")
        if upload.state is not UploadState.DONE:
            fix = "先用 upload done 登记" if upload.state is UploadState.OPEN else "不会有结果"
            raise UploadRefused(f"批次 {id_} 没有登记为已上报：{fix}")
        rows = [row for row in await hand_uploads.rows(connection, id_) if not row.moved_on]
        of_ours = _paired(rows, answers)
        if not of_ours:
            raise UploadRefused(f"清单里没有批次 {id_} 的任何一行；核对批次号和文件")
        told = [
            MatchedReceipt(row.delivery_id, one.accepted, one.reasons, one.at, None)
            for row, one in of_ours
            if one.accepted is not None
        ]
        before = {row.delivery_id: row.state for row in rows}
        told = receipts.telling(told, now)
        await receipts.apply_receipts(connection, upload.destination, told, now)
        after = {row.delivery_id: row.state for row in await hand_uploads.rows(connection, id_)}
        moved = [after[one] for one, state in before.items() if after[one] is not state]
        files = await attach(connection, keys, upload, [file], by, now)
        unread = [str(row.document_number) for row, one in of_ours if one.accepted is None]
        found = Answered(
            upload,
            moved.count(DeliveryState.ACCEPTED),
            moved.count(DeliveryState.REJECTED),
            unread,
            len(rows) - len({row.delivery_id for row, _ in of_ours}),
            len(answers) - len(of_ours),
        )
        about = f"平台结果：入库 {found.accepted} 条，退回 {found.rejected} 条（{file[0]}）"
        counts = {"accepted": found.accepted, "rejected": found.rejected, "files": files}
        await note(connection, AuditEvent.UPLOAD_ANSWERED, upload, about, by, now, **counts)
        return found

    return await database.run(work)


def _paired(
    rows: Sequence[UploadRow], answers: Sequence[RowAnswer]
) -> list[tuple[UploadRow, RowAnswer]]:
    """Return the answers with the one row that each is about."""
    by_number: dict[str, list[UploadRow]] = {}
    for row in rows:
        by_number.setdefault(row.number_key or "", []).append(row)
    found = []
    for one in answers:
        of_number = by_number.get(one.number_key, [])
        mine = [row for row in of_number if one.kind in {None, row.kind}]
        if len(mine) == 1:
            found.append((mine[0], one))
    return found
