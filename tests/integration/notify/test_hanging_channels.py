"""Channels that never end: nothing else of the process waits for them, not even its end."""

import asyncio
import threading
from typing import Any

import pytest

from gateway.notify import channels
from gateway.notify.threads import call
from schemas.contact import Contact
from tests.connectors.raw_server import raw_server

pytestmark = pytest.mark.integration


async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer byte by byte, without an end."""
    while True:
        writer.write(b"2")
        await writer.drain()
        await asyncio.sleep(0.05)


def contact(port: str, number: int, *, by_mail: bool) -> Contact:
    way: dict[str, Any] = {"urls": [f"json://127.0.0.1:{port}/x"]}
    if by_mail:
        box = {"host": "127.0.0.1", "port": port, "security": "none"}
        way = {"mail": box | {"sender": "g@b.example", "to": "c@b.example"}}
    return Contact.model_validate({"name": f"张三{port}{number}", "roles": ["clerk"], **way})


@pytest.mark.parametrize("by_mail", [True, False])
async def test_a_server_that_drips_its_answer_takes_none_of_the_shared_threads(
    monkeypatch: pytest.MonkeyPatch, *, by_mail: bool
) -> None:
    monkeypatch.setattr(channels, "PATIENCE", 1.0)
    async with raw_server(drip) as url:
        port = url.rpartition(":")[2]
        contacts = [contact(port, number, by_mail=by_mail) for number in range(40)]
        sending = asyncio.gather(*(channels.send(one, "题", "文") for one in contacts))
        await asyncio.sleep(0.5)
        async with asyncio.timeout(5):
            await asyncio.to_thread(lambda: None)
        first = await sending
        second = await channels.send(contacts[0], "题", "文")

        assert all("没有答复" in words for [words] in first)
        assert "没有发" in second[0]
        left = [one for one in threading.enumerate() if one.name.startswith(f"notice 张三{port}")]
        assert len(left) == len(contacts)
        assert all(one.daemon for one in left)  # the process does not wait for them at its end


async def test_a_mail_is_cut_before_it_counts_as_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that went on would be taken, and sent again by each look."""
    monkeypatch.setattr(channels, "MAIL_PATIENCE", 0.5)
    async with raw_server(drip) as url:
        one = contact(url.rpartition(":")[2], 0, by_mail=True)
        first = await channels.send(one, "题", "文")
        second = await channels.send(one, "题", "文")

    assert first == second  # the first one's thread has ended
    assert "没有答" in first[0]


async def test_a_channel_for_which_no_thread_could_start_is_free_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError):
            await call("张三", lambda: 1, 5)

    assert await call("张三", lambda: 2, 5) == 2
