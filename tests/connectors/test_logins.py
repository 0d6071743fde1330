"""Logins that are odd: refused, late, ended, or answered with something else."""

import asyncio
import json
from contextlib import suppress

import pytest

from connectors.errors import CallRejected, ConnectorError, NotSent
from connectors.shared import Clock, login
from schemas.delivery import OutcomeKind
from tests.connectors.conftest import ItemFactory
from tests.connectors.odd_neighbours import connector, keys_of, login_at, results, serving
from tests.connectors.raw_server import answer


async def test_a_login_without_an_answer_means_that_nothing_was_sent(
    clock: Clock, item: ItemFactory
) -> None:
    async def respond(path: str) -> bytes:
        await asyncio.sleep(30 if path == "/login" else 0)
        return results(["key-1"])

    async with serving(lambda path, _: respond(path)) as url:
        platform = connector("platform-json", url, clock, login=login_at(url))
        with pytest.raises(NotSent, match="登录"):
            await platform.send([item(1)])
        await platform.close()


async def test_a_login_whose_end_is_told_in_the_body_is_made_again(
    clock: Clock, item: ItemFactory
) -> None:
    logins: list[str] = []

    def respond(path: str, request: str) -> bytes:
        if path == "/login":
            logins.append(path)
            return answer(b'{"code":200,"token":"s%d"}' % len(logins))
        if "Bearer s2" not in request:
            return answer('{"code":401,"message":"token 已过期"}'.encode())
        rows = [{"key": key, "status": "accepted"} for key in keys_of(request)]
        return answer(json.dumps({"code": 200, "data": {"results": rows}}).encode())

    async with serving(respond) as url:
        platform = connector(
            "platform-json",
            url,
            clock,
            login=login_at(url),
            wrapper={"path": "data", "code_field": "code"},
        )
        [outcome] = await platform.send([item(1)])
        await platform.close()

    assert (outcome.kind, len(logins)) == (OutcomeKind.ACCEPTED, 2)


async def test_a_login_that_is_refused_is_tried_once_for_all_parts_of_a_send(
    clock: Clock, item: ItemFactory
) -> None:
    logins: list[str] = []

    def respond(path: str, _: str) -> bytes:
        logins.append(path)
        return answer(b"", b"401 No")

    async with serving(respond) as url:
        platform = connector("platform-json", url, clock, login=login_at(url), batch_size=1)
        with pytest.raises(CallRejected, match="口令"):
            await platform.send([item(n) for n in range(1, 21)])
        await platform.close()

    assert logins == ["/login"]


@pytest.mark.parametrize("status", [b"429 Many", b"503 Busy"])
async def test_a_login_that_could_not_be_answered_is_no_wrong_password(
    clock: Clock, item: ItemFactory, status: bytes
) -> None:
    async with serving(lambda *_: answer(b"", status)) as url:
        platform = connector("platform-json", url, clock, login=login_at(url))
        [outcome] = await platform.send([item(1)])
        await platform.close()

    assert (outcome.kind, outcome.retry_after is not None) == (OutcomeKind.DEFERRED, True)
    assert "没有成功" in outcome.reasons[0]
    assert outcome.theirs is status.startswith(b"503")


async def test_a_login_that_hangs_late_in_a_send_leaves_its_rows_unsent(
    clock: Clock, item: ItemFactory
) -> None:
    logins = 0

    async def respond(path: str, request: str) -> bytes:
        nonlocal logins
        if path == "/login":
            logins += 1
            await asyncio.sleep(0 if logins == 1 else 30)
            return answer(b'{"token":"t"}')
        if "key-1" in keys_of(request):
            await asyncio.sleep(1.2)
            return results(keys_of(request))
        return answer(b"", b"401 Expired")

    async with serving(respond) as url:
        platform = connector("platform-json", url, clock, login=login_at(url), batch_size=1)
        found = [one.kind for one in await platform.send([item(1), item(2)])]
        await platform.close()

    assert found == [OutcomeKind.ACCEPTED, OutcomeKind.DEFERRED]


