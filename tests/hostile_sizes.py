"""Others' bytes at the size that they may have, in shapes that cost a careless reader too much.

`python -m tests.hostile_sizes <place>` reads them in a process of its own with bounds of time and
memory. What is read once takes a hundredth of the time; what is read again from each of its places,
or held many times, goes beyond both bounds by far.
"""

import asyncio
import logging
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

import httpx
import orjson

from connectors.errors import OutcomeUnknown
from connectors.file_drop.answers import MOST, told
from connectors.file_drop.journal import Sent
from connectors.file_drop.settings import Answers
from connectors.file_drop.xml_files import answer_of
from connectors.platform_api.feeds import Feeds
from connectors.platform_api.json_api import row_outcomes
from connectors.platform_api.soap_answer import parse
from connectors.shared.http_read import MOST_VALUES, Answer, AnswerReading
from connectors.shared.lenient import MOST_ROWS
from connectors.shared.wrapper import JsonWrapper
from connectors.shared.xml_read import MOST_MARKS, UnreadableXml
from gateway.check.checker import Checker
from gateway.config.keys import Keys, Master
from tests.connectors.conftest import make_item
from tests.factories import event, grade, licence, penalty, person_penalty, raw

#: Seconds of the processor for one place, and MiB that it may add to what the imports took.
SECONDS, MEBIBYTES = 40, 700
#: Seconds of the processor for one step of an answer, in which all else waits.
SLOW = 3
MIB = 2**20

_TODAY = date(2026, 10, 12)
_NOW = datetime(2026, 10, 12, tzinfo=UTC)

