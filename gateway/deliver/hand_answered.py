"""Apply a list of results 平台结果 that a platform exported to the rows of a hand upload."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.config.keys import Keys, is_person
from gateway.deliver.hand_answers import RowAnswer
from gateway.deliver.hand_files import UploadRefused, attach, note
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import hand_uploads, receipts
from gateway.store.deliver.hand_uploads import HandUpload, UploadRow
from gateway.store.deliver.receipts import MatchedReceipt
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import SHANGHAI, storable
from schemas.delivery import DeliveryState
from schemas.hand_upload import UploadState
from schemas.identifiers import document_number_key


class Answered(NamedTuple):
    """What a list of results said of a hand upload."""

    upload: HandUpload
    accepted: int
    rejected: int
    unread: Sequence[str]  #: numbers of ours that moved nothing, and what is said of them
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
        UploadRefused: nobody has said that it was uploaded, or the list has none of its rows, or
            is older than it.
    """

    async def work(connection: Connection) -> Answered:
        upload = await hand_uploads.one(connection, id_, lock=True)
        if upload is None:
            raise UploadRefused(f"没有批次 {id_}；批次见 upload list --all")
        if upload.state is not UploadState.DONE:
            fix = "先用 upload done 登记" if upload.state is UploadState.OPEN else "不会有结果"
            raise UploadRefused(f"批次 {id_} 没有登记为已上报：{fix}")
        await _is_newer(connection, upload, file[1])
        rows = [row for row in await hand_uploads.rows(connection, id_) if not row.moved_on]
        of_ours = _paired(rows, answers, keys)
        if not of_ours.said and not of_ours.unclear:
            raise UploadRefused(f"清单里没有批次 {id_} 的任何一行；核对批次号和文件")
        clear, unread = _told(of_ours.said)
        told = [
            MatchedReceipt(one.row.delivery_id, answer.accepted, _reasons(answer), answer.at, None)
            for one in clear
            for answer in one.answers
            if answer.accepted is not None
        ]
        before = {row.delivery_id: row.state for row in rows}
        told = receipts.telling(told, now)
        await receipts.apply_receipts(connection, upload.destination, told, now)
        after = {row.delivery_id: row.state for row in await hand_uploads.rows(connection, id_)}
        moved = [after[one] for one, state in before.items() if after[one] is not state]
        files = await attach(connection, keys, upload, [file], by, now)
        found = Answered(
            upload,
            moved.count(DeliveryState.ACCEPTED),
            moved.count(DeliveryState.REJECTED),
            [*unread, *of_ours.unclear],
            len(rows) - len(of_ours.said),
            of_ours.strange,
        )
        about = (
            f"平台结果：入库 {found.accepted} 条，退回 {found.rejected} 条（{storable(file[0])}）"
        )
        counts = {"accepted": found.accepted, "rejected": found.rejected, "files": files}
        await note(connection, AuditEvent.UPLOAD_ANSWERED, upload, about, by, now, **counts)
        return found

    return await database.run(work)


class _Said(NamedTuple):
    """A row of the upload, and all that the list says of it."""

    row: UploadRow
    answers: list[RowAnswer]


class _OfOurs(NamedTuple):
    """What of a list is about rows of the upload."""

    said: Sequence[_Said]
    unclear: Sequence[str]  #: numbers of several rows, of which it does not say which
    strange: int


async def _is_newer(connection: Connection, upload: HandUpload, content: bytes) -> None:
    """Refuse a list that was read before the rows were uploaded: it says nothing of them."""
    sha256 = hashlib.sha256(content).hexdigest()
    if (found := await hand_uploads.read_before(connection, upload, sha256)) is None:
        return
    other, at = found
    raise UploadRefused(
        f"这份清单 {at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} 已用于批次 {other}，"
        f"那时批次 {upload.id} 还没有上报，清单说的不是它；请从平台重新导出"
    )


def _paired(rows: Sequence[UploadRow], answers: Sequence[RowAnswer], keys: Keys) -> _OfOurs:
    """Return the answers by the one row that each is about."""
    by_number: dict[str, list[UploadRow]] = {}
    for row in rows:
        by_number.setdefault(document_number_key(row.document_number or ""), []).append(row)
    found: dict[int, _Said] = {}
    unclear: dict[str, None] = {}
    strange = 0
    for one in answers:
        mine = [row for row in by_number.get(one.number_key, ()) if _is_about(one, row, keys)]
        if len(mine) == 1:
            found.setdefault(mine[0].delivery_id, _Said(mine[0], [])).answers.append(one)
        elif mine:
            unclear[f"{mine[0].document_number}（有 {len(mine)} 行，清单没有说是哪一个的）"] = None
        else:
            strange += 1
    return _OfOurs(list(found.values()), list(unclear), strange)


def _is_about(one: RowAnswer, row: UploadRow, keys: Keys) -> bool:
    """Whether an answer may be about a row of its number: kind and subject are not others."""
    if one.kind not in {None, row.kind}:
        return False
    if one.code is None:
        return True
    code = keys.person(one.code) if is_person(row.subject_code) else one.code
    return code == row.subject_code


def _told(said: Sequence[_Said]) -> tuple[list[_Said], list[str]]:
    """Return of which rows the list says one thing, and what it says of the others."""
    clear, unread = [], []
    for one in said:
        verdicts = {answer.accepted for answer in one.answers}
        timed = all(answer.at is not None for answer in one.answers)
        if None not in verdicts and (len(verdicts) == 1 or timed):
            clear.append(one)
            continue
        words = "、".join(dict.fromkeys(answer.said for answer in one.answers if answer.said))
        number = str(one.row.document_number)
        unread.append(f"{number}（{words}）" if words else number)
    return clear, unread


def _reasons(answer: RowAnswer) -> tuple[str, ...]:
    return tuple(map(storable, answer.reasons))
