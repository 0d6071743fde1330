"""Hand out a file for a person to upload 人工上报: claim → file → unknown, until the person says.

The claim commits the lease and the open attempts first. The file leaves this module only after a
second transaction has written that it may have been uploaded: who has it, its hash and its rows.
What was claimed and is not in a file goes back as it was.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import uuid4

from connectors.protocol import CarriedByPerson
from gateway.config.clock import Clock
from gateway.config.keys import Keys
from gateway.deliver.hand_files import UploadRefused, note, opened
from gateway.deliver.item import is_barred, item
from gateway.deliver.outcome import finish, not_called, unusable, without_a_call
from gateway.store.base.engine import Connection, Database, DatabaseAway
from gateway.store.base.installation import know
from gateway.store.base.statements import Ids
from gateway.store.deliver import claims, ends, hand_uploads
from gateway.store.deliver.hand_uploads import HandUpload
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import item_failed
from schemas.base import SHANGHAI
from schemas.columns import ColumnType, columns_of
from schemas.delivery import Claimed, DeliveryState, Finish, Item, Outcome, OutcomeKind
from schemas.destination import Destination
from schemas.hand_upload import ON_THE_PAGE, FilledFile, UploadState
from schemas.kinds import KINDS

#: Time to fill a file; after it what was claimed is ready again, since nothing was handed out.
LEASE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A file for a person, and what stands in it."""

    upload: HandUpload
    filled: FilledFile
    items: Sequence[tuple[Item, str]]  #: with their places
    later: int = 0  #: deliveries that have to wait for another file
    ended: int = 0  #: deliveries that need no file: the platform has nothing to withdraw, say

    @property
    def persons(self) -> int:
        """How many rows of the file have the identity number of a person."""
        shown = _identities() & self.filled.columns
        return sum(any(one.columns.get(name) for name in shown) for one, _ in self.items)

    @property
    def on_the_page(self) -> list[Item]:
        """What the file cannot express, and a person does on the page of the platform."""
        return [one for one, place in self.items if place.startswith(ON_THE_PAGE)]


