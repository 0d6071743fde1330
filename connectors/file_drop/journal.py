"""What was put into which file: a small file beside each, in a folder of our own at the platform.

It outlasts a crash and a change of host. It is written once the data is there under its first name,
and before the file gets its own: where the first name still stands, nothing was handed over.
Another process may still be at work with the same folder: a number is taken by making a folder,
which only one can, and what looks left over is left alone until nobody can be at it any more.
"""

import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date, timedelta
from typing import NamedTuple

import orjson

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.file_drop.folder import RemoteFolder
from connectors.file_drop.journal_files import (
    FILE,
    KEYS,
    PART,
    REFUSED,
    TAKEN,
    day_of,
    is_ours,
    keys_of,
    rows_of,
)
from connectors.file_drop.settings import FileDropSettings

#: A file that the doctor writes, renames and deletes.
_PROBE = "health"
#: Days for which the keys of a file are kept; an answer comes within some.
KEPT = timedelta(days=60)
#: Days for whose files, when they are read first, the last step may be missing.
_LATELY = timedelta(days=7)
#: What is half is deleted once it was seen for as many calls at their longest.
PATIENCE = 2
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
        self._home = settings.journal_folder
        self._sent: dict[str, Sent] = {}
        self._files: dict[str, str] = {}  #: by key
        self._refused: dict[str, frozenset[str]] = {}  #: keys by file
        self._known: set[str] = set()  #: names in our folder whose refusals were read
        self._open: set[str] = set()  #: names of which the last step may be missing
        self._half: dict[str, float] = {}  #: when it was first seen, by name

    async def load(self, folder: RemoteFolder, today: date) -> None:
        """Read what is new, forget what is old, and finish what a crash has left."""
        await self._learn(folder, today)
        await self._finish(folder)

    async def _learn(self, folder: RemoteFolder, today: date) -> None:
        names = await self._names(folder)
        for name in names:
            if is_ours(name) and day_of(name) < today - KEPT:
                await self._delete(folder, name)
        there = {name.removesuffix(KEYS) for name in names if name.endswith(KEYS)}
        there = {own for own in there if FILE.fullmatch(own) and day_of(own) >= today - KEPT}
        for own in sorted(there - self._sent.keys()):
            self._keep(own, rows_of(await self._read(folder, f"{own}{KEYS}"), self._home, own))
            if day_of(own) >= today - _LATELY:
                self._open.add(own)
        for own in self._sent.keys() - there:  # a list may lag behind
            old = day_of(own) < today - KEPT
            if old or not await _is_there(folder, f"{self._home}/{own}{KEYS}"):
                self._forget(own)
        await self._learn_refusals(folder, names)

    async def _learn_refusals(self, folder: RemoteFolder, names: Iterable[str]) -> None:
        for name in sorted(set(names) - self._known):
            if (found := REFUSED.fullmatch(name)) and found[1] in self._sent:
                self._refuse(found[1], keys_of(await self._read(folder, name)))
                self._known.add(name)

    async def _names(self, folder: RemoteFolder) -> list[str]:
        """Return the names in our folder: one that may not be listed is not an empty one."""
        try:
            return await folder.names(self._home)
        except CallRejected:
            await folder.make(self._home)
            return await folder.names(self._home)

    async def _read(self, folder: RemoteFolder, name: str) -> bytes:
        return await folder.read(f"{self._home}/{name}", _MOST)

    async def _delete(self, folder: RemoteFolder, name: str) -> None:
        """Delete something of ours in our folder, which another process may have done already."""
        with suppress(CallRejected):
            if name.endswith(TAKEN):
                await folder.remove_folder(f"{self._home}/{name}")
            else:
                await folder.remove(f"{self._home}/{name}")

    async def check(self, folder: RemoteFolder, today: date) -> None:
        """Check that our folder can be read and written; raises ConnectorError."""
        await self._learn(folder, today)
        path = f"{self._home}/{_PROBE}"
        await folder.write(f"{path}{PART}", b"")
        await folder.rename(f"{path}{PART}", path)
        await folder.remove(path)

    async def _finish(self, folder: RemoteFolder) -> None:
        """Hand over the files of which only the last step is missing; delete what is left half."""
        there = {*await folder.names(self._settings.upload_folder)}
        for own in self._open - there:  # there are servers that list no such names
            if await _is_there(folder, self._path(own + PART)):
                there.add(own + PART)
        halves = {name.removesuffix(PART) for name in there if name.endswith(PART)}
        codes = {table.code for table in self._settings.tables.values()}
        now = time.monotonic()
        self._half = {own: self._half.get(own, now) for own in halves
                      if FILE.fullmatch(own) and own[:6] in codes}  # fmt: skip
        patience = PATIENCE * self._settings.call_timeout.total_seconds()
        for own, since in sorted(self._half.items()):
            if own in self._sent and own not in there:
                await self._hand_over(folder, own)
            elif own in self._sent and await self._is_of_another(folder, own):
                await folder.remove(self._path(own + PART))
                await self._delete(folder, own + KEYS)
                self._forget(own)
            elif now - since >= patience:
                await self._clear(folder, own)
        self._open.clear()

    async def _hand_over(self, folder: RemoteFolder, own: str) -> None:
        """Give a file its name, unless another process does so at this moment."""
        try:
            await folder.rename(self._path(own + PART), self._path(own))
        except (CallRejected, NotSent):
            if await _is_there(folder, self._path(own + PART)):
                raise

    async def _is_of_another(self, folder: RemoteFolder, own: str) -> bool:
        """Whether somebody else has taken the name of a file that lacks its last step."""
        with suppress(CallRejected):  # the part has got its name meanwhile
            part = await folder.size(self._path(own + PART))
            return part != await folder.size(self._path(own))
        return False

    async def _clear(self, folder: RemoteFolder, own: str) -> None:
        """Delete a part that nobody is at; without a journal its number is free again."""
        with suppress(CallRejected):  # it is gone
            await folder.remove(self._path(own + PART))
        if own not in self._sent:
            await self._delete(folder, own + TAKEN)

    def file_of(self, key: str) -> str | None:
        """Return the file that has the row of a key; none has one that was refused."""
        return self._files.get(key)

    def sent(self, name: str) -> Sent | None:
        """Return a file by its name."""
        return self._sent.get(name)

    def has_day(self, code: str, day: date) -> bool:
        """Whether there is a file of a day."""
        return any(name.startswith(f"{code}_{day:%Y%m%d}_") for name in self._sent)

    async def refuse(self, folder: RemoteFolder, name: str, keys: Iterable[str]) -> None:
        """Note rows of a file that the platform refused: sent again, they go into a new file."""
        known = self._refused.get(name, frozenset())
        if refused := known.union(keys) - known:
            refused |= known
            written = f"{name}.{len(refused)}.refused"
            data = orjson.dumps(sorted(refused))
            await folder.write(f"{self._home}/{written}{PART}", data)
            await folder.rename(f"{self._home}/{written}{PART}", f"{self._home}/{written}")
            self._known.add(written)
            self._refuse(name, refused)

    async def put(
        self, folder: RemoteFolder, code: str, day: date, data: bytes, rows: Mapping[str, str]
    ) -> str:
        """Hand a file over; return its name.

        Raises:
            NotSent, CallRejected: nothing was handed over.
            OutcomeUnknown: the next call hands it over, if it was not.
        """
        name = await self._next(folder, code, day)
        part, keys = self._path(name + PART), f"{self._home}/{name}{KEYS}"
        try:
            await _write(folder, part, data)
            await _write(folder, f"{keys}{PART}", orjson.dumps(dict(rows)))
            if await _is_there(folder, self._path(name)):
                raise CallRejected(f"{self._path(name)} 刚才被别人占用，下次用后面的序号")
            await folder.rename(f"{keys}{PART}", keys)
        except (CallRejected, NotSent):  # what stays behind is deleted later
            with suppress(ConnectorError):
                await folder.remove(part)
                await self._delete(folder, f"{name}{KEYS}{PART}")
                await self._delete(folder, name + TAKEN)
            raise
        self._keep(name, rows)
        self._open.add(name)
        try:
            await folder.rename(part, self._path(name))
        except (CallRejected, NotSent) as error:
            raise OutcomeUnknown(f"{part} 已写好，改名没有成功，下次再改：{error}") from error
        self._open.discard(name)
        return name

    async def _next(self, folder: RemoteFolder, code: str, day: date) -> str:
        """Take the next name of a day: also the platform's folder says which there were."""
        start = f"{code}_{day:%Y%m%d}_"
        known = {*self._sent, *await folder.names(self._settings.upload_folder)}
        numbers = [int(found[3]) for name in known if (found := FILE.match(name)) and
                   name.startswith(start)]  # fmt: skip
        for number in range(max(numbers, default=0) + 1, _LAST_NUMBER + 1):
            name = f"{start}{number:05d}.xml"
            if await self._take(folder, name + TAKEN):
                return name
        raise CallRejected(f"{start} 的序号今天已用到 {_LAST_NUMBER}")

    async def _take(self, folder: RemoteFolder, taken: str) -> bool:
        """Make a folder, which only one process can; return whether it was this one."""
        try:
            await folder.make_folder(f"{self._home}/{taken}")
        except (CallRejected, NotSent):
            if taken in await folder.names(self._home):
                return False
            raise
        return True

    def _keep(self, name: str, rows: Mapping[str, str]) -> None:
        self._sent[name] = Sent(name, rows)
        self._files |= dict.fromkeys(rows, name)

    def _refuse(self, name: str, keys: Iterable[str]) -> None:
        self._refused[name] = self._refused.get(name, frozenset()).union(keys)
        self._drop(name, self._refused[name])

    def _forget(self, name: str) -> None:
        self._drop(name, self._sent.pop(name).rows)
        self._refused.pop(name, None)

    def _drop(self, name: str, keys: Iterable[str]) -> None:
        for key in keys:
            if self._files.get(key) == name:  # else a later file has it
                del self._files[key]

    def _path(self, name: str) -> str:
        folder = self._settings.upload_folder
        return name if folder == "." else f"{folder}/{name}"


async def _is_there(folder: RemoteFolder, path: str) -> bool:
    try:
        await folder.size(path)
    except CallRejected:
        return False
    return True


async def _write(folder: RemoteFolder, path: str, data: bytes) -> None:
    """Write a file and compare its size."""
    await folder.write(path, data)
    written = await folder.size(path)
    if written != len(data):
        raise CallRejected(f"{path} 应有 {len(data)} 字节，服务器上是 {written}；没有提交")
