"""What goes over a connection to PostgreSQL, as far as a sandbox must know it to misbehave."""

import asyncio
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from struct import unpack
from typing import NamedTuple

from connectors.sandbox.rehearsals import SIGN

#: Requests before the start of a session: encryption, which is declined, and to end a statement.
_ENCRYPTION, _CANCEL = frozenset({80877103, 80877104}), 80877102
#: Messages that belong to what follows them: Parse, Bind, Describe, Execute, Close.
_PARTS = b"PBDEC"
#: A start is short; what is longer is none.
_LONGEST_START = 10_000
#: What is no word of a statement: comments, texts, and names in quotes.
_NO_WORDS = re.compile(
    rb"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|"[^"]*"|\$(\w*)\$.*?\$\1\$""", re.DOTALL
)
_INSERTS = re.compile(rb"\binsert\s+into\b", re.IGNORECASE)
_COMMITS = re.compile(rb"(?:^|;)\s*(?:commit|end)\b", re.IGNORECASE)
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
#: A document number of the standard is not longer.
_LONGEST_NUMBER = 128


class WireMessage(NamedTuple):
    """One message of a session: its kind, and what is in it."""

    kind: bytes
    body: bytes

    @property
    def whole(self) -> bytes:
        """The message as it is sent."""
        return self.kind + (len(self.body) + 4).to_bytes(4) + self.body

    @property
    def text(self) -> bytes:
        """The first text of the message."""
        return self.body.partition(b"\0")[0]


class SessionStart(NamedTuple):
    """The first message of a session, and who wants which database."""

    whole: bytes
    user: str
    database: str


@dataclass(slots=True)
class SessionRequest:
    """What a client sends at once, and whether it inserts rows or commits them."""

    data: bytes = b""
    inserts: bool = False
    commits: bool = False
    ends: bool = False
    #: The numbers in inserted rows that have a mark.
    documents: list[str] = field(default_factory=list)


async def read_message(reader: asyncio.StreamReader) -> WireMessage:
    """Read one message of a session."""
    kind = await reader.readexactly(1)
    length = int.from_bytes(await reader.readexactly(4))
    return WireMessage(kind, await reader.readexactly(length - 4))


async def read_start(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> SessionStart | None:
    """Read who begins a session, without encryption; None if nobody does."""
    while True:
        length = int.from_bytes(await reader.readexactly(4))
        if not 8 <= length <= _LONGEST_START:
            return None
        body = await reader.readexactly(length - 4)
        code = int.from_bytes(body[:4])
        if code == _CANCEL:
            return None
        if code not in _ENCRYPTION:
            words = [word.decode(errors="replace") for word in body[4:].split(b"\0")]
            said = dict(zip(words[::2], words[1::2], strict=False))
            user = said.get("user", "")
            return SessionStart(length.to_bytes(4) + body, user, said.get("database", user))
        writer.write(b"N")


def fatal(state: str, words: str) -> bytes:
    """Return the message that refuses a session, with its SQLSTATE."""
    fields = (
        f"{kind}{value}\0" for kind, value in zip("SCM", ("FATAL", state, words), strict=True)
    )
    return WireMessage(b"E", "".join(fields).encode() + b"\0").whole


class RequestReader:
    """Reads what a client sends, request by request; remembers which statements insert."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        #: The texts in prepared statements that insert, by their names.
        self._inserts: dict[bytes, list[str]] = {}

    async def next(self) -> SessionRequest:
        """Return the next request: what goes to the server at once."""
        request = SessionRequest()
        while True:
            message = await read_message(self._reader)
            request.data += message.whole
            self._note(message, request)
            if message.kind not in _PARTS:
                request.ends = message.kind == b"X"
                return request

    def _note(self, message: WireMessage, request: SessionRequest) -> None:
        if message.kind == b"P":
            name, statement, *_ = message.body.split(b"\0", 2)
            self._inserts.pop(name, None)
            if _INSERTS.search(_bare(statement)):
                self._inserts[name] = _literals(statement)
            request.commits |= _commits(statement)
        elif message.kind == b"B":
            name = message.body.split(b"\0", 2)[1]
            if name in self._inserts:
                request.inserts = True
                request.documents += _marked(chain(self._inserts[name], _values(message.body)))
        elif message.kind == b"Q":
            request.commits |= _commits(message.text)
            if _INSERTS.search(_bare(message.text)):
                request.inserts = True
                request.documents += _marked(_literals(message.text))


def _bare(statements: bytes) -> bytes:
    """Return statements without comments, texts and names in quotes."""
    return _NO_WORDS.sub(b" ", statements)


def _commits(statements: bytes) -> bool:
    return _COMMITS.search(_bare(statements)) is not None


def _literals(statements: bytes) -> list[str]:
    said = statements.decode(errors="replace")
    return [one.replace("''", "'") for one in _LITERAL.findall(said)]


def _values(bind: bytes) -> Iterator[str]:
    """Yield the values of a Bind that are text."""
    rest = bind.split(b"\0", 2)[2]
    (formats,) = unpack(">h", rest[:2])
    at = 2 + 2 * formats
    (count,) = unpack(">h", rest[at : at + 2])
    at += 2
    for _ in range(count):
        (length,) = unpack(">i", rest[at : at + 4])
        at += 4
        if length >= 0:
            yield rest[at : at + length].decode(errors="replace")
            at += length


def _marked(values: Iterable[str]) -> list[str]:
    return [value for value in values if SIGN in value and len(value) <= _LONGEST_NUMBER]
