"""A platform of a kind of its own: its package is installed, listed, tried, and delivered to."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.store.base.engine import Database
from tests.acceptance.command import PAST, Command, commanding, told, write
from tests.acceptance.connector_package import (
    NAME,
    PATIENCE,
    ROOT,
    Received,
    install,
    new,
    receiving,
)
from tests.acceptance.test_stop import up
from tests.conftest import SETTINGS
from tests.factories import penalty


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the package is installed."""
    folder = tmp_path_factory.mktemp("site")
    install(new(tmp_path_factory.mktemp("package"), NAME), folder)
    return folder


@pytest.fixture
def platform() -> Iterator[Received]:
    """A platform on loopback."""
    with receiving() as received:
        yield received


def configured(database: Database, folder: Path, site: Path, url: str, **changes: Any) -> Command:
    """Return the command with the installed package and a destination that uses it."""
    destination = {
        "name": "city",
        "title": "样例市平台",
        "connector": NAME,
        "takes": ["penalty"],
        "settings": {"url": url, "allow_private": True, "call_timeout": 5},
        **changes,
    }
    made = commanding(database, folder, {**SETTINGS, "destinations": [destination]})
    path = f"{site}{os.pathsep}{ROOT}"
    return Command(folder, {**made.environment, "PYTHONPATH": path}, made.config)


@pytest.fixture
def command(database: Database, tmp_path: Path, site: Path, platform: Received) -> Command:
    """The command with the installed package and the platform as its destination."""
    return configured(database, tmp_path, site, platform.url)


def test_an_installed_package_is_listed_with_its_version_and_abilities(
    database: Database, tmp_path: Path, site: Path
) -> None:
    own = {"resends": False, "accepted_by": "answer"}
    command = configured(database, tmp_path, site, "http://127.0.0.1:1/rows", **own)

    text = command("connector", "list")
    rows = command.json("connector", "list").objects

    assert f"通道 {NAME}：credit-gateway-{NAME} 0.1.0；缺省每批 1 条，结果不明时重报" in text.out
    assert f"报送对象 city（{NAME}）：每批 1 条" in text.out
    assert "不自动重报（resends: false），有效入库以应答为准" in text.out
    [kind] = [row for row in rows if row["name"] == NAME]
    assert kind == {
        "name": NAME,
        "kind": NAME,
        "package": f"credit-gateway-{NAME} 0.1.0",
        "batch_size": 1,
        "on_unknown": "resend",
        "has_look_up": False,
        "has_receipts": False,
        "has_listing": False,
    }
    assert rows[-1] == {
        "name": "city",
        "destination": "city",
        "kind": NAME,
        "batch_size": 1,
        "concurrency": 4,
        "on_unknown": "resend",
        "call_timeout": "PT5S",
        "has_look_up": False,
        "has_receipts": False,
        "has_listing": False,
        "by_person": False,
        "resends": False,
        "accepted_by": "answer",
    }


def test_a_live_endpoint_is_tried_and_what_it_supports_is_told(
    command: Command, platform: Received
) -> None:
    asked = command("connector", "test", "city")
    nothing_yet = platform.rows.empty()
    done = command("connector", "test", "city", "--yes")
    rows = command.json("connector", "test", "city", "--yes").objects

    assert command.json("deliveries", "list").objects == []
    assert told(asked, 2, "127.0.0.1", "编造的测试条目", "加 --yes 才发送")
    assert nothing_yet
    assert (done.code, "违约" in done.out, "未试成" in done.out) == (0, False, False)
    assert done.out.splitlines()[-1].startswith(f"报送对象 city（{NAME}）：每批 1 条")
    assert {row["result"] for row in rows[:-1]} == {"held", "does_not_apply"}
    assert {"name", "title", "result", "why"} == set(rows[0])
    assert (rows[-1]["name"], rows[-1]["on_unknown"]) == ("city", "resend")
    sent = [platform.rows.get_nowait() for _ in range(platform.rows.qsize())]
    assert {row["columns"]["CF_XDR_MC"] for row in sent} == {"通道测试有限公司（测试）"}
    assert all(row["document_number"].startswith("测试〔") for row in sent)


