"""SOAP services as they are: encodings, wrappings, faults, batches that are refused."""

import asyncio
import base64
import html
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectors import build
from connectors.errors import CallRejected, OutcomeUnknown
from connectors.platform_api import PlatformSoap
from connectors.platform_api.soap_answer import parse
from tests.connectors.conftest import ItemFactory
from tests.connectors.raw_server import answer, raw_server, request_of

DONE = {
    "errorCode": "200",
    "errorMsg": "操作成功",
    "totalSize": 1,
    "successSize": 1,
    "errorSize": 0,
}
TEXT = json.dumps(DONE, ensure_ascii=False)
ESCAPED = html.escape(TEXT)
BODY = f"<soap:Body><r><return>{ESCAPED}</return></r></soap:Body>"
SPACE = 'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"'
ENVELOPE = f"<soap:Envelope {SPACE}>{BODY}</soap:Envelope>"


def declared(encoding: str) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{ENVELOPE}'


ENCODED: dict[str, tuple[bytes, str]] = {
    "gbk": (declared("GBK").encode("gbk"), "text/xml"),
    "gb2312": (declared("gb2312").encode("gb2312"), "text/xml"),
    "gb18030": (declared("GB18030").encode("gb18030"), "text/xml"),
    "utf8": (declared("utf8").encode(), "text/xml"),
    "in the header only": (ENVELOPE.encode("gbk"), "text/xml; charset=GBK"),
    "nowhere": (ENVELOPE.encode("gbk"), "text/xml"),
    "a declaration that lies": (declared("GBK").encode(), "text/xml; charset=gb2312"),
    "a header that lies": (declared("UTF-8").encode("gbk"), "text/xml; charset=utf-8"),
    "utf-16": (declared("UTF-16").encode("utf-16"), "text/xml"),
    "byte order mark": (b"\xef\xbb\xbf" + declared("UTF-8").encode(), "text/xml"),
    "blank line first": (b"\r\n\r\n" + declared("UTF-8").encode(), "text/xml"),
    "comments around": (
        f"<!-- a --><?pi x?>{ENVELOPE}<!-- b -->".encode(),
        "text/xml",
    ),
    "control characters": (ENVELOPE.replace("操作", "操\x0b作").encode(), "text/xml"),
    "json alone": (TEXT.encode(), "application/json"),
}


@pytest.mark.parametrize(("body", "kind"), ENCODED.values(), ids=ENCODED)
def test_an_answer_is_read_in_any_encoding(body: bytes, kind: str) -> None:
    found = parse(body, kind)

    assert (found.code, found.message, found.total) == ("200", "操作成功", 1)


WRAPPED = {
    "executeReturn": f"<executeResponse><executeReturn>{ESCAPED}</executeReturn></executeResponse>",
    "executeResult": f"<a:x xmlns:a='u'><a:executeResult>{ESCAPED}</a:executeResult></a:x>",
    "prefix": f"<n:r xmlns:n='u'><n:return>{ESCAPED}</n:return></n:r>",
    "out": f"<r><out>{ESCAPED}</out></r>",
    "multiRef": "<r><executeReturn href='#id0'/></r>"
    f"<multiRef id='id0' soapenc='x'>{ESCAPED}</multiRef>",
    "CDATA": f"<r><return><![CDATA[{TEXT}]]></return></r>",
    "a string in it": f"<r><return><string>{ESCAPED}</string></return></r>",
    "JSON of JSON": f"<r><return>{html.escape(json.dumps(TEXT))}</return></r>",
    "escaped twice": f"<r><return>{html.escape(ESCAPED)}</return></r>",
    "spaces": f"<r><return>\n  {ESCAPED}\n</return></r>",
    "elements": "<r><return>"
    + "".join(f"<{name}>{value}</{name}>" for name, value in DONE.items())
    + "</return></r>",
}


def test_the_first_part_of_an_answer_in_parts_is_read() -> None:
    """A service with MTOM answers in parts though nothing is attached (python-zeep#212)."""
    kind = 'multipart/related; type="application/xop+xml"; boundary="uuid:1"; start="<r@c>"'
    part = (
        'Content-Type: application/xop+xml; charset=GBK; type="text/xml"\r\n'
        f"Content-Transfer-Encoding: binary\r\nContent-ID: <r@c>\r\n\r\n{declared('GBK')}"
    )
    body = f"\r\n--uuid:1\r\n{part}\r\n--uuid:1--".encode("gbk")

    assert parse(body, kind).message == "操作成功"


