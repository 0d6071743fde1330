"""The XML of files and answers: <DATAS><DATA>…</DATA></DATAS> in UTF-8."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from connectors.file_drop.settings import Dispatch
from connectors.shared.layout import text_of
from connectors.shared.xml_read import UnreadableXml, local, xml_root
from schemas.delivery import Item

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<DATAS>\n'
#: Characters that no XML 1.0 document may have.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def document(rows: Iterable[Mapping[str, str]]) -> bytes:
    """Return a file of rows, by the platform's names; without rows, an empty one."""
    parts = [_HEAD]
    for row in rows:
        cells = "".join(f"<{name}>{_text(value)}</{name}>" for name, value in row.items())
        parts.append(f"<DATA>{cells}</DATA>\n")
    return "".join([*parts, "</DATAS>\n"]).encode()


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", value), {"\r": "&#13;"})


def row_of(item: Item, table: Dispatch) -> dict[str, str]:
    """Return the row of an item by the platform's names."""
    row = {name: text_of(value) for name, value in table.values(item).items()}
    if table.status_column is not None and item.verb in table.statuses:
        row[table.status_column] = table.statuses[item.verb]
    if table.key_column is not None:
        row[table.key_column] = item.key
    return row


class AnswerFile(NamedTuple):
    """An answer file: what stands beside its rows, and its rows; names are in small letters."""

    whole: Mapping[str, str]
    rows: list[Mapping[str, str]]


def answer_of(data: bytes) -> AnswerFile:
    """Read an answer file, whatever its encoding; raises UnreadableXml."""
    rows: list[Mapping[str, str]] = []
    whole: dict[str, str] = {}
    waiting = [xml_root(_decoded(data))]
    while waiting:
        for element in waiting.pop():
            if any(len(one) for one in element):  # rows within another element
                waiting.append(element)
            elif len(element):
                rows.append({_name(one): _words(one) for one in element})
            else:
                whole.setdefault(_name(element), _words(element))
    return AnswerFile(whole, rows)


def _name(element: Element) -> str:
    return local(element.tag).lower()


def _words(element: Element) -> str:
    return (element.text or "").strip()


def _decoded(data: bytes) -> str:
    """Return the text: valid UTF-8 is UTF-8, whatever it says; else it is of the GB family."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    raise UnreadableXml
