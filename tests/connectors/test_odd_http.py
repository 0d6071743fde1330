"""Servers as they are: odd addresses, odd answers, certificates of their own, words in Chinese."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from connectors import build
from connectors.errors import ConnectorError, NotSent, OutcomeUnknown
from connectors.protocol import Connector
from connectors.shared.http_client import HttpClient
from connectors.shared.http_errors import TRANSLATION, translated
from connectors.shared.http_read import Answer
from connectors.shared.http_settings import HttpClientSettings, under
from connectors.shared.words import SECRETS, status_words
from schemas.delivery import OutcomeKind
from tests.certificates import Authority
from tests.connectors.conftest import SECRET, ItemFactory
from tests.connectors.raw_server import answer, raw_server, request_of

CHINESE = range(0x4E00, 0x9FFF)


def bank(url: str, clock: Any, **settings: Any) -> Connector:
    given = {"url": url, "allow_private": True, "call_timeout": 3, "secrets": [SECRET], **settings}
    return build("bank-webhook", given, clock)


def is_chinese(text: str) -> bool:
    return any(ord(letter) in CHINESE for letter in text)


@asynccontextmanager
async def answering(
    given: bytes, context: ssl.SSLContext | None = None, *, keep: bool = False
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer every request so; yields the URL and the requests."""
    requests: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await request_of(reader))
        writer.write(given)
        await writer.drain()
        if keep:
            await reader.read()

    async with raw_server(handler, context) as url:
        yield url, requests


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize("path", ["/hook/", "/hook", "/hook?tenant=1", "/a//b/"])
async def test_the_address_of_a_bank_is_called_as_it_stands(
    path: str, clock: Any, item: ItemFactory
) -> None:
    async with answering(answer()) as (url, requests):
        connector = bank(f"{url}{path}", clock)
        await connector.send([item(1)])
        await connector.close()

    assert requests[0].startswith(f"POST {path} HTTP/1.1".encode())


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://p/api", "https://p/api/receipts?cursor=a%26b"),
        ("https://p/api/", "https://p/api/receipts?cursor=a%26b"),
        ("https://p/api?tenant=1", "https://p/api/receipts?tenant=1&cursor=a%26b"),
    ],
)
def test_a_path_goes_under_the_address_and_its_query_stays(url: str, wanted: str) -> None:
    assert under(url, "receipts", cursor="a&b") == wanted


@pytest.mark.parametrize("suffix", ["", "/", "/services/InterfaceUploadService"])
async def test_the_address_of_the_soap_service_may_be_written_whole(
    suffix: str, clock: Any, item: ItemFactory
) -> None:
    async with answering(answer(b"<x/>")) as (url, requests):
        settings = {"url": f"{url}{suffix}", "allow_private": True, "department_code": "1"}
        connector = build("platform-soap", settings, clock)
        with pytest.raises(ConnectorError):
            await connector.send([item(1)])
        await connector.close()

    assert requests[0].startswith(b"POST /services/InterfaceUploadService HTTP/1.1")


@pytest.mark.parametrize(
    "url",
    ["http://0177.0.0.1:1", "http://0x7f.1:1", "http://[::ffff:7f00:1]:1", "http://2130706433:1"],
)
async def test_an_odd_spelling_of_a_private_address_is_refused_in_chinese(
    url: str, clock: Any, item: ItemFactory
) -> None:
    connector = bank(url, clock, allow_private=False)
    with pytest.raises(NotSent) as caught:
        await connector.send([item(1)])
    await connector.close()

    assert is_chinese(str(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 21 Oct 2015 07:28:00 +99999999999999999999",
        "9" * 40,
        "-5",
        "1e5",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Mon, 00 Foo 0000",
        "１２０",
    ],
)
def test_an_odd_retry_after_raises_nothing(text: str, clock: Any) -> None:
    client = HttpClient(HttpClientSettings(url="http://x"), clock)

    found = client.retry_after(Answer(503, {"retry-after": text}, b""))

    assert found is None or found.total_seconds() >= 0


# ---------------------------------------------------------------- answers

RESULT = '{"code":0,"message":"接收成功"}'.encode()


