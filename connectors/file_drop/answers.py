"""AnswerFile files 回执文件 of a platform: which rows it took, and why not the others."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from connectors.errors import CallRejected, NotSent
from connectors.file_drop.folder import RemoteFolder
from connectors.file_drop.journal import Journal, Sent
from connectors.file_drop.settings import Answers
from connectors.file_drop.xml_files import AnswerFile, answer_of
from connectors.shared.xml_read import UnreadableXml
from schemas.delivery import Receipt
from schemas.identifiers import document_number_key

#: AnswerFile files of a page, and bytes of one that are read.
_FILES, MOST = 10, 16 * 2**20
#: Answers of one name that are kept.
_NAMES = 10
#: 报文号_日期_序号, with which the name of an answer begins.
_STEM = re.compile(r"[0-9A-Za-z]{6}_\d{8}_\d{5}")
#: Put before the name of an answer that cannot be read.
UNREAD = "unread-"
_WITHOUT_WORDS = "没有写原因"


class AnswersRead(NamedTuple):
    """The receipts of some answer files, and their names."""

    receipts: list[Receipt]
    names: list[str]


async def page(
    folder: RemoteFolder, settings: Answers, journal: Journal, read: Collection[str]
) -> AnswersRead:
    """Return what the next answer files say, and put aside those that were `read` and stored.

    One that cannot be read is put aside under another name and stops no other.
    """
    for name in read:
        await _put_aside(folder, f"{settings.folder}/{name}", f"{settings.done_folder}/{name}")
    names = sorted(name for name in await folder.names(settings.folder) if name not in read)
    ours = [(name, sent) for name in names if (sent := _about(name, journal)) is not None]
    found = AnswersRead([], [])
    for name, sent in ours[:_FILES]:
        try:
            answer = answer_of(await folder.read(f"{settings.folder}/{name}", MOST))
        except (UnreadableXml, CallRejected):
            to = f"{settings.done_folder}/{UNREAD}{name}"
            await _put_aside(folder, f"{settings.folder}/{name}", to)
            continue
        found.receipts.extend(told(answer, sent, settings))
        found.names.append(name)
    return found


async def _put_aside(folder: RemoteFolder, path: str, to: str) -> None:
    """Move a file; where one of its name is there already, it gets a number."""
    await folder.make(to.rpartition("/")[0] or ".")
    for end in ("", *(f".{number}" for number in range(2, _NAMES))):
        try:
            await folder.rename(path, to + end)
        except (CallRejected, NotSent):
            continue
        return


def _about(name: str, journal: Journal) -> Sent | None:
    """Return the file of ours that an answer is about: its name begins with that of the file."""
    stem = _STEM.match(name)
    return None if stem is None else journal.sent(f"{stem[0]}.xml")


def told(answer: AnswerFile, sent: Sent, settings: Answers) -> Iterator[Receipt]:
    """Yield what an answer says of the rows of its file; a row that cannot be told is left out."""
    whole = answer.whole.get(settings.code_field)
    said: dict[str, Mapping[str, str]] = {}
    unmatched = False
    keys = _by_number(sent)
    for row in answer.rows:
        key = _key_of(row, sent, keys, settings)
        if key is None:
            unmatched = True
        else:
            said[key] = row
    for key, row in said.items():
        yield _receipt(key, row, settings)
    if unmatched or (whole is None and not settings.only_errors):
        return
    for key in sent.rows.keys() - said.keys():
        yield _receipt(key, answer.whole, settings, otherwise=settings.only_errors)


def _receipt(
    key: str, fields: Mapping[str, str], settings: Answers, *, otherwise: bool = False
) -> Receipt:
    code = fields.get(settings.code_field)
    accepted = otherwise if code is None else code in settings.accepted
    words = fields.get(settings.message_field) or _WITHOUT_WORDS
    said = f"对方返回 {code}：{words}" if code else words
    return Receipt(key=key, accepted=accepted, reasons=() if accepted else (said,))


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
    if settings.key_field is not None and (key := row.get(settings.key_field)):
        return key if key in sent.rows else None
    number = document_number_key(row.get(settings.document_field, ""))
    return keys.get(number) if number else None
