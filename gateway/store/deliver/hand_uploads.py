"""Hand uploads 人工上报: files that a person carries, the deliveries in them, the attachments."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Insert, one_of
from gateway.store.deliver.claims import WITH_CONTENT
from schemas.delivery import HANDED_OVER, Claimed, DeliveryState
from schemas.hand_upload import UploadState


@dataclass(frozen=True, slots=True)
class HandUpload:
    """A hand upload: who has its file since when, and what was said of it."""

    id: int
    destination: str
    state: UploadState
    rows: int
    sha256: str | None  #: of the file; None: nothing had to stand in one
    made_at: datetime
    made_by: str
    uploaded_at: datetime | None  #: as a person said
    ended_at: datetime | None
    ended_by: str | None


@dataclass(frozen=True, slots=True)
class UploadCount:
    """A hand upload with the earliest due time of what is still unknown, and its states."""

    upload: HandUpload
    due_at: datetime | None
    unknown: int
    unconfirmed: int
    accepted: int
    rejected: int


@dataclass(frozen=True, slots=True)
class UploadRow:
    """A delivery of a hand upload, as it stands now."""

    place: str
    delivery_id: int
    subject_id: int
    subject_code: str
    verb: str
    state: DeliveryState
    kind: str
    document_number: str | None
    due_at: datetime
    reasons: Sequence[str] | None
    moved_on: bool  #: it stands in a later hand upload: what is said of this one is not about it


class Attachment(NamedTuple):
    """A file that a person attached to a hand upload; its bytes are encrypted."""

    id: int
    name: str
    sha256: str
    size: int
    added_at: datetime
    added_by: str


class SealedAttachment(NamedTuple):
    """The encrypted bytes of an attachment, and its name."""

    name: str
    content: bytes
    key_version: int


_ADD = text(
    """
    insert into hand_upload (id, destination, state, rows, sha256, made_at, made_by)
    values (:id, :destination, 'open', :rows, :sha256, :at, :by)
    """
)
_add_rows = Insert(
    "hand_upload_row", "upload_id bigint, number int, delivery_id bigint, row_place text", ""
)


async def add(connection: Connection, upload: HandUpload, rows: Sequence[tuple[int, str]]) -> None:
    """Write an open hand upload with the delivery and the place of each row, in their order."""
    values = {
        "id": upload.id,
        "destination": upload.destination,
        "rows": upload.rows,
        "sha256": upload.sha256,
        "at": upload.made_at,
        "by": upload.made_by,
    }
    await connection.execute(_ADD, values)
    numbered = [(upload.id, number, *row) for number, row in enumerate(rows, 1)]
    await _add_rows(connection, numbered)


_COLUMNS = """
    u.id, u.destination, u.state, u.rows, u.sha256, u.made_at, u.made_by, u.uploaded_at, u.ended_at,
    u.ended_by
"""
_ONE = text(f"select {_COLUMNS} from hand_upload u where u.id = :id")
_LOCKED = text(f"select {_COLUMNS} from hand_upload u where u.id = :id for update")


async def one(connection: Connection, id_: int, *, lock: bool = False) -> HandUpload | None:
    """Return a hand upload; with `lock` nobody else says anything of it meanwhile."""
    row = (await connection.execute(_LOCKED if lock else _ONE, {"id": id_})).one_or_none()
    return None if row is None else _upload(row)


def _upload(row: Sequence[Any]) -> HandUpload:
    made = HandUpload(*row)
    return replace(made, state=UploadState(made.state))


_END = text(
    """
    update hand_upload set state = :state, uploaded_at = :uploaded_at, ended_at = :now,
        ended_by = :by
    where id = :id and state = 'open'
    """
)


async def end(
    connection: Connection,
    id_: int,
    state: UploadState,
    *,
    by: str,
    now: datetime,
    uploaded_at: datetime | None = None,
) -> None:
    """Write what a person says became of an open hand upload."""
    values = {"id": id_, "state": state.value, "by": by, "now": now, "uploaded_at": uploaded_at}
    await connection.execute(_END, values)


_MOVED_ON = """
    exists (select from hand_upload_row l
        where l.delivery_id = r.delivery_id and l.upload_id > r.upload_id)
