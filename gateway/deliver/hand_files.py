"""What belongs to a hand upload 人工上报: its rows, its story, and the files that people attach."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from gateway.config.keys import Keys
from gateway.store.account import evidence
from gateway.store.account.evidence import About, Evidence
from gateway.store.base.engine import Connection, Database
from gateway.store.base.installation import know
from gateway.store.deliver import hand_uploads
from gateway.store.deliver.hand_uploads import (
    Attachment,
    HandUpload,
    SealedAttachment,
    UploadRow,
)


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
) -> None:
    """Keep files that a person attaches to a hand upload, encrypted."""
    for name, content in files:
        sealed = SealedAttachment(name, keys.encrypt(content), keys.version)
        sha256 = hashlib.sha256(content).hexdigest()
        await hand_uploads.attach(
            connection, upload.id, sealed, sha256=sha256, size=len(content), by=by, now=now
        )
