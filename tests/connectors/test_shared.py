"""The shared seam: addresses guarded, foreign errors translated once, sends made of parts."""

import errno
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from httpx_aiohttp.transport import AIOHTTP_EXC_MAP

from connectors import build
from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.shared.address_guard import is_public
from connectors.shared.http_client import HttpClient
from connectors.shared.http_errors import translated, translation_of
from connectors.shared.http_read import Answer
from connectors.shared.http_settings import HttpClientSettings
from connectors.shared.parts import send_parts
from connectors.shared.words import reason
from schemas.delivery import Item, Outcome, OutcomeKind

ItemFactory = Callable[..., Item]


def _errors_of(module: Any) -> Iterator[type[Exception]]:
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Exception):
            yield value


def _leaves(module: Any) -> list[type[Exception]]:
    """Errors that are raised, not the bases that only group them."""
    found = set(_errors_of(module))
    return sorted(
        (one for one in found if not any(o is not one and issubclass(o, one) for o in found)),
        key=lambda one: one.__name__,
    )


@pytest.mark.parametrize("error", _leaves(httpx), ids=lambda error: str(error.__name__))
def test_every_error_of_httpx_is_translated(error: type[Exception]) -> None:
    assert translation_of(error) is not None


#: Of web sockets, which are not used here.
_ELSEWHERE = {aiohttp.WSMessageTypeError}


@pytest.mark.parametrize(
    "error",
    [e for e in _leaves(aiohttp.client_exceptions) if e not in _ELSEWHERE],
    ids=lambda error: str(error.__name__),
)
def test_every_error_of_aiohttp_is_translated(error: type[Exception]) -> None:
    assert translation_of(error) is not None


@pytest.mark.parametrize("pair", AIOHTTP_EXC_MAP.items(), ids=str)
def test_every_error_that_the_transport_maps_is_translated_on_both_sides(
    pair: tuple[type[Exception], type[Exception]],
) -> None:
    assert all(translation_of(error) is not None for error in pair)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (aiohttp.ServerDisconnectedError(), OutcomeUnknown),
        (aiohttp.ClientOSError(104, "reset"), OutcomeUnknown),
        (aiohttp.ClientConnectionResetError("reset"), OutcomeUnknown),
        (aiohttp.ServerTimeoutError(), OutcomeUnknown),
        (aiohttp.SocketTimeoutError(), OutcomeUnknown),
        (aiohttp.ConnectionTimeoutError(), NotSent),
        (aiohttp.ServerFingerprintMismatch(b"", b"", "h", 1), NotSent),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_the_cause_decides_what_a_connect_timeout_means(
    cause: Exception, expected: type[ConnectorError]
) -> None:
    error = httpx.ConnectTimeout("")
    error.__cause__ = cause

    assert type(translated(error)) is expected


_KEY = aiohttp.client_reqrep.ConnectionKey("h", 443, True, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "theirs"),
    [
        (aiohttp.ClientConnectorError(_KEY, OSError(errno.ECONNREFUSED, "refused")), True),
        (aiohttp.ClientConnectorError(_KEY, OSError(errno.EHOSTUNREACH, "no route")), True),
        (aiohttp.ConnectionTimeoutError(), True),
        (aiohttp.ServerDisconnectedError(), True),
        (aiohttp.ClientOSError(errno.ECONNRESET, "reset"), True),
        (aiohttp.ClientConnectorError(_KEY, OSError(errno.ENETUNREACH, "no network")), False),
        (aiohttp.ClientConnectorError(_KEY, OSError(errno.ENETDOWN, "down")), False),
        (aiohttp.ClientConnectorError(_KEY, OSError(errno.EMFILE, "files")), False),
        (aiohttp.ClientConnectorDNSError(_KEY, socket.gaierror(-2, "unknown")), False),
        (aiohttp.ClientConnectorSSLError(_KEY, ssl.SSLError(1, "no cipher")), False),
    ],
    ids=str,
)
def test_what_is_wrong_on_our_side_is_no_trouble_of_the_destination(
    error: Exception, theirs: bool
) -> None:
    assert translated(error).theirs is theirs


@pytest.mark.parametrize("theirs", [True, False])
async def test_outcomes_say_whose_trouble_their_error_was(theirs: bool, item: ItemFactory) -> None:
    throttled = NotSent("busy", timedelta(seconds=1))
    throttled.theirs = theirs

    outcomes = await send_parts([[item(1)], [item(2)]], _failing(throttled, on=1), _LIMIT)

    assert [outcome.theirs for outcome in outcomes] == [theirs, theirs]


