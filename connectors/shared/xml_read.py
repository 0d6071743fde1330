"""Read the XML of others: no document types, and no names longer than they are written.

The reader of the standard library puts the whole name of the namespace before each name of an
element, so that a long one takes gigabytes. Here a name keeps its prefix, and attributes are left
out: nobody asks for them.
"""

from collections.abc import Mapping
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers.expat import ExpatError, ParserCreate

#: Elements and attributes of a document at most, and the signs that look like them.
MOST_MARKS = 500_000


class UnreadableXml(ValueError):
    """The text is no XML, or not such as is read here."""


def xml_root(text: str) -> Element:
    """Return the root of a document; raises UnreadableXml."""
    if text.count("<") + text.count("=") > MOST_MARKS:
        raise UnreadableXml
    builder, parser = TreeBuilder(), ParserCreate()

    def start(name: str, _attributes: Mapping[str, str]) -> None:
        builder.start(name, {})

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(text, True)
    except (ExpatError, ValueError) as exc:
        raise UnreadableXml from exc
    return builder.close()


def is_whole_xml(text: bytes) -> bool:
    """Whether these bytes are one document to its end."""
    if text.count(b"<") + text.count(b"=") > MOST_MARKS:
        return False
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(text, True)
    except (ExpatError, ValueError, LookupError):
        return False
    return True


def local(name: str) -> str:
    """Return the name of an element without its prefix."""
    return name.rpartition(":")[2]


def _refuse(*_: object) -> NoReturn:
    raise UnreadableXml
