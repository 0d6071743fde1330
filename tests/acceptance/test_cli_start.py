"""Faults that keep the gateway from starting or working, as an operator reads them."""

import asyncio
import dataclasses
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from connectors import CONNECTORS
from gateway.store.base.engine import Database
from tests.acceptance.command import PAST, Command, commanding, told, write
from tests.conftest import SETTINGS
from tests.factories import penalty

#: An address where nothing listens.
NOBODY = "127.0.0.1:1"


def destination(**changes: Any) -> dict[str, Any]:
    return {**SETTINGS["destinations"][0], "name": "bureau", **changes}


def variable(command: Command, name: str, value: str) -> Command:
    return dataclasses.replace(command, environment={**command.environment, name: value})


@pytest.fixture
def command(database: Database, tmp_path: Path) -> Command:
    """The command with the database of the test and a configuration file."""
    return commanding(database, tmp_path, SETTINGS)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"connector": "telex"}, ("没有通道 telex；现有：", "platform-json")),
        (
            {
                "connector": "platform-json",
                "settings": {"url": "ftp://x", "batch_size": 0, "colour": "hidden"},
            },
            (
                "platform-json：url：应为 http 或 https 地址",
                "batch_size：应不小于 1",
                "colour：不认识的键",
            ),
        ),
        (
            {"connector": "platform-json", "settings": {"api_key": {"env": "NO_SUCH_KEY"}}},
            ("没有环境变量 NO_SUCH_KEY",),
        ),
    ],
)
def test_an_invalid_destination_is_named_before_the_gateway_starts(
    database: Database, tmp_path: Path, changes: dict[str, Any], words: tuple[str, ...]
) -> None:
    settings = {**SETTINGS, "destinations": [destination(**changes)]}
    command = commanding(database, tmp_path, settings)

    ran = command("up")

    assert told(ran, 2, "destinations bureau", *words)
    assert "hidden" not in ran.err
    assert "已启动" not in ran.out


def test_doctor_reports_an_invalid_destination_beside_what_works(
    database: Database, tmp_path: Path
) -> None:
    settings = {**SETTINGS, "destinations": [destination(connector="telex")]}

    ran = commanding(database, tmp_path, settings)("doctor")

    assert ran.code == 1
    assert "异常 报送对象 " in ran.out
    assert "没有通道 telex" in ran.out
    assert "正常 数据库" in ran.out


def test_a_removed_destination_with_open_deliveries_is_reported(
    command: Command, database: Database, tmp_path: Path
) -> None:
    command("ingest", write(tmp_path / "rows.ndjson", penalty(1, **PAST)))
    dropped, *others = SETTINGS["destinations"]
    less = commanding(database, tmp_path, {**SETTINGS, "destinations": others})

    assert told(less("deliveries", "retry", "1"), 2, f"{dropped['name']} 还有 1 条未了结的报送")


def test_a_port_in_use_is_reported(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = variable(command, "CREDIT_GATEWAY_HTTP__PORT", port)("up", "--roles", "web")

    assert told(ran, 2, f"127.0.0.1 端口 {port} 不能使用")


def test_an_unknown_role_is_reported_with_the_known_ones(command: Command) -> None:
    assert told(command("up", "--roles", "intake,clerk"), 2, "clerk", "intake,deliver,schedule,web")


@pytest.mark.parametrize(
    "url",
    [
        "hidden nonsense",
        "mysql://hidden@h/d",
        "postgresql://u:P@hidden:word@h/d",
        "postgresql://u:hidden@h:99999/d",
    ],
)
def test_an_invalid_database_address_is_reported_without_showing_it(
    command: Command, url: str
) -> None:
    ran = variable(command, "CREDIT_GATEWAY_DATABASE_URL", url)("deliveries", "list")

    assert told(ran, 2, "database_url：应写成 postgresql://")
    assert "hidden" not in ran.err


def test_a_silent_or_missing_database_is_reported(command: Command) -> None:
    there = command.environment["CREDIT_GATEWAY_DATABASE_URL"]
    server = there.partition("?host=")[2]
    missing, elsewhere = (
        variable(command, "CREDIT_GATEWAY_DATABASE_URL", url)
        for url in (
            f"postgresql://postgres@/no_such?host={server}",
            f"postgresql://postgres@{NOBODY}/d",
        )
    )

    assert told(elsewhere("deliveries", "list"), 3, "数据库不可用", "CREDIT_GATEWAY_DATABASE_URL")
    assert told(missing("deliveries", "list"), 2, "数据库拒绝", "does not exist")


def test_a_database_address_in_the_format_of_libpq_is_accepted(command: Command) -> None:
    url = command.environment["CREDIT_GATEWAY_DATABASE_URL"].replace("+asyncpg", "")

    found, refused = (
        variable(command, "CREDIT_GATEWAY_DATABASE_URL", f"{url}&{more}")("deliveries", "list")
        for more in ("sslmode=prefer", "options=-c")
    )

    assert found.code == 0
    assert told(refused, 2, "database_url：options 应写成")


async def test_a_database_of_a_newer_release_is_reported(
    command: Command, database: Database
) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))

    ran = await asyncio.to_thread(command, "deliveries", "list")

    assert told(ran, 2, "数据库的结构这个版本不认识", "9999")


