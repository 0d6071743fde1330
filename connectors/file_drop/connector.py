"""The connector `file-drop`: XML files 报文 for a platform that collects them.

A file is named 报文号_日期_序号.xml and has at most 5,000 rows. It is written under another name,
and renamed once it is complete. What was put where is read in the journal, so that nothing is sent
twice after a crash or a lost answer (ARCHITECTURE.md, "Files for a platform").
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime

from connectors.errors import ConnectorError
from connectors.file_drop.answers import AnswerFolder
from connectors.file_drop.folder import RemoteFolder, opened
from connectors.file_drop.journal import Journal
from connectors.file_drop.settings import FileDropSettings
from connectors.file_drop.xml_files import document, row_of
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from connectors.shared.layout import table_of
from connectors.shared.parts import nothing_listed, outcome_of, within
from connectors.shared.words import LEAST_SECRET, SECRETS
from schemas.base import SHANGHAI
from schemas.delivery import Health, Item, Listed, ListingMark, Outcome, OutcomeKind, Receipt

_HANDED_OVER = frozenset({OutcomeKind.SUBMITTED, OutcomeKind.ACCEPTED_BLIND})
_ABSENT = Outcome(kind=OutcomeKind.DEFERRED, absent=True)


class FileDrop:
    """The folder of one platform."""

    def __init__(self, settings: FileDropSettings, now: Clock) -> None:
        self.limits = Limits(
            batch_size=settings.batch_size,
            concurrency=1,
            on_unknown=OnUnknown.LOOK_UP,
            call_timeout=settings.call_timeout,
            has_receipts=settings.answers is not None or settings.empty_day is not None,
        )
        self._settings = settings
        self._now = now
        self._journal = Journal(settings)
        self._answers: AnswerFolder | None = None
        if settings.answers is not None:
            self._answers = AnswerFolder(settings.answers, self._journal, now)
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[RemoteFolder]:
        """Open the folder for one call; the next waits, since both change the journal."""
        secrets = (self._settings.password, self._settings.ssh_key_password)
        known = (one.get_secret_value() for one in secrets if one is not None)
        SECRETS.set(tuple(one for one in known if len(one) >= LEAST_SECRET))
        limit = within(self.limits.call_timeout)
        async with limit, self._turn, opened(self._settings) as folder:
            yield folder

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Put the rows of each kind into one file; what is in a file already is not sent again.

        If the file of one kind fails, those of the kinds before it are handed over.
        """
        if not items:
            return []
        found: dict[str, Outcome] = {}
        async with self._opened() as folder:
            await self._journal.load(folder, self._today)
            tables = self._settings.tables
            for kind in dict.fromkeys(table_of(tables, item) for item in items):
                of_kind = [item for item in items if table_of(tables, item) == kind]
                try:
                    found |= await self._put(folder, kind, of_kind)
                except ConnectorError as error:
                    if not any(one.kind in _HANDED_OVER for one in found.values()):
                        raise
                    found |= {item.key: outcome_of(error) for item in of_kind}
        return [found[item.key] for item in items]

    async def _put(
        self, folder: RemoteFolder, kind: str, items: Sequence[Item]
    ) -> dict[str, Outcome]:
        table = self._settings.tables.get(kind)
        if table is None:
            words = f"没有配置 {kind} 的报文：写在 settings 的 tables 里"
            refused = Outcome(kind=OutcomeKind.REJECTED, reasons=(words,))
            return {item.key: refused for item in items}
        new = [item for item in items if self._journal.file_of(item.key) is None]
        if new:
            data = document(row_of(item, table) for item in new)
            rows = {item.key: table.number(item) or "" for item in new}
            await self._journal.put(folder, table.code, self._today, data, rows)
        return {item.key: self._known(item) for item in items}

    def _known(self, item: Item) -> Outcome:
        name = self._journal.file_of(item.key)
        if name is None:
            return _ABSENT
        answered = self._settings.answers is not None
        kind = OutcomeKind.SUBMITTED if answered else OutcomeKind.ACCEPTED_BLIND
        return Outcome(kind=kind, reference=name)

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Find the files of items in the journal; a file that lacks its last step is finished."""
        if not items:
            return []
        async with self._opened() as folder:
            await self._journal.load(folder, self._today)
        return [self._known(item) for item in items]

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return what the next answer files say; those of the page before are put aside.

        On a day without data an empty file is due, too, since the platform counts days.
        """
        async with self._opened() as folder:
            await self._journal.load(folder, self._today)
            receipts: list[Receipt] = []
            if self._answers is not None:
                read = json.loads(cursor) if cursor else []
                receipts, names = await self._answers.page(folder, read)
                cursor = json.dumps(names)  # in ASCII, whatever the names are
            try:
                await self._say_nothing_new(folder)
            except ConnectorError:
                if not receipts:  # else they come first, and the trouble with the next page
                    raise
        return receipts, cursor

    async def _say_nothing_new(self, folder: RemoteFolder) -> None:
        """Put an empty file of each kind that has none today, once its time has come."""
        due, now = self._settings.empty_day, self._now().astimezone(SHANGHAI)
        if due is None or now.time() < due:
            return
        for table in self._settings.tables.values():
            if not self._journal.has_day(table.code, now.date()):
                await self._journal.put(folder, table.code, now.date(), document([]), {})

    def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:  # noqa: ARG002 - protocol
        """Yield nothing: a folder is not what the platform shows."""
        return nothing_listed()

    async def health(self) -> Health:
        """Check the login, that the folders are there, and that ours can be written."""
        settings = self._settings
        try:
            async with self._opened() as folder:
                await folder.names(settings.upload_folder)
                await self._journal.check(folder, self._today)
                if settings.answers is not None:
                    await folder.names(settings.answers.folder)
                    await folder.make(settings.answers.done_folder)
        except ConnectorError as error:
            return Health(ok=False, detail=str(error))
        return Health(ok=True, detail=f"目录 {settings.upload_folder}")

    @property
    def _today(self) -> date:
        return self._now().astimezone(SHANGHAI).date()

    async def close(self) -> None:
        """Nothing stays open between calls."""