@pytest.mark.parametrize(
    ("refusal", "code", "words"),
    [
        (("𠮷", 500), 1, "违约 特殊内容的一条不使整次调用失败：CF_NR 是扩展区汉字和表情的一条"),
        (("", 403), 3, "未试成 每条一个结果，次序不变：整次调用被拒"),
        (("", 422), 3, "未试成 同一条重报，仍算收下：对方没有收下测试条目（rejected）"),
    ],
)
def test_an_endpoint_that_breaks_a_promise_or_lets_nothing_in_is_told(
    command: Command, platform: Received, refusal: tuple[str, int], code: int, words: str
) -> None:
    platform.refusal = refusal

    done = command("connector", "test", "city", "--yes")

    assert done.code == code, done.out
    assert words in done.out


def test_an_endpoint_that_does_not_answer_and_a_name_that_does_not_exist_are_told(
    database: Database, tmp_path: Path, site: Path
) -> None:
    command = configured(database, tmp_path, site, "http://127.0.0.1:1/rows")

    away = command("connector", "test", "city", "--yes")

    assert away.code == 3
    assert "未试成 能说明对方是否应答：连接不上对方" in away.out
    assert told(command("connector", "test", "town", "--yes"), 2, "没有报送对象 town", "city")


def test_a_decision_is_delivered_by_an_installed_package(
    command: Command, tmp_path: Path, platform: Received
) -> None:
    column = penalty(1, **PAST)

    ingested = command("ingest", write(tmp_path / "rows.ndjson", column))
    healthy = command("doctor").out
    with up(command, "deliver"):
        row = platform.rows.get(timeout=PATIENCE)

    assert ingested.code == 0, ingested.err
    assert "正常 报送对象 样例市平台：有应答，状态 200" in healthy
    assert (row["kind"], row["columns"]["CF_WSH"]) == ("penalty", column["CF_WSH"])


@pytest.fixture
def unusable(site: Path, tmp_path: Path) -> Path:
    """A folder with the package, and with another that cannot be imported."""
    folder = shutil.copytree(site, tmp_path / "site")
    about = folder / "old_pigeon-0.3.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: old-pigeon\nVersion: 0.3\n")
    (about / "entry_points.txt").write_text(
        "[credit_gateway.connectors]\nold-pigeon = no_such_module:KIND\n"
    )
    return folder


def test_a_package_that_cannot_be_imported_stops_nothing_else(
    database: Database, tmp_path: Path, unusable: Path, platform: Received
) -> None:
    command = configured(database, tmp_path, unusable, platform.url)

    listed = command("connector", "list")
    rows = command.json("connector", "list").objects
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))
    with up(command, "deliver"):
        delivered = platform.rows.get(timeout=PATIENCE)

    assert listed.code == 0
    assert "通道 old-pigeon（old-pigeon 0.3）载入失败（ModuleNotFoundError" in listed.out
    assert "装上它缺的，换一个与本版本相配的版本，或卸载它" in listed.out
    [fault] = [row["error"] for row in rows if row["name"] == "old-pigeon"]
    assert "no_such_module" in fault
    assert delivered["kind"] == "penalty"


def test_a_destination_of_a_package_that_cannot_be_imported_is_a_fault_with_its_line(
    database: Database, tmp_path: Path, unusable: Path
) -> None:
    command = configured(database, tmp_path, unusable, "http://x", connector="old-pigeon")

    listed = command("connector", "list")

    assert listed.code == 1
    assert "报送对象 city（old-pigeon）不能用：" in listed.out
    words = ("gateway.yaml 第1行：destinations city 通道 old-pigeon（old-pigeon 0.3）载入失败",)
    assert told(command("up", "--roles", "deliver"), 2, *words)
    assert told(command("connector", "test", "city", "--yes"), 2, *words)
