"""`notify test` says what reached whom; `notify list` says who is told what."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.base.engine import Database
from tests.acceptance.command import commanding
from tests.conftest import SETTINGS
from tests.connectors.raw_server import answer, raw_server, request_of


@pytest.fixture
def hook() -> Iterator[str]:
    """A web hook in a thread of its own: the command runs in another process."""
    address, stop = [""], threading.Event()
    ready = threading.Event()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer(b"{}"))
        await writer.drain()

    async def serve() -> None:
        async with raw_server(handler) as url:
            address[0] = url
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait()
    yield address[0].replace("http://", "json://")
    stop.set()
    thread.join()


def test_a_test_notice_reaches_those_that_can_be_reached(
    database: Database, tmp_path: Path, hook: str
) -> None:
    people = [
        {"name": "张三", "roles": ["clerk"], "urls": [hook]},
        {"name": "李四", "roles": ["operator"], "urls": ["json://127.0.0.1:9"], "step": 2},
    ]
    command = commanding(database, tmp_path, SETTINGS | {"notify": {"contacts": people}})

    command("db", "upgrade")
    both = command("notify", "test")
    one = command("notify", "test", "张三")
    nobody = command("notify", "test", "王五")
    listed = command("notify", "list")
    told = command.json("notify", "list")

    assert [one.code, both.code, nobody.code, listed.code] == [0, 1, 2, 0]
    assert "张三：1 个渠道已发出，0 个失败" in both.out
    assert "李四：0 个渠道已发出，1 个失败" in both.out
    assert "没有发出：查地址里的令牌、网络和代理" in both.out
    assert "张三、李四" in nobody.err
    assert "联系人 李四：运维人员，第 2 步，1 个渠道" in listed.out
    assert "没有需要人处理的" in listed.out
    assert [row["contact"] for row in told.objects] == ["张三", "李四"]


def test_without_contacts_the_list_says_that_nobody_is_told(
    database: Database, tmp_path: Path
) -> None:
    command = commanding(database, tmp_path, SETTINGS)
    command("db", "upgrade")

    listed = command("notify", "list")

    assert (listed.code, "没有需要人处理的" in listed.out) == (0, False)
    assert "没有配置联系人" in listed.out
    assert "credit-gateway worklist" in listed.out