#: Texts of so many characters, by what they are made of.
Shape = Callable[[int], str]
TEXTS: Mapping[str, Shape] = {
    "digits": lambda n: "9" * n,
    "decimals": lambda n: "0." + "1" * n,
    "points": lambda n: "1." * (n // 2),
    "commas": lambda n: "1," * (n // 2),
    "two commas": lambda n: "1,," * (n // 3),
    "groups": lambda n: "1" + ",111" * (n // 4),
    "numerals": lambda n: "一" * n,
    "ten thousands": lambda n: "万" * n + "元",
    "digits before spaces": lambda n: "1" * (n // 2) + " " * (n // 2) + "x",
    "numbers of persons": lambda n: "110105194912310 " * (n // 16),
    "days": lambda n: "2026-" * (n // 5),
    "brackets": lambda n: "〔" * n,
    "wide": lambda n: "１" * n,
    "marks above": lambda n: "a" + "\u0301" * n,
    "separators": lambda n: "警告；" * (n // 3),
    "unseen": lambda n: "\u200b" * n,
}
_LONG = 60_000
#: The usual limit of a message of Kafka.
_MESSAGE = MIB


#: JSON numbers that nothing can be counted with.
NUMBERS = (
    *(b"1e999999999", b"-1e999999999", b"1e-999999999", b"1e99999999999999999999", b"1.5e300"),
    *(b"9" * 4299, b"9" * 100_000, b"0." + b"1" * 100_000),
)


def _columns() -> None:
    """Check a record of each kind with each text and each number in each column."""
    checker = Checker(Keys(Master(b"a master key for tests only")))
    for row in (penalty(), person_penalty(), licence(), event(), grade()):
        given = raw(row)
        for column in (*row, "unknown"):
            for shape in TEXTS.values():
                checker.check(raw({**row, column: shape(_LONG)}), _TODAY)
            body = orjson.dumps({**row, column: "@"})
            for number in NUMBERS:
                checker.check(raw(body.replace(b'"@"', number), kind=given.kind), _TODAY)


def _names() -> None:
    """Check records of many names, and with one name twice or very often."""
    checker = Checker(Keys(Master(b"a master key for tests only")))
    row = orjson.dumps(penalty())[:-1]
    count = _MESSAGE // 12
    many = b"".join(b',"x%07d":1' % n for n in range(count))
    often = b"".join(b',"x":%07d' % n for n in range(count))
    long = b',"' + b"x" * _MESSAGE + b'":1'
    for more in (many, often, long, many + b',"x0000001":2', b',"o":{"a":1' + often + b"}"):
        checker.check(raw(row + more + b"}"), _TODAY)


#: Lists of JSON of so many bytes, by what their members are.
JSONS: Mapping[str, bytes] = {
    "nothing": b"{}",
    "lists": b"[]",
    "half rows": b'{"key":"1"}',
    "rows": b'{"key":"1","accepted":false,"status":"rejected","reasons":["x"]}',
    "reasons": b'{"key":"1","accepted":false,"status":"rejected","reasons":[%s1]}' % (b"1," * 5000),
    "words": b'{"key":"1","accepted":false,"status":"rejected","reasons":["%s"]}'
    % (b"1 " * 50_000),
    "columns": b'{"record_kind":"p","document_number":"1","subject_code":"1","columns":{%s"a":1},'
    b'"shown_at":"2026-10-12T09:00:00+08:00"}' % b"".join(b'"%d":[1],' % n for n in range(5000)),
}
#: XML of so many bytes, by what it is made of.
XMLS: Mapping[str, Callable[[int], bytes]] = {
    "a long namespace": lambda n: (
        b'<a xmlns="%s">%s</a>'
        % (b"u" * (n // 2), b"".join(b"<e%x/>" % one for one in range(min(n // 16, 200_000))))
    ),
    "elements": lambda n: b"<a>%s</a>" % (b"<b/>" * (n // 4)),
    "elements that count": lambda n: b"<a>%s</a>" % (b"<b/>" * min(n // 4, MOST_MARKS - 2)),
    "depth": lambda n: b"<a>" * (n // 7) + b"</a>" * (n // 7),
    "attributes": lambda n: (
        b"<a%s/>" % b"".join(b' b%x=""' % one for one in range(min(n // 11, MOST_MARKS - 2)))
    ),
    "references": lambda n: b"<a>%s</a>" % (b"&#65;" * (n // 5)),
    "words": lambda n: b"<a>%s</a>" % (b"&amp;" * (n // 5)),
    "lines": lambda n: b"<a>%s</a>" % (b"\n" * n),
    "declarations": lambda n: b"<?xml %s" % (b"?" * n),
    "comments": lambda n: b"<a>%s</a>" % (b"<!-- -->" * (n // 8)),
    "a long name": lambda n: b"<%s/>" % (b"a" * n),
    "JSON": lambda n: b'<a>{"errorCode":"200","errorBody":[%s{}]}</a>' % (b"{}," * (n // 3)),
    "JSON in JSON": lambda n: (
        b'<a>{"errorCode":"200","errorBody":"[%s{}]"}</a>' % (b"{}\\u002c" * (n // 8))
    ),
    "braces": lambda n: b"<a>%s</a>" % (b"{" * n),
    "quotes": lambda n: b"<a>%s</a>" % (b"&quot;" * (n // 6)),
}
#: Answers in parts, by what they are made of.
_PART = b"--b%s\nContent-Type: multipart/mixed; boundary=b%d\n\n"
PARTS: Mapping[str, Callable[[int], bytes]] = {
    "parts within parts": lambda n: (
        b"--b\n" + b"".join(_PART % (b"%d" % one, one + 1) for one in range(1000)) + b"\n" * n
    ),
    "lines": lambda n: b"--b\n\n" + b"\n" * n,
    "heads": lambda n: b"--b\n" + b"a: b\n" * (n // 5),
    "marks": lambda n: b"--b\n" * (n // 4),
    "packed": lambda n: b"--b\nContent-Transfer-Encoding: base64\n\n" + b"QUE9\n" * (n // 5),
    "quoted": lambda n: (
        b"--b\nContent-Transfer-Encoding: quoted-printable\n\n" + b"=41\n" * (n // 4)
    ),
}
#: Bytes that the process may ask for, so that it alone fails.
_MOST = 4096 * MIB
#: The usual bound of an answer, in bytes.
_ANSWER = 32 * MIB


def _lists() -> Iterator[bytes]:
    """Yield lists of each member: as long as an answer may be, and of as many values."""
    for member in JSONS.values():
        longest = (_ANSWER - 99) // (len(member) + 1)
        values = 1 + sum(map(member.count, (b",", b"[", b"{")))
        for count in {longest, min(longest, MOST_VALUES // values), min(longest, MOST_ROWS)}:
            yield b"[%s]" % ((member + b",") * count)[:-1]


class _Told:
    """Stands for a platform that gives the same answer to everything."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def ask(self, _method: str, _url: str) -> Answer:
        return Answer(200, {}, self.body)


async def _feeds() -> None:
    """Read pages of receipts and of the listing; no step may keep the others waiting."""
    waiting = asyncio.create_task(_waiting())
    for rows in _lists():
        told: Any = _Told(b'{"receipts":%s,"rows":[],"cursor":""}' % rows)
        with suppress(OutcomeUnknown):
            await Feeds(told, JsonWrapper(), zoned=True).receipts("http://x", "")
        told = _Told(b'{"rows":%s,"cursor":null}' % rows)
        with suppress(OutcomeUnknown):
            async for _ in Feeds(told, JsonWrapper(), zoned=True).listing("http://x", _NOW):
                pass
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting


async def _waiting() -> None:
    """Fail if others work for too long at once."""
    while True:
        before = time.process_time()
        await asyncio.sleep(0)
        assert time.process_time() - before < SLOW


def _json_answers() -> None:
    items = [make_item(n, key=str(n)) for n in range(1, 5001)]
    for rows in _lists():
        answer = Answer(200, {}, b'{"results":%s}' % rows)
        with suppress(OutcomeUnknown):
            row_outcomes(items, answer.json(), absent=False)


def _soap_answers() -> None:
    for shape in XMLS.values():
        with suppress(OutcomeUnknown):
            parse(shape(_ANSWER - 99), "text/xml")
    for parts in PARTS.values():
        with suppress(OutcomeUnknown):
            parse(parts(_ANSWER - 99), "multipart/related; boundary=b")


async def _torn_answers() -> None:
    """Judge answers whose connection ends before what their head says."""
    for body in chain((shape(_ANSWER - 99) for shape in XMLS.values()), _lists()):
        read = AnswerReading(_ANSWER)
        await read.body_of(httpx.Response(200, stream=_Torn(body)))
        read.complete()


class _Torn(httpx.AsyncByteStream):
    """Stands for a body that comes at once."""

    def __init__(self, body: bytes) -> None:
        self.body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.body


def _answer_files() -> None:
    """Read answer files of each shape, and one that tells each row of the largest file."""
    for shape in XMLS.values():
        with suppress(UnreadableXml):
            answer_of(shape(MOST - 99))
    rows = {str(n): f"样环罚字〔2026〕{n}号" for n in range(5000)}
    cells = "".join(f"<DATA><CF_WSH>{one}</CF_WSH><code>0</code></DATA>" for one in rows.values())
    answer = answer_of(f"<DATAS>{cells * 5}</DATAS>".encode())
    settings = Answers(folder="a", done_folder="b")
    assert len(list(told(answer, Sent("file", rows), settings))) == len(rows)


PLACES: Mapping[str, Callable[[], Any]] = {
    "answer files": _answer_files,
    "columns of an item": _columns,
    "names of an item": _names,
    "pages of feeds": lambda: asyncio.run(_feeds()),
    "answers in JSON": _json_answers,
    "answers in SOAP": _soap_answers,
    "answers that are torn": lambda: asyncio.run(_torn_answers()),
}


def main() -> Iterator[str]:
    """Read one place; yield what went beyond the bounds."""
    logging.disable()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST, _MOST))
    PLACES[sys.argv[1]]()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    if grown > MEBIBYTES:
        yield f"{grown} MiB"


if __name__ == "__main__":
    sys.exit("\n".join(main()) or None)