def with_length(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + RESULT


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("length", [len(RESULT.decode()), len(RESULT) + 8])
async def test_a_whole_answer_counts_though_its_length_is_wrong(
    length: int, keep: bool, clock: Any, item: ItemFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """The length counts characters, or more than there is."""
    async with answering(with_length(length), keep=keep) as (url, _):
        connector = bank(url, clock, call_timeout=1)
        outcomes = await connector.send([item(1)])
        outcomes += await connector.send([item(2)])
        await connector.close()

    assert [one.kind for one in outcomes] == [OutcomeKind.ACCEPTED] * 2
    assert [one.getMessage() for one in caplog.records] == ["answer_length_wrong"]


async def test_half_an_answer_is_none(clock: Any, item: ItemFactory) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + RESULT[:-3]

    async with answering(cut) as (url, _):
        connector = bank(url, clock, wrapper={"code_field": "code"})
        with pytest.raises(OutcomeUnknown):
            await connector.send([item(1)])
        await connector.close()


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf{}", b'{"score": NaN}', '{"a":"中"}'.encode("gbk")])
def test_json_with_a_mark_or_nan_or_in_gbk_is_read(body: bytes) -> None:
    assert isinstance(Answer(200, {"content-type": "application/json"}, body).json(), dict)


# ---------------------------------------------------------------- words

PAGE = (
    "<html><head><title>拦截</title><style>x{}</style></head><body>请求<b>被</b>拦截</body></html>"
)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("字段缺失".encode(), "text/plain", "字段缺失"),
        ("字段缺失".encode("gbk"), "text/plain; charset=GBK", "字段缺失"),
        ("字段缺失".encode("gbk"), "text/plain", "字段缺失"),
        ("字段缺失".encode(), "text/plain; charset=nonsense", "字段缺失"),
        (PAGE.encode("gb2312"), "text/html", "拦截 请求 被 拦截"),
        (b"key k-123456789 is wrong", "", "key … is wrong"),
        (b"\x00\x01\xff", "application/octet-stream", ""),
        (b"", "", ""),
    ],
)
def test_a_status_is_said_in_chinese_beside_the_words_of_the_other_side(
    body: bytes, kind: str, words: str
) -> None:
    token = SECRETS.set(("k-123456789",))
    said = status_words(400, body, kind)
    SECRETS.reset(token)

    assert said.startswith("对方返回 HTTP 400（请求有误）")
    assert words in said


@pytest.mark.parametrize("kind", TRANSLATION, ids=lambda kind: kind.__name__)
def test_every_error_of_the_network_is_said_in_chinese(kind: type[Exception]) -> None:
    error = kind.__new__(kind)

    said = str(translated(error))

    assert is_chinese(said)
    assert kind.__name__ not in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "x"), "没有在该端口接受连接"),
        (ConnectionResetError(104, "x"), "重置"),
        (httpx.PoolTimeout("x"), "等不到空闲的连接"),
        (aiohttp.ServerDisconnectedError(), "断开"),
    ],
)
def test_the_cause_of_an_error_is_told(error: Exception, words: str) -> None:
    assert words in str(translated(error))


async def test_an_address_that_no_request_can_be_made_for_was_not_called(clock: Any) -> None:
    client = HttpClient(HttpClientSettings(url="https://bank.example"), clock)

    with pytest.raises(NotSent, match="地址"):
        await client.call("GET", "https://bank.example:99999999/hook")

    await client.close()


# ---------------------------------------------------------------- certificates

Trouble = Callable[[Authority], tuple[tuple[Path, Path], dict[str, Any]]]


async def test_calls_leave_from_the_address_that_the_platform_knows(
    clock: Any, item: ItemFactory
) -> None:
    """A host with several addresses, and a platform that lets in one of them."""
    came_from: list[str] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came_from.append(writer.get_extra_info("peername")[0])
        await request_of(reader)
        writer.write(answer())
        await writer.drain()

    async with raw_server(handler) as url:
        connector = bank(url, clock, source_address="127.0.0.3")
        [outcome] = await connector.send([item(1)])
        await connector.close()

    assert (came_from, outcome.kind) == (["127.0.0.3"], OutcomeKind.ACCEPTED)


async def test_an_address_that_is_not_of_this_host_is_named(clock: Any, item: ItemFactory) -> None:
    async with answering(answer()) as (url, requests):
        connector = bank(url, clock, source_address="192.0.2.1")
        with pytest.raises(NotSent, match="本机没有这个地址") as caught:
            await connector.send([item(1)])
        await connector.close()

    assert requests == []
    assert not caught.value.theirs