@pytest.mark.parametrize("line", ["\r\n", "\n"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_part_may_be_packed_and_have_a_head_or_none(line: str, *, packed: bool) -> None:
    body = base64.encodebytes(ENVELOPE.encode()).decode() if packed else ENVELOPE
    head = f"Content-Transfer-Encoding: base64{line}" if packed else ""
    parts = f"--b{line}{head}{line}{body}{line}--b{line}{line}attached{line}--b--{line}"

    assert parse(parts.encode(), 'Multipart/Related; boundary="b"').message == "操作成功"


def test_parts_within_parts_are_not_opened() -> None:
    inner = f"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\n{ENVELOPE}\r\n--c--"

    with pytest.raises(OutcomeUnknown):
        parse(f"--b\r\n{inner}\r\n--b--".encode(), "multipart/related; boundary=b")


@pytest.mark.parametrize("body", WRAPPED.values(), ids=WRAPPED)
def test_the_result_is_found_however_it_is_wrapped(body: str) -> None:
    found = parse(f"<e><b>{body}</b></e>".encode())

    assert (found.code, found.total, found.succeeded) == ("200", 1, 1)


FAULT_11 = (
    f"<soap:Envelope {SPACE}><soap:Body><soap:Fault><faultcode>soap:{{code}}</faultcode>"
    "<faultstring>数据库连接失败</faultstring></soap:Fault></soap:Body></soap:Envelope>"
)
FAULT_12 = (
    "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body><e:Fault><e:Code>"
    "<e:Value>e:{code}</e:Value></e:Code><e:Reason><e:Text>数据库连接失败</e:Text></e:Reason>"
    "</e:Fault></e:Body></e:Envelope>"
)


@pytest.mark.parametrize(
    ("fault", "code", "error"),
    [
        (FAULT_11, "Server", OutcomeUnknown),
        (FAULT_11, "Client", CallRejected),
        (FAULT_12, "Receiver", OutcomeUnknown),
        (FAULT_12, "Sender", CallRejected),
    ],
)
@pytest.mark.parametrize("status", [b"200 OK", b"500 Internal Server Error"])
async def test_a_fault_says_what_is_wrong(
    fault: str, code: str, error: type[Exception], status: bytes, clock: Any, item: ItemFactory
) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer(fault.replace("{code}", code).encode("gbk"), status))
        await writer.drain()

    async with raw_server(handler) as url:
        connector = soap(url, clock)
        with pytest.raises(error) as caught:
            await connector.send([item(1)])
        await connector.close()

    assert f"{code}：数据库连接失败" in str(caught.value)


# ---------------------------------------------------------------- batches

Judge = Callable[[list[dict[str, Any]]], bytes]


def soap(url: str, clock: Any, **settings: Any) -> PlatformSoap:
    given = {"url": url, "allow_private": True, "department_code": "1", **settings}
    made = build("platform-soap", given, clock)
    assert isinstance(made, PlatformSoap)
    return made


@asynccontextmanager
async def judging(judge: Judge) -> AsyncIterator[tuple[str, list[int]]]:
    """Answer calls as `judge` says of their rows; yields the URL and the sizes of the calls."""
    sizes: list[int] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            request = html.unescape((await request_of(reader)).decode())
            found = re.search(r'"body":(\[.*\])', request, re.DOTALL)
            assert found is not None
            rows = json.JSONDecoder().raw_decode(found[1])[0]
            sizes.append(len(rows))
            writer.write(judge(rows))
            await writer.drain()

    async with raw_server(handler) as url:
        yield url, sizes


def counted(total: int, *refused: dict[str, Any]) -> bytes:
    counts = {
        "errorCode": "200",
        "totalSize": total,
        "successSize": total - len(refused),
        "errorSize": len(refused),
        "errorBody": list(refused),
    }
    return answer(f"<r><return>{html.escape(json.dumps(counts))}</return></r>".encode())


def number(row: dict[str, Any]) -> int:
    return int(re.findall(r"\d+", row["CF_WSH"])[-1])
