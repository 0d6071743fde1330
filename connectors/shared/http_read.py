"""The answer to an HTTP call: read within its limits, and judged by what was read."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from connectors.errors import OutcomeUnknown
from connectors.shared.http_wire import kept_answer
from connectors.shared.words import decoded
from connectors.shared.xml_read import is_whole_xml

#: Values of a JSON answer at most: an empty one of two bytes takes tens of them in memory.
MOST_VALUES = 2_000_000
#: Bytes by which a packed answer may be longer than what is in it.
_PACKING = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """The complete answer to one call."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Parse the body as JSON; raises OutcomeUnknown if it is not JSON, or has too much."""
        return read_json(self.body, self.headers.get("content-type", ""))


def read_json(body: bytes, content_type: str) -> Any:
    """Parse what another side wrote as JSON; raises OutcomeUnknown if it is none, or too much."""
    text = body.removeprefix(b"\xef\xbb\xbf")
    if has_too_many_values(text):
        raise OutcomeUnknown("应答的内容太多")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:  # Python's own reader also takes NaN and the like, which are not JSON
        return json.loads(decoded(text, content_type))
    except (ValueError, RecursionError) as exc:
        raise OutcomeUnknown("应答不是 JSON") from exc


class AnswerReading:
    """What has been read of an answer, unpacked from one layer of gzip or deflate.

    httpx would unpack a whole block at once, and as many layers as the other side names.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._response: httpx.Response | None = None
        self._body = bytearray()
        self._is_cut = False

    async def body_of(self, response: httpx.Response) -> None:
        """Read a body up to the limit in bytes; raises OutcomeUnknown if it cannot be read."""
        self._response = response
        unpack = _unpacking(response.headers.get("content-encoding", ""))
        read = 0
        async for raw in response.aiter_raw():
            read += len(raw)
            if unpack is None:
                self._body += raw
            elif not unpack.eof:  # zlib would keep all that follows
                self._unpack(unpack, raw)
            if max(len(self._body), read - _PACKING) > self._limit:
                self._is_cut = True
                raise OutcomeUnknown(f"应答超过 {self._limit} 字节")

    def _unpack(self, unpack: "zlib._Decompress", raw: bytes) -> None:
        try:
            self._body += unpack.decompress(raw, self._limit + 1 - len(self._body))
        except zlib.error as exc:
            raise OutcomeUnknown("应答解不开压缩") from exc

    def answer(self) -> Answer:
        """Return the answer that was read to its end."""
        found = self.part()
        if found is None:
            raise OutcomeUnknown("没有应答")
        return found

    def part(self) -> Answer | None:
        """Return the answer as far as it was read; None if not even its status came."""
        response = self._response
        if response is None:
            return None
        return Answer(response.status_code, response.headers, bytes(self._body))

    def complete(self) -> Answer | None:
        """Return the answer as far as it was read, if that is a whole JSON or XML text.

        A refusal needs no more than its status.
        """
        found = self.part()
        if found is None or _refuses(found.status):
            return found
        return None if self._is_cut or not _is_whole(self._body) else found


def thrown_away(error: Exception, *, status_decides: bool) -> Answer | None:
    """Return the answer that an error threw away, if its body is whole or does not matter."""
    found = kept_answer(error)
    if found is None:
        return None
    status, kind, body = found
    if not (status_decides or _refuses(status) or _is_whole(body)):
        return None
    return Answer(status, {"content-type": kind.decode("latin-1")}, body)


def _refuses(status: int) -> bool:
    """Whether a status says that nothing was taken.

    A server that refuses a call for its size does not read the rest of it, and the connection
    breaks, often within the words of the refusal.
    """
    return 400 <= status < 500


def has_too_many_values(text: bytes | str) -> bool:
    """Whether a JSON text may have more values than any answer."""
    marks = (b",", b"[", b"{") if isinstance(text, bytes) else (",", "[", "{")
    return sum(map(text.count, marks)) > MOST_VALUES  # type: ignore[arg-type]  # its own kind


def _is_whole(body: bytes | bytearray) -> bool:
    """Whether these bytes are one JSON value or XML document to its end."""
    text = bytes(body).strip()
    if text.startswith(b"<"):
        return is_whole_xml(text)
    if not text.startswith((b"{", b"[")) or has_too_many_values(text):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _unpacking(encoding: str) -> "zlib._Decompress | None":
    match encoding.strip().lower():
        case "" | "identity":
            return None
        case "gzip" | "x-gzip" | "deflate":
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
        case _:
            raise OutcomeUnknown("应答的压缩方式不支持")
