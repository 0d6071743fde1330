"""The files of a sandbox platform: takes XML files 报文 from a folder, writes answers 回执文件.

What is renamed into the folder `in` is taken; answers come into the folder `out`, named as their
file, once their verdict is due and somebody looks there.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from connectors.sandbox.book import Book, Entry, document_in
from connectors.sandbox.faults import Faults
from connectors.sandbox.places import FilesPlace
from connectors.shared.xml_read import UnreadableXml, local, xml_root

#: Where a sender puts files, and where answers come.
TAKES_FROM, ANSWERS_IN = "in", "out"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_TAKEN, _REFUSED = "0", "10003"
#: A row that nobody has sent.
_EXTRA = {"key": "nobody-asked", "accepted": True, "reasons": []}
Row = Mapping[str, str]


def rows_in(data: bytes) -> list[Row]:
    """Return the rows of a file; none of one that cannot be read."""
    try:
        root = xml_root(data.decode().partition("?>")[2])
    except (UnreadableXml, UnicodeDecodeError):
        return []
    return [{local(one.tag): (one.text or "") for one in row} for row in root]


class FileDesk:
    """What a platform has taken from its folder, and what it has not answered yet."""

    def __init__(self, place: FilesPlace, book: Book) -> None:
        self.book = book
        self._place = place
        self._cursor = ""
        #: The file and the faults of each row by its key, and how many answers a file has.
        self._files: dict[str, str] = {}
        self._faults: dict[str, Faults] = {}
        self._answers: dict[str, int] = {}

    def documents(self, path: Path) -> list[str]:
        """Return the document numbers in a file."""
        return [document_in(row) for row in rows_in(path.read_bytes())]

    def take(self, path: Path, faults: Faults) -> None:
        """Take the rows of a file; each gets its verdict."""
        book = self.book
        book.acting = faults
        self._faults[path.stem] = faults
        kind = self._place.tables.get(path.name.partition("_")[0], "")
        for row in rows_in(path.read_bytes()):
            entry = self._entry(row, kind)
            book.received[entry.key] += 1
            self._files[entry.key] = path.stem
            chosen = book.faults_of(entry, "files")
            if reasons := book.refusal(entry, chosen):
                book.schedule(entry, entry.stored_at, "rejected", reasons)
            else:
                book.store(entry, chosen)

    def _entry(self, row: Row, kind: str) -> Entry:
        place = self._place
        columns = {name: text for name, text in row.items() if name != place.key_column}
        verb = "withdraw" if row.get(place.status_column) == place.withdrawn else "new"
        entry = Entry("", kind, verb, 0, columns, "submitted", self.book.now())
        entry.key = row.get(place.key_column) or f"{entry.document}|{entry.subject}"
        return entry

    def answer(self, folder: Path) -> None:
        """Write an answer to each file of which verdicts are due."""
        due: dict[str, list[Mapping[str, Any]]] = {}
        while True:
            page, self._cursor = self.book.receipts(self._cursor)
            if not page:
                break
            for said in page:
                due.setdefault(self._files[said["key"]], []).append(said)
        for stem, verdicts in due.items():
            self._answers[stem] = number = self._answers.get(stem, 0) + 1
            name = f"{stem}.xml" if number == 1 else f"{stem}_{number}.xml"
            (folder / name).write_bytes(_answer(verdicts, self._faults[stem]))


def _answer(verdicts: Sequence[Mapping[str, Any]], faults: Faults) -> bytes:
    if faults.odd.endswith("garbage"):
        return b"\x81\x00\xff\xfe" * 40
    said = [*verdicts, _EXTRA] if faults.wrong_counts else list(verdicts)
    times = 2 if faults.answer == "twice" else 1
    rows = "".join(line for one in said for line in [*_lines(one)] * times)
    text = f"{_HEAD}<DATAS>\n{rows}</DATAS>\n"
    return text.encode("gbk" if faults.odd.endswith("wrong-encoding") else "utf-8", "replace")


def _lines(said: Mapping[str, Any]) -> Iterator[str]:
    code = _TAKEN if said["accepted"] else _REFUSED
    words = escape("；".join(said["reasons"]) or "操作成功")
    key = escape(said["key"])
    yield f"<DATA><KEY>{key}</KEY><CODE>{code}</CODE><MESSAGE>{words}</MESSAGE></DATA>\n"