class HandOut:
    """Hand out files of one installation."""

    def __init__(self, database: Database, keys: Keys, installation: str, clock: Clock) -> None:
        self.database = database
        self.keys = keys
        self.installation = installation
        self.clock = clock

    async def make(
        self, destination: Destination, connector: CarriedByPerson, by: str, most: int
    ) -> HandedOut | None:
        """Claim what is ready, the earliest due first, and return its file; None: nothing is.

        Raises:
            CallRejected: the file cannot be filled; nothing has changed.
            UploadRefused: filling took too long; nothing was handed out.
        """
        while claimed := await self._claim(destination, most):
            try:
                made = await self._made(destination, connector, claimed, by)
            except BaseException:
                await self._put_back(claimed)
                raise
            if made is not None:
                return made
        return None

    async def _claim(self, destination: Destination, most: int) -> list[Claimed]:
        """Claim what is ready; what a program sends and what a person carries have like shares."""
        name, now, token = destination.name, self.clock(), str(uuid4())
        fresh = max(1, ceil(most * destination.fresh_share))
        backfill = max(1, ceil(most * destination.backfill_share))

        async def work(connection: Connection) -> list[Claimed]:
            await ends.release_leases(connection, name, now)
            found = await claims.claim(
                connection,
                name,
                limit=most,
                token=token,
                lease=LEASE,
                now=now,
                fresh=fresh,
                backfill=backfill,
            )
            sealed = (one.key_version for one in found if one.secret is not None)
            await know(connection, self.keys, filter(None, sealed))
            return found

        return await self.database.run(work)

    async def _put_back(self, claimed: Sequence[Claimed]) -> None:
        """Make them ready again at once; if the database is away, their lease runs out."""
        now = self.clock()
        with suppress(DatabaseAway):
            back = [not_called(one, now) for one in claimed]
            await self.database.run(lambda c: ends.finish(c, back, now))

    async def _made(
        self,
        destination: Destination,
        connector: CarriedByPerson,
        claimed: Sequence[Claimed],
        by: str,
    ) -> HandedOut | None:
        """Fill the file and write that it is handed out; None if nothing of it needs one."""
        over, usable = self._apart(destination, claimed)
        now = self.clock()
        items = [one for _, one in usable]
        filled = await connector.fill(items, now) if items else FilledFile(None, ())
        going, later = _placed(usable, filled.places)
        ends_ = [*over, *(not_called(one, now) for one in later)]

        async def work(connection: Connection) -> HandUpload | None:
            id_ = (await Ids.reserve(connection, 1)).take()
            words = _in_hands(by, id_, now)
            asked = Outcome(kind=OutcomeKind.UNKNOWN, reasons=(words,))
            finished = [finish(one, asked, destination, now) for one, _, _ in going]
            ours = await ends.finish(connection, [*ends_, *finished], now)
            if len(ours) < len(claimed):
                raise UploadRefused(
                    "制作文件花的时间太长，没有交出；再做一次，或用 --most 少取几条"
                )
            if not going:
                return None
            sha256 = _sha256(filled)
            rows = sum(not place.startswith(ON_THE_PAGE) for _, _, place in going)
            upload = HandUpload(
                id_, destination.name, UploadState.OPEN, rows, sha256, now, by, None, None, None
            )
            places = [(one.id, place) for one, _, place in going]
            await hand_uploads.add(connection, upload, places)
            await note(connection, AuditEvent.UPLOAD_MADE, upload, _told("下载", upload), by, now)
            return upload

        upload = await self.database.run(work)
        if upload is None:
            return None
        held = [(one, place) for _, one, place in going]
        return HandedOut(upload, filled, held, len(later), len(over))

    def _apart(
        self, destination: Destination, claimed: Sequence[Claimed]
    ) -> tuple[list[Finish], list[tuple[Claimed, Item]]]:
        """Return the ends of what needs no file or can have none, and the rest with its items."""
        over: list[Finish] = []
        usable: list[tuple[Claimed, Item]] = []
        for one in claimed:
            if end := without_a_call(one, sends=True):
                over.append(end)
                continue
            try:
                usable.append((one, item(one, destination, self.installation, self.keys)))
            except Exception as error:  # noqa: BLE001  it is that item's outcome
                reference = item_failed(error, destination=one.destination, delivery=one.id)
                over.append(unusable(one, reference))
        return over, usable

    async def again(
        self, id_: int, destination: Destination, connector: CarriedByPerson, by: str
    ) -> HandedOut:
        """Hand out the file of an open hand upload once more.

        Raises:
            CallRejected: the file cannot be filled.
            UploadRefused: it is not open, or its rows would stand elsewhere or must not leave.
        """
        now = self.clock()
        async with self.database.transaction() as connection:
            upload = await opened(connection, id_)
            rows = await hand_uploads.rows(connection, id_)
            content = await hand_uploads.content(connection, id_)
            sealed = (one.key_version for one in content.values() if one.secret is not None)
            await know(connection, self.keys, filter(None, sealed))
        if known := sum(row.state is not DeliveryState.UNKNOWN or row.moved_on for row in rows):
            raise UploadRefused(
                f"批次 {id_} 有 {known} 条已另有结果，文件不再交出：再上报一次会重复；"
                f"没有上报的用 upload undone {id_} 退回，再重新下载"
            )
        items = self._items(destination, [content[row.delivery_id] for row in rows], id_)
        filled = await connector.fill(items, upload.made_at)
        places = _numbered(filled.places)
        if places != [row.place for row in rows]:
            raise UploadRefused(
                f"批次 {id_}：模板或配置换过，各行的位置变了；"
                f"还没有上报的，用 upload undone {id_} 退回，再重新下载"
            )
        sha256 = _sha256(filled)
        same = "" if sha256 == upload.sha256 else f"，内容与第一次的不同（SHA-256 {sha256}）"

        async def work(connection: Connection) -> None:
            await opened(connection, id_, lock=True)
            words = f"再次下载{same}"
            await note(connection, AuditEvent.UPLOAD_HANDED_OUT, upload, words, by, now)

        await self.database.run(work)
        held = [(one, row.place) for one, row in zip(items, rows, strict=True)]
        return HandedOut(upload, filled, held)

    def _items(self, destination: Destination, claimed: Sequence[Claimed], id_: int) -> list[Item]:
        if any(map(is_barred, claimed)):
            raise UploadRefused(
                f"批次 {id_} 里有后来不予报送的决定，文件不再交出；"
                f"没有上报的用 upload undone {id_} 退回"
            )
        try:
            return [item(one, destination, self.installation, self.keys) for one in claimed]
        except ValueError as error:
            raise UploadRefused(
                f"批次 {id_} 的内容已按保存期限删除，做不出文件；用 upload undone {id_} 退回"
            ) from error


def _sha256(filled: FilledFile) -> str | None:
    return None if filled.content is None else hashlib.sha256(filled.content).hexdigest()


def _told(act: str, upload: HandUpload) -> str:
    return f"{act}（SHA-256 {upload.sha256}）" if upload.sha256 else f"{act}：没有要填的行"


def _in_hands(by: str, id_: int, now: datetime) -> str:
    at = now.astimezone(SHANGHAI)
    return (
        f"{at:%m-%d %H:%M} 由 {by} 下载（批次 {id_}），可能已上报："
        f"上报了的用 upload done {id_} 登记，没有的用 upload undone {id_}"
    )


def _placed(
    usable: Sequence[tuple[Claimed, Item]], places: Sequence[str | None]
) -> tuple[list[tuple[Claimed, Item, str]], list[Claimed]]:
    """Return what is in the file with its places, and what has to wait for another."""
    numbered = _numbered(places)
    pairs = list(zip(usable, numbered, strict=True))
    going = [(one, made, place) for (one, made), place in pairs if place is not None]
    return going, [one for (one, _), place in pairs if place is None]


def _numbered(places: Sequence[str | None]) -> list[str | None]:
    """Return the places; what is done on the page is numbered, so that each can be named."""
    found: list[str | None] = []
    number = 0
    for place in places:
        number += place == ON_THE_PAGE
        found.append(f"{ON_THE_PAGE}!{number}" if place == ON_THE_PAGE else place)
    return found


@KINDS.cached
def _identities() -> frozenset[str]:
    """Return the columns of identity numbers of all kinds."""
    return frozenset(
        column.wire
        for kind in KINDS.values()
        for column in columns_of(kind.model)
        if column.type is ColumnType.IDENTITY
    )
