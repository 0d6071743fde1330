"""The office behind a sandbox mailbox: opens a mail and reads the rows of its workbook.

It does not use the connector's words and columns on purpose, so each tests the other. Who signed a
mail is not checked.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from email import message_from_bytes, policy
from hashlib import blake2b
from io import BytesIO
from typing import NamedTuple
from zipfile import BadZipFile

from cryptography.hazmat.primitives.serialization import pkcs7
from python_calamine import CalamineError, CalamineWorkbook

from connectors.sandbox.app import Sandbox
from connectors.sandbox.book import Book, Entry, document_in
from connectors.sandbox.faults import Faults
from connectors.sandbox.mail_keys import keys_in
from connectors.sandbox.places import MailPlace
from connectors.sandbox.rehearsals import LATER
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.kinds import KINDS

_VERB, _KEY = "动作", "本方标识"
_VERBS = {
    "新报": "new",
    "更正": "correct",
    "撤回": "withdraw",
    "信用修复，终止公示": "repair",
    "恢复": "revive",
}


class UnreadableMail(Exception):
    """A mail that is not encrypted for the office, or has no workbook with rows."""


class MailedRow(NamedTuple):
    """One row of a workbook, by the columns of the standard."""

    kind: str
    key: str
    verb: str
    columns: Mapping[str, str]


class MailDesk:
    """One mailbox: its mails, and the book of their rows."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.place = sandbox.places_of(MailPlace)[name]
        self._sandbox = sandbox
        self._name = name
        self._keys = keys_in(self.place.folder, self.book.now())
        self._mails = self.place.folder / "mails"
        self._mails.mkdir(exist_ok=True)
        #: What is said to mails that came too early, by their rows, and until when.
        self._put_off: dict[frozenset[str], tuple[str, datetime]] = {}

    @property
    def book(self) -> Book:
        """The book of the place, a new one after a reset."""
        return self._sandbox.books[self._name]

    def faults(self, rows: Sequence[MailedRow] | None = None) -> Faults:
        """Return the faults of the next call; with rows it hands them over."""
        book = self.book
        if rows is None:
            return book.faults_of_call(None)
        book.calls["mail"] += 1
        return book.faults_of_call("mail", [document_in(row.columns) for row in rows])

    def put_off(self, rows: Sequence[MailedRow], answer: str) -> str:
        """Give an answer to a mail, and the same to its repeats of the next half minute."""
        self._put_off[_keys(rows)] = answer, self.book.now() + LATER
        return answer

    def said(self, rows: Sequence[MailedRow]) -> str | None:
        """Return what is still said to a mail that was put off; None once that is over."""
        answer, until = self._put_off.get(_keys(rows), (None, self.book.now()))
        return answer if self.book.now() < until else None

    def opened(self, mail: bytes) -> list[MailedRow]:
        """Return the rows of a mail.

        Raises:
            UnreadableMail: it was not made for this office.
        """
        try:
            inner = pkcs7.pkcs7_decrypt_smime(mail, self._keys.certificate, self._keys.key, [])
        except ValueError as error:
            raise UnreadableMail(f"解不开，请用 recipient.pem 加密：{error}") from error
        for part in message_from_bytes(inner, policy=policy.default).walk():
            if (part.get_filename() or "").lower().endswith(".xlsx"):
                data = part.get_payload(decode=True)
                try:
                    return list(_rows(CalamineWorkbook.from_filelike(BytesIO(bytes(data)))))
                except (CalamineError, BadZipFile, ValueError) as error:
                    raise UnreadableMail(f"附件读不懂：{error}") from error
        raise UnreadableMail("没有 .xlsx 附件")

    def take(self, mail: bytes, rows: Sequence[MailedRow], faults: Faults) -> list[str]:
        """Keep a mail and its rows; or return why nothing of it is taken.

        An office counts a key once, however often it comes.
        """
        book = self.book
        book.acting = faults
        entries = [
            Entry(row.key, row.kind, row.verb, 0, row.columns, "accepted", book.now())
            for row in rows
        ]
        chosen = [(entry, book.faults_of(entry, "mail")) for entry in entries]
        refused = [words for entry, of_row in chosen for words in book.refusal(entry, of_row)]
        if refused:
            return refused
        number = len(list(self._mails.glob("*.eml"))) + 1
        (self._mails / f"{number:05}.eml").write_bytes(mail)
        for entry, of_row in chosen:
            book.received[entry.key] += 1
            if entry.key not in book.entries:
                book.store(entry, of_row)
        return []


def _keys(rows: Sequence[MailedRow]) -> frozenset[str]:
    return frozenset(row.key for row in rows)


def _rows(book: CalamineWorkbook) -> Iterator[MailedRow]:
    """Yield the rows of a workbook; one without our key is known by what is in it, and how often.

    So a row of another sender counts once in whatever mails, and twice if it is there twice.
    """
    times: Counter[str] = Counter()
    for name in book.sheet_names:
        head, *lines = book.get_sheet_by_name(name).to_python()
        kind = next((kind for kind in KINDS.reported if KINDS[kind].title == name), name)
        wires = _wires(kind)
        for line in lines:
            filled = zip(map(str, head), map(_text, line), strict=True)
            cells = {title: text for title, text in filled if text}
            if not cells:
                continue
            verb, key = _VERBS.get(cells.pop(_VERB, ""), ""), cells.pop(_KEY, "")
            columns = {wires.get(title, title): text for title, text in cells.items()}
            if not key:
                content = repr((kind, verb, sorted(columns.items()))).encode()
                same = f"{document_in(columns)}|{blake2b(content, digest_size=8).hexdigest()}"
                times[same] += 1
                key = f"{same}|{times[same]}"
            yield MailedRow(kind, key, verb, columns)


def _text(cell: object) -> str:
    """Return a cell as its text; spreadsheets have every number as a fraction, such as 1001.0."""
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)


def _wires(kind: str) -> Mapping[str, str]:
    if kind not in KINDS:
        return {}
    return {one.title: one.wire for one in columns_of(KINDS[RecordKind(kind)].model)}