async def test_an_account_without_rights_makes_two_logins_for_all_parts_of_a_send(
    clock: Clock, item: ItemFactory
) -> None:
    asked: list[str] = []

    def respond(path: str, _: str) -> bytes:
        asked.append(path)
        return answer(b'{"token":"s"}') if path == "/login" else answer(b"{}", b"401 No")

    async with serving(respond) as url:
        platform = connector("platform-json", url, clock, login=login_at(url), batch_size=1)
        with suppress(ConnectorError):
            await platform.send([item(n) for n in range(1, 50)])
        await platform.close()

    assert asked.count("/login") == 2
    assert len(asked) == 4


async def test_a_sentence_in_place_of_a_token_is_no_token(clock: Clock, item: ItemFactory) -> None:
    logins: list[str] = []

    def respond(path: str, request: str) -> bytes:
        if path != "/login":
            return results(keys_of(request))
        logins.append(path)
        return answer('{"token":"系统繁忙"}'.encode() if len(logins) == 1 else b'{"token":"s"}')

    async with serving(respond) as url:
        platform = connector("platform-json", url, clock, login=login_at(url))
        with pytest.raises(ConnectorError, match="没有令牌"):
            await platform.send([item(1)])
        [outcome] = await platform.send([item(1)])
        await platform.close()

    assert outcome.kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize("token_path", ["token", None])
@pytest.mark.parametrize(
    "ended",
    [
        answer(b"", b"403 No"),
        answer(b"", b"302 Found", b"Location: /login.html\r\n"),
        answer(b"<!DOCTYPE html><form>\xe8\xaf\xb7\xe7\x99\xbb\xe5\xbd\x95</form>"),
        answer(b"", b"419 Page Expired"),
        answer(b"", b"440 Login Time-out"),
        answer(b"session expired", b"500 No"),
    ],
    ids=["403", "302", "page", "419", "440", "500"],
)
async def test_a_session_that_has_ended_in_any_way_is_made_again(
    clock: Clock,
    item: ItemFactory,
    monkeypatch: pytest.MonkeyPatch,
    ended: bytes,
    token_path: str | None,
) -> None:
    """Only 403 says that the call was refused; of others the next call makes the login."""
    monkeypatch.setattr(login, "FRESH", 0.0)
    logins: list[str] = []

    def respond(path: str, request: str) -> bytes:
        if path == "/login":
            logins.append(path)
            name = f"session{len(logins)}"
            cookie = f"Set-Cookie: sid={name}; Path=/\r\n"
            return answer(b'{"token":"%s"}' % name.encode(), extra=cookie.encode())
        return results(keys_of(request)) if "session2" in request else ended

    async with serving(respond) as url:
        settings = {**login_at(url), "token_path": token_path}
        platform = connector("platform-json", url, clock, login=settings)
        with suppress(ConnectorError):
            await platform.send([item(1)])
        [outcome] = await platform.send([item(1)])
        await platform.close()

    assert (outcome.kind, len(logins)) == (OutcomeKind.ACCEPTED, 2)


async def test_rows_that_a_guard_refuses_make_no_login_each(
    clock: Clock, item: ItemFactory
) -> None:
    asked: list[str] = []

    def respond(path: str, request: str) -> bytes:
        asked.append(path)
        if path == "/login":
            return answer(b'{"token":"s"}')
        refused = int(keys_of(request)[0].removeprefix("key-")) % 2
        return answer(b"", b"403 No") if refused else results(keys_of(request))

    async with serving(respond) as url:
        platform = connector("platform-json", url, clock, login=login_at(url), batch_size=1)
        found = [one.kind for one in await platform.send([item(n) for n in range(1, 21)])]
        await platform.close()

    assert found == [OutcomeKind.DEFERRED, OutcomeKind.ACCEPTED] * 10
    assert asked.count("/login") == 1
