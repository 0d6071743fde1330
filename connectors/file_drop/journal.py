"""What was put into which file: a small file beside each, in a folder of our own at the platform.

It outlasts a crash and a change of host. It is written once the data is there under its first name,
and before the file gets its own: where the first name still stands, nothing was handed over.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import NamedTuple

import orjson

from connectors.errors import CallRejected
from connectors.file_drop.folder import RemoteFolder
from connectors.file_drop.settings import FileDropSettings

#: 报文号_日期_序号.xml
FILE = re.compile(r"([0-9A-Za-z]{6})_(\d{8})_(\d{5})\.xml")
#: The end of a name under which a file is not complete, or not handed over yet.
PART = ".part"
_KEYS = ".keys"
#: Days for which the keys of a file are kept; an answer comes within some.
KEPT = timedelta(days=60)
_LAST_NUMBER = 99_999
#: Bytes of the keys of a file that are read: 5,000 keys with their numbers.
_MOST = 8 * 2**20


class Sent(NamedTuple):
    """A file, and the document numbers of its rows by our keys."""

    name: str
    rows: Mapping[str, str]


class Journal:
    """The files of the last days; what was read once is remembered."""

    def __init__(self, settings: FileDropSettings) -> None:
        self._settings = settings
        self._sent: dict[str, Sent] = {}
        self._files: dict[str, str] = {}  #: by key

    async def load(self, folder: RemoteFolder, today: date) -> None:
        """Read what is new, forget what is old, and finish what a crash has left."""
        home = self._settings.journal_folder
        try:
            names = await folder.names(home)
        except CallRejected:
            await folder.make(home)
            names = []
        there = {name.removesuffix(_KEYS) for name in names if name.endswith(_KEYS)}
        for name in sorted(there):
            if _day_of(name) < today - KEPT:
                await folder.remove(f"{home}/{name}{_KEYS}")
                there.discard(name)
            elif name not in self._sent:
                self._keep(name, orjson.loads(await folder.read(f"{home}/{name}{_KEYS}", _MOST)))
        for name in self._sent.keys() - there:
            self._forget(name)
        await self._finish(folder)

    async def _finish(self, folder: RemoteFolder) -> None:
        """Hand over the files of which only the last step is missing; delete what is half."""
        there = await folder.names(self._settings.upload_folder)
        codes = {table.code for table in self._settings.tables.values()}
        for name in there:
            own = name.removesuffix(PART)
            if own == name or FILE.fullmatch(own) is None or own[:6] not in codes:
                continue
            if own in self._sent and own not in there:
                await folder.rename(self._path(name), self._path(own))
                continue
            if own in self._sent:  # somebody else has taken the name meanwhile
                await folder.remove(f"{self._settings.journal_folder}/{own}{_KEYS}")
                self._forget(own)
            with suppress(CallRejected):  # it is gone
                await folder.remove(self._path(name))

    def file_of(self, key: str) -> str | None:
        """Return the file that has the row of a key."""
        return self._files.get(key)

    def sent(self, name: str) -> Sent | None:
        """Return a file by its name."""
        return self._sent.get(name)

    def has_day(self, code: str, day: date) -> bool:
        """Whether there is a file of a day."""
        return any(name.startswith(f"{code}_{day:%Y%m%d}_") for name in self._sent)

    async def put(
        self, folder: RemoteFolder, code: str, day: date, data: bytes, rows: Mapping[str, str]
    ) -> str:
        """Hand a file over; return its name.

        Raises:
            NotSent, CallRejected: nothing was handed over.
            OutcomeUnknown: the answer of the last step was lost.
        """
        name = await self._next(folder, code, day)
        part, keys = self._path(name + PART), f"{self._settings.journal_folder}/{name}{_KEYS}"
        await folder.write(part, data)
        written = await folder.size(part)
        if written != len(data):
            raise CallRejected(f"{part} 应有 {len(data)} 字节，服务器上是 {written}；没有提交")
        await folder.write(f"{keys}{PART}", orjson.dumps(dict(rows)))
        await folder.rename(f"{keys}{PART}", keys)
        self._keep(name, rows)
        await folder.rename(part, self._path(name))
        return name

    async def _next(self, folder: RemoteFolder, code: str, day: date) -> str:
        """Return the next name of a day: also the platform's folder says which there were."""
        start = f"{code}_{day:%Y%m%d}_"
        known = {*self._sent, *await folder.names(self._settings.upload_folder)}
        numbers = [int(found[3]) for name in known if (found := FILE.match(name)) and
                   name.startswith(start)]  # fmt: skip
        number = max(numbers, default=0) + 1
        if number > _LAST_NUMBER:
            raise CallRejected(f"{start} 的序号今天已用到 {_LAST_NUMBER}")
        return f"{start}{number:05d}.xml"

    def _keep(self, name: str, rows: Mapping[str, str]) -> None:
        self._sent[name] = Sent(name, rows)
        self._files |= dict.fromkeys(rows, name)

    def _forget(self, name: str) -> None:
        for key in self._sent.pop(name).rows:
            self._files.pop(key, None)

    def _path(self, name: str) -> str:
        folder = self._settings.upload_folder
        return name if folder == "." else f"{folder}/{name}"


def _day_of(name: str) -> date:
    """Return the day in the name of a file; a name of somebody else is of no day to forget."""
    found = FILE.fullmatch(name)
    try:
        return date.fromisoformat(found[2]) if found else date.max
    except ValueError:
        return date.max