def test_a_connect_timeout_without_a_cause_is_an_unknown_outcome() -> None:
    assert type(translated(httpx.ConnectTimeout(""))) is OutcomeUnknown


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.1", "224.0.0.1", "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_private_and_special_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_ordinary_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_private_address_is_refused_as_literal_and_as_name(
    host: str, url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    port = url.rpartition(":")[2]
    connector = build("platform-json", {"url": f"http://{host}:{port}/credit"}, clock)

    with pytest.raises(NotSent, match="allow_private"):
        await connector.send([item()])

    assert not sandbox.books["credit"].calls
    await connector.close()


@pytest.mark.parametrize("kind", ["platform-json", "platform-soap", "bank-webhook"])
async def test_a_refused_connection_means_not_sent(
    kind: str, clock: Any, item: ItemFactory
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    own = {"department_code": "1"} if kind == "platform-soap" else {}
    secrets = {"secrets": ["whsec_c2VjcmV0"]} if kind == "bank-webhook" else {}
    settings = {"url": f"http://127.0.0.1:{port}", "allow_private": True, **own, **secrets}
    connector = build(kind, settings, clock)

    with pytest.raises(NotSent):
        await connector.send([item()])

    assert kind == "bank-webhook" or not (await connector.health()).ok
    await connector.close()


async def test_a_name_that_does_not_resolve_means_not_sent(clock: Any, item: ItemFactory) -> None:
    connector = build("platform-json", {"url": "http://no-such-host.invalid"}, clock)

    with pytest.raises(NotSent):
        await connector.send([item()])

    await connector.close()


async def test_an_answer_after_the_time_limit_is_an_unknown_outcome(
    url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", slow=0.5)
    settings = {"url": f"{url}/credit", "allow_private": True, "call_timeout": 0.2}
    connector = build("platform-json", settings, clock)

    with pytest.raises(OutcomeUnknown):
        await connector.send([item()])

    assert sandbox.books["credit"].state()["effects"] == {"key-1": 1}
    await connector.close()


async def test_an_answer_longer_than_allowed_is_an_unknown_outcome(
    url: str, clock: Any, item: ItemFactory
) -> None:
    settings = {"url": f"{url}/credit", "allow_private": True, "max_answer": 20}
    connector = build("platform-json", settings, clock)

    with pytest.raises(OutcomeUnknown, match="超过 20 字节"):
        await connector.send([item()])

    await connector.close()


async def test_no_call_carries_a_cookie_that_another_was_given(clock: Any) -> None:
    carried = []

    async def answer(request: web.Request) -> web.Response:
        carried.append(request.headers.get("Cookie"))
        return web.Response(headers={"Set-Cookie": "session=1; Path=/"})

    app = web.Application()
    app.router.add_get("/", answer)
    async with TestServer(app) as server:
        url = str(server.make_url("/"))
        client = HttpClient(HttpClientSettings(url=url, allow_private=True), clock)
        for _ in range(2):
            await client.call("GET", url)
        await client.close()

    assert carried == [None, None]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("Sat, 21 Nov 2026 02:01:30 GMT", 90), ("Sat, 21 Nov 2026 01:00:00 GMT", 0)],
)
def test_retry_after_is_read_as_seconds_and_as_a_date(text: str, seconds: int, clock: Any) -> None:
    client = HttpClient(HttpClientSettings(url="http://x.cn"), clock)

    pause = client.retry_after(Answer(429, {"retry-after": text}, b""))

    assert pause == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5", "²"])
def test_a_retry_after_that_cannot_be_read_is_none(text: str, clock: Any) -> None:
    client = HttpClient(HttpClientSettings(url="http://x.cn"), clock)

    assert client.retry_after(Answer(429, {"retry-after": text}, b"")) is None


@pytest.mark.parametrize("status", [302, 303, 503])
async def test_what_may_come_after_the_call_was_taken_is_unknown(
    status: int, url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", refuse_calls=1, refuse_status=status)
    connector = build("platform-json", {"url": f"{url}/credit", "allow_private": True}, clock)

    with pytest.raises(OutcomeUnknown):
        await connector.send([item()])

    await connector.close()


@pytest.mark.parametrize("status", [301, 307, 401, 403, 404])
async def test_a_refused_call_or_a_redirect_rejects_the_whole_call(
    status: int, url: str, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", refuse_calls=1, refuse_status=status)
    settings = {"url": f"{url}/credit", "allow_private": True}
    connector = build("platform-json", settings, clock)

    with pytest.raises(CallRejected):
        await connector.send([item()])

    await connector.close()


async def test_the_failure_of_the_first_part_is_the_failure_of_the_call(
    item: ItemFactory,
) -> None:
    with pytest.raises(OutcomeUnknown):
        await send_parts([[item(1)], [item(2)]], _failing(OutcomeUnknown(), on=1), _LIMIT)


async def test_a_part_that_is_refused_does_not_keep_the_others_from_being_sent(
    item: ItemFactory,
) -> None:
    parts = [[item(1)], [item(2)]]

    outcomes = await send_parts(parts, _failing(CallRejected("3002"), on=1), _LIMIT)

    assert [outcome.kind.value for outcome in outcomes] == ["deferred", "accepted"]
    assert outcomes[0].reasons == ("3002",)


async def test_if_every_part_is_refused_the_call_is(item: ItemFactory) -> None:
    async def refuse(_: object) -> list[Outcome]:
        raise CallRejected("4001")

    with pytest.raises(CallRejected, match="4001"):
        await send_parts([[item(1)], [item(2)]], refuse, _LIMIT)


async def test_after_an_answered_part_a_failure_loses_no_answer(item: ItemFactory) -> None:
    parts = [[item(1)], [item(2)], [item(3)]]

    outcomes = await send_parts(parts, _failing(OutcomeUnknown(), on=2), _LIMIT)

    assert [outcome.kind.value for outcome in outcomes] == ["accepted", "unknown", "deferred"]


_LIMIT = timedelta(seconds=5)


def _failing(error: ConnectorError, on: int) -> Any:
    async def send(items: Any) -> list[Outcome]:
        if items[0].delivery_id == on:
            raise error
        return [Outcome(kind=OutcomeKind.ACCEPTED)]

    return send


def test_a_reason_is_shortened_and_identity_numbers_are_masked() -> None:
    kept = reason("证件号码 11010519491231002X 错误" + "x" * 1000)

    assert "110105**********2X" in kept
    assert len(kept) == 300