@pytest.mark.parametrize("bootstrap", [NOBODY, "127.0.0.1:abc", "127.0.0.1:99999"])
def test_a_silent_kafka_cluster_is_reported(command: Command, bootstrap: str) -> None:
    elsewhere = variable(command, "KAFKA_BOOTSTRAP_SERVERS", bootstrap)

    assert told(elsewhere("up", "--roles", "intake"), 3, "Kafka 不可用", "KAFKA_BOOTSTRAP_SERVERS")
    assert "异常 Kafka：Kafka 不可用" in elsewhere("doctor").out


def test_an_invalid_environment_variable_is_named_even_with_a_file(command: Command) -> None:
    ran = variable(command, "CREDIT_GATEWAY_HTTP__PORT", "high")("deliveries", "list")

    assert told(ran, 2, "环境变量 CREDIT_GATEWAY_HTTP__PORT：http.port：应为整数")


def test_an_impossible_state_folder_is_reported(command: Command, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = {"CREDIT_GATEWAY_STATE": str(tmp_path / "file" / "state")}
    bare = dataclasses.replace(command, environment=environment)

    assert told(bare("ledger", "2026-10"), 2, "state：不能建立目录")
    assert told(bare("deliveries", "list"), 2, "里还没有数据")


def test_doctor_asks_the_gateway_that_runs_here(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        stranger = threading.Thread(target=greet, args=[taken])
        stranger.start()
        other = variable(command, "CREDIT_GATEWAY_HTTP__PORT", port)("doctor")
        stranger.join()
    nobody = variable(command, "CREDIT_GATEWAY_HTTP__PORT", port)("doctor")

    assert f"异常 运行状态：http://127.0.0.1:{port} 在监听的不是本系统" in other.out
    assert f"正常 运行状态：http://127.0.0.1:{port} 没有在运行" in nobody.out


def greet(listening: socket.socket) -> None:
    """Answer one connection as no web server does."""
    client, _ = listening.accept()
    client.sendall(b"220 mail.example\r\n")
    client.close()


def test_the_kinds_of_destinations_and_what_those_configured_can_do_are_listed(
    command: Command,
) -> None:
    listed = command("connector", "list")
    rows = command.json("connector", "list").objects

    assert listed.code == 0
    assert "通道 platform-json：自带；缺省每批 100 条，结果不明时查询，可逐条查询" in listed.out
    assert "通道 platform-soap：自带；缺省每批 500 条，结果不明时重报，对方去重，不能" in listed.out
    assert "有无回执，看设置，没有公示清单" in listed.out
    assert "通道 memory：自带；缺省每批 100 条，结果不明时怎样查明，看设置" in listed.out
    assert {one["name"] for one in rows if one["kind"] == one["name"]} == set(CONNECTORS)
    abilities = {"name", "kind", "batch_size", "has_look_up", "has_receipts", "has_listing"}
    assert [one for one in rows if not abilities <= set(one)] == []
    names = [one["name"] for one in SETTINGS["destinations"]]
    assert [one["destination"] for one in rows if "destination" in one] == names
    assert "报送对象 platform（memory）：每批 100 条，并发 4，单次调用 30 秒，" in listed.out


def test_one_wrong_destination_does_not_keep_the_others_from_being_listed(
    database: Database, tmp_path: Path
) -> None:
    settings = {**SETTINGS, "destinations": [destination(connector="telex"), destination(name="b")]}
    command = commanding(database, tmp_path, settings)

    listed = command("connector", "list")
    [wrong, well] = command.json("connector", "list").objects[-2:]

    assert listed.code == 1
    assert "报送对象 bureau（telex）不能用：" in listed.out
    assert (wrong["name"], wrong["kind"]) == ("bureau", "telex")
    assert "gateway.yaml 第1行：destinations bureau 没有通道 telex；现有" in wrong["error"]
    assert (well["name"], well["batch_size"]) == ("b", 100)
