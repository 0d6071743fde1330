"""What belongs to a hand upload 人工上报: its rows and its story, and what people attach to it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.config.keys import Keys
from gateway.store.account import evidence
from gateway.store.account.evidence import About, Evidence
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection, Database
from gateway.store.base.installation import know
from gateway.store.deliver import hand_uploads
from gateway.store.deliver.hand_uploads import (
    Attachment,
    HandUpload,
    SealedAttachment,
    UploadRow,
)
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import SHANGHAI, storable
from schemas.hand_upload import UploadState


class UploadRefused(ValueError):
    """It cannot be done with this hand upload; the message says why and what to do."""


async def opened(connection: Connection, id_: int, *, lock: bool = False) -> HandUpload:
    """Return an open hand upload; raises UploadRefused for one that is ended or not there."""
    upload = await hand_uploads.one(connection, id_, lock=lock)
    if upload is None:
        raise UploadRefused(f"没有批次 {id_}；批次见 upload list --all")
    if upload.state is not UploadState.OPEN:
        at = None if upload.ended_at is None else upload.ended_at.astimezone(SHANGHAI)
        what = "已上报" if upload.state is UploadState.DONE else "未上报"
        raise UploadRefused(f"批次 {id_} 已由 {upload.ended_by} 于 {at:%m-%d %H:%M} 登记为{what}")
    return upload


async def note(
    connection: Connection,
    event: AuditEvent,
    upload: HandUpload,
    words: str,
    by: str,
    now: datetime,
    **more: object,
) -> None:
    """Keep what was done with a hand upload: in its story, and in the audit trail."""
    await evidence.say(connection, About.UPLOAD, [(upload.id, now, by, words)])
    detail: Mapping[str, object] = {
        "upload": upload.id,
        "destination": upload.destination,
        "rows": upload.rows,
        "sha256": upload.sha256,
        **more,
    }
    await events.add(connection, [AuditEntry(event, detail, by)], now)


class ShownUpload(NamedTuple):
    """A hand upload with its rows, its attachments and its story."""

    upload: HandUpload
    rows: Sequence[UploadRow]
    files: Sequence[Attachment]
    story: Sequence[Evidence]


async def shown(database: Database, id_: int) -> ShownUpload | None:
    """Return all that is known of a hand upload."""
    async with database.transaction() as connection:
        upload = await hand_uploads.one(connection, id_)
        if upload is None:
            return None
        story = await evidence.of(connection, About.UPLOAD, [id_])
        return ShownUpload(
            upload,
            await hand_uploads.rows(connection, id_),
            await hand_uploads.attached(connection, id_),
            story.get(id_, ()),
        )


async def attachment(
    database: Database, keys: Keys, upload: int, id_: int
) -> tuple[str, bytes] | None:
    """Return the name and the bytes of an attachment of a hand upload."""
    async with database.transaction() as connection:
        found = await hand_uploads.attachment(connection, upload, id_)
        if found is None:
            return None
        await know(connection, keys, [found.key_version])
    return found.name, keys.decrypt(found.content, found.key_version)


async def attach(
    connection: Connection,
    keys: Keys,
    upload: HandUpload,
    files: Iterable[tuple[str, bytes]],
    by: str,
    now: datetime,
) -> list[str]:
    """Keep files that a person attaches to a hand upload, encrypted; return their SHA-256.

    Names of files may have the identity number of a person, and are masked.
    """
    hashes = []
    for name, content in files:
        sealed = SealedAttachment(storable(name), keys.encrypt(content), keys.version)
        sha256 = hashlib.sha256(content).hexdigest()
        await hand_uploads.attach(
            connection, upload.id, sealed, sha256=sha256, size=len(content), by=by, now=now
        )
        hashes.append(sha256)
    return hashes
