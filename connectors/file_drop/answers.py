"""Answer files 回执文件 of a platform: which rows it took, and why not the others."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from connectors.errors import CallRejected, NotSent
from connectors.file_drop.folder import RemoteFolder
from connectors.file_drop.journal import Journal, Sent
from connectors.file_drop.settings import Answers
from connectors.file_drop.xml_files import AnswerFile, answer_of
from connectors.shared import Clock
from connectors.shared.words import reason
from connectors.shared.xml_read import UnreadableXml
from schemas.base import storable
from schemas.delivery import Receipt
from schemas.identifiers import document_number_key

#: Answer files of a page, and bytes of one that are read.
_FILES, MOST = 10, 16 * 2**20
#: An answer that cannot be read is still being written, if it changed within this time.
_HALF = timedelta(minutes=10)
#: 报文号_日期_序号, with which the name of an answer begins.
_STEM = re.compile(r"[0-9A-Za-z]{6}_\d{8}_\d{5}")
#: Put before the name of an answer that cannot be read.
UNREAD = "unread-"
_WITHOUT_WORDS = "没有写原因"


class AnswersRead(NamedTuple):
    """The receipts of some answer files, and their names."""

    receipts: list[Receipt]
    names: list[str]


class AnswerFolder:
    """The answer files in a folder of a platform, and since when one cannot be read."""

    def __init__(self, settings: Answers, journal: Journal, now: Clock) -> None:
        self._settings = settings
        self._journal = journal
        self._now = now
        self._unread: dict[str, tuple[int, datetime]] = {}  #: size and time, by name

    async def page(self, folder: RemoteFolder, read: Collection[str]) -> AnswersRead:
        """Return what the next answer files say, and put aside those that were `read` and stored.

        One that cannot be read stops no other.
        """
        await self._put_aside(folder, {name: name for name in read})
        there = await folder.names(self._settings.folder)
        ours = [(name, sent) for name in sorted(there)
                if (sent := _about(name, self._journal)) is not None]  # fmt: skip
        self._unread = {name: self._unread[name] for name in self._unread.keys() & set(there)}
        found = AnswersRead([], [])
        for name, sent in ours:
            if len(found.names) == _FILES:
                break
            try:
                answer = answer_of(await folder.read(f"{self._settings.folder}/{name}", MOST))
            except (UnreadableXml, CallRejected):
                await self._leave(folder, name)
                continue
            found.receipts.extend(await self._said(folder, answer, sent))
            found.names.append(name)
        return found

    async def _said(
        self, folder: RemoteFolder, answer: AnswerFile, sent: Sent
    ) -> Collection[Receipt]:
        """Return what an answer says of rows that no later file has."""
        said = [
            one
            for one in told(answer, sent, self._settings)
            if self._journal.file_of(one.key) in {None, sent.name}
        ]
        refused = [one.key for one in said if not one.accepted]
        await self._journal.refuse(folder, sent.name, refused)
        return said

    async def _leave(self, folder: RemoteFolder, name: str) -> None:
        """Put aside what cannot be read, once it has stayed the same: it may be half written."""
        size, now = await folder.size(f"{self._settings.folder}/{name}"), self._now()
        known = self._unread.get(name)
        if known is None or known[0] != size:
            self._unread[name] = size, now
        elif now - known[1] >= _HALF:
            await self._put_aside(folder, {name: f"{UNREAD}{name}"})

    async def _put_aside(self, folder: RemoteFolder, moved: Mapping[str, str]) -> None:
        """Move files; one whose name is there already gets a number."""
        if not moved:
            return
        here, aside = self._settings.folder, self._settings.done_folder
        await folder.make(aside)
        there = {*await folder.names(aside)}
        for name, to in moved.items():
            ends = ("", *(f".{number}" for number in range(2, len(there) + 3)))
            free = next(to + end for end in ends if to + end not in there)
            try:
                await folder.rename(f"{here}/{name}", f"{aside}/{free}")
            except (CallRejected, NotSent) as error:
                if name in await folder.names(here):
                    words = f"读过的 {here}/{name} 移不到 {aside}：给用户在两个目录改名的权限"
                    raise CallRejected(storable(f"{words}（{error}）")) from error
            there.add(free)


def _about(name: str, journal: Journal) -> Sent | None:
    """Return the file of ours that an answer is about: its name begins with that of the file."""
    stem = _STEM.match(name)
    return None if stem is None else journal.sent(f"{stem[0]}.xml")


def told(answer: AnswerFile, sent: Sent, settings: Answers) -> Iterator[Receipt]:
    """Yield what an answer says of the rows of its file; what is not said plainly is left out.

    Of two lines about one row, the one that refuses it counts.
    """
    said: dict[str, Receipt] = {}
    unmatched = False
    keys = _by_number(sent)
    for row in answer.rows:
        key = _key_of(row, sent, keys, settings)
        if key is None:
            unmatched = True
        elif _code(row, settings) or settings.only_errors:
            receipt = _receipt(key, row, settings)
            if key not in said or not receipt.accepted:
                said[key] = receipt
    yield from said.values()
    whole = _code(answer.whole, settings)
    others_taken = settings.only_errors and not answer.whole
    if not unmatched and (whole or others_taken):
        for key in sent.rows.keys() - said.keys():
            yield (
                Receipt(key=key, accepted=True)
                if others_taken
                else _receipt(key, answer.whole, settings)
            )


def _code(fields: Mapping[str, str], settings: Answers) -> str:
    return fields.get(settings.code_field.lower(), "")


def _receipt(key: str, fields: Mapping[str, str], settings: Answers) -> Receipt:
    code = _code(fields, settings)
    accepted = code in settings.accepted
    words = fields.get(settings.message_field.lower()) or _WITHOUT_WORDS
    said = f"对方返回 {code}：{words}" if code else words
    return Receipt(key=key, accepted=accepted, reasons=() if accepted else (reason(said),))


def _by_number(sent: Sent) -> Mapping[str, str | None]:
    """Return the keys of a file by document number; None for one that several rows have."""
    keys: dict[str, str | None] = {}
    for key, number in sent.rows.items():
        plain = document_number_key(number)
        keys[plain] = None if plain in keys else key
    return keys


def _key_of(
    row: Mapping[str, str], sent: Sent, keys: Mapping[str, str | None], settings: Answers
) -> str | None:
    """Return the key of a row of an answer: by our own, or by a number that only one row has."""
    if settings.key_field is not None and (key := row.get(settings.key_field.lower())):
        return key if key in sent.rows else None
    number = document_number_key(row.get(settings.document_field.lower(), ""))
    return keys.get(number) if number else None