"""
_LISTED = text(
    f"""
    with wanted as (
        select * from hand_upload
        where (cast(:destination as text) is null or destination = :destination)
          and (:every or state = 'open')
        order by state = 'open' desc, made_at desc limit :limit)
    select {_COLUMNS}, min(d.due_at) filter (where d.state = 'unknown'),
        count(*) filter (where d.state = 'unknown'),
        count(*) filter (where d.state = 'accepted_blind'),
        count(*) filter (where d.state = 'accepted'),
        count(*) filter (where d.state = 'rejected')
    from wanted u left join hand_upload_row r on r.upload_id = u.id
    left join delivery d on d.id = r.delivery_id and not {_MOVED_ON}
    group by {_COLUMNS}
    order by u.state = 'open' desc, case when u.state = 'open' then u.made_at end, u.made_at desc
    """
)


async def listed(
    connection: Connection, destination: str | None, *, every: bool, limit: int
) -> list[UploadCount]:
    """Return hand uploads, first the open ones, the oldest before the others."""
    values = {"destination": destination, "every": every, "limit": limit}
    rows = await connection.execute(_LISTED, values)
    return [UploadCount(_upload(row[:10]), *row[10:]) for row in rows]


_ROWS = text(
    f"""
    select r.row_place, d.id, d.subject_id, s.code, d.verb, d.state,
        coalesce(dec.kind, 'grade_change'), dec.document_number, d.due_at,
        d.reasons, {_MOVED_ON}
    from hand_upload_row r join delivery d on d.id = r.delivery_id
    join subject s on s.id = d.subject_id
    left join decision dec on d.item_kind = 'record_version' and dec.id = d.chain_id
    where r.upload_id = :id order by r.number
    """
)


async def rows(connection: Connection, id_: int) -> list[UploadRow]:
    """Return the deliveries of a hand upload in the order of the file."""
    found = await connection.execute(_ROWS, {"id": id_})
    return [replace(one, state=DeliveryState(one.state)) for one in (UploadRow(*r) for r in found)]


_CONTENT = text(
    """
    with leased as (
        select d.id, d.item_kind, d.item_id, d.subject_id, d.chain_id, d.destination, d.verb,
            d.attempts, d.due_at, d.maybe_arrived
        from hand_upload_row r join delivery d on d.id = r.delivery_id where r.upload_id = :id)
    """
    + WITH_CONTENT.format(handed_over=one_of(HANDED_OVER))
)


async def content(connection: Connection, id_: int) -> dict[int, Claimed]:
    """Return the deliveries of a hand upload with all that their items need; nobody leases them."""
    rows_ = await connection.execute(_CONTENT, {"id": id_, "token": "", "look": False})
    return {row.id: Claimed(*row) for row in rows_}


_ATTACH = text(
    """
    insert into hand_upload_file
        (id, upload_id, name, content, key_version, sha256, size, added_at, added_by)
    values (nextval('gateway_id'), :upload, :name, :content, :key_version, :sha256, :size, :at, :by)
    """
)
_ATTACHED = text(
    """
    select id, name, sha256, size, added_at, added_by from hand_upload_file
    where upload_id = :id order by id
    """
)
_ATTACHMENT = text(
    """
    select name, content, key_version from hand_upload_file
    where upload_id = :upload and id = :id
    """
)


async def attach(  # noqa: PLR0913  what is kept of a file
    connection: Connection,
    upload: int,
    sealed: SealedAttachment,
    *,
    sha256: str,
    size: int,
    by: str,
    now: datetime,
) -> None:
    """Keep an encrypted attachment with the SHA-256 and the size of its bytes."""
    values = {"upload": upload, **sealed._asdict(), "sha256": sha256, "size": size}
    await connection.execute(_ATTACH, {**values, "at": now, "by": by})


async def attached(connection: Connection, id_: int) -> list[Attachment]:
    """Return the attachments of a hand upload in their order."""
    return [Attachment(*row) for row in await connection.execute(_ATTACHED, {"id": id_})]


async def attachment(connection: Connection, upload: int, id_: int) -> SealedAttachment | None:
    """Return an attachment of a hand upload with its encrypted bytes."""
    values = {"upload": upload, "id": id_}
    row = (await connection.execute(_ATTACHMENT, values)).one_or_none()
    return None if row is None else SealedAttachment(*row)


_READ_BEFORE = text(
    """
    select f.upload_id, f.added_at from hand_upload_file f join hand_upload u on u.id = f.upload_id
    where f.sha256 = :sha256 and u.destination = :destination and u.id <> :id
      and f.added_at < :uploaded_at
    order by f.added_at desc limit 1
    """
)


async def read_before(
    connection: Connection, upload: HandUpload, sha256: str
) -> tuple[int, datetime] | None:
    """Return for which other hand upload a file was kept before this one was uploaded, and when."""
    values = {"id": upload.id, "destination": upload.destination, "sha256": sha256}
    at = upload.uploaded_at or upload.made_at
    row = (await connection.execute(_READ_BEFORE, {**values, "uploaded_at": at})).one_or_none()
    return None if row is None else (row[0], row[1])


_OLDEST = text("select destination, min(made_at) from hand_upload where state = 'open' group by 1")


async def oldest_open(connection: Connection) -> dict[str, datetime]:
    """Return when the oldest open hand upload of each destination was made."""
    return {row[0]: row[1] for row in await connection.execute(_OLDEST)}
