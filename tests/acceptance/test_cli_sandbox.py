"""`credit-gateway sandbox`, as whoever rehearses starts it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from connectors import build
from gateway.cli.sandbox_places import exchange_place
from gateway.config.clock import system_clock
from tests.acceptance.command import Command

ARGUMENTS = (
    *("sandbox", "--port", "0", "--unmarked", "credit-china"),
    *("--files", "province-files=sandbox", "--files-port", "0"),
    *("--exchange", "city-exchange=exchange", "--exchange-port", "0"),
    *("--mail", "county-office=mailbox", "--mail-port", "0"),
)
ROW = {"key": "k", "kind": "penalty", "verb": "new", "version": 1}


@pytest.fixture
def said(tmp_path: Path) -> Iterator[str]:
    """What a sandbox says that runs in an empty folder, one of its platforms without marks."""
    with running(tmp_path, 5, *ARGUMENTS) as lines:
        yield lines


@contextmanager
def running(folder: Path, lines: int, *arguments: str) -> Iterator[str]:
    """Run a sandbox, and give so many lines of what it says."""
    started = subprocess.Popen(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    yield "".join(started.stdout.readline() for _ in range(lines))
    started.terminate()
    started.communicate(timeout=60)


def address(said: str) -> str:
    [found] = re.findall(r"http://127\.0\.0\.1:\d+", said)
    return str(found)


def test_it_says_where_each_platform_is_and_how_to_rehearse(said: str) -> None:
    assert httpx.get(address(said)).json() == [
        "city-exchange",
        "county-office",
        "credit-china",
        "credit-zhengzhou",
        "province-files",
    ]
    assert "演练词可用 入库、" in said


async def test_a_destination_reaches_its_files_by_what_it_says(said: str, tmp_path: Path) -> None:
    [(port, host_key)] = re.findall(r"sftp 127\.0\.0\.1:(\d+)，.*host_key (.*)", said)
    password = tmp_path / "sandbox" / "password"
    assert password.stat().st_mode & 0o077 == 0

    settings: dict[str, Any] = {"protocol": "sftp", "host": "127.0.0.1", "port": int(port)}
    settings |= {"host_key": host_key, "username": "province-files", "upload_folder": "in"}
    settings |= {"password": password.read_text(), "tables": {"penalty": {"code": "001501"}}}
    health = await build("file-drop", settings, system_clock).health()

    assert (health.ok, health.detail) == (True, "目录 in")


async def test_a_destination_reaches_its_topics_by_what_it_says(tmp_path: Path) -> None:
    ports = ("--port", "0", "--topic-port", "0")
    with running(tmp_path, 3, "sandbox", *ports, "--topic", "province-bus=sandbox") as said:
        [(servers, topic, receipts)] = re.findall(
            r"主题：bootstrap_servers (\S+)，topic (\S+)，receipts 的 topic (\S+)", said
        )
        settings = {"bootstrap_servers": servers, "topic": topic, "receipts": {"topic": receipts}}
        connector = build("kafka-topic", settings, system_clock)
        health = await connector.health()
        await connector.close()

    assert (health.ok, health.detail) == (True, "2 个分区，回执 2 个分区")


async def test_a_destination_reaches_its_exchange_database_by_what_it_says(
    said: str, tmp_path: Path
) -> None:
    [shown] = re.findall(r"前置库：(\S+)，口令在 exchange/password", said)
    file = tmp_path / "exchange" / "url"
    url, password = file.read_text(), (tmp_path / "exchange" / "password").read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert url == shown.replace("***", password)

    tables = {"penalty": {"name": "frxzcf", "key_column": "CG_KEY"}}
    found = []
    for one in (url, shown):
        connector = build("exchange-database", {"url": one, "tables": tables}, system_clock)
        found.append(await connector.health())
        await connector.close()

    right, wrong = found
    assert (right.ok, right.detail) == (True, "表 frxzcf")
    assert "password authentication failed" in wrong.detail


async def test_a_destination_reaches_its_mailbox_by_what_it_says(said: str, tmp_path: Path) -> None:
    [(port, to)] = re.findall(r"smtp 127\.0\.0\.1:(\d+)，收件人 ([^，]+)，", said)

    folder = tmp_path / "mailbox"
    settings: dict[str, Any] = {"host": "127.0.0.1", "port": int(port), "security": "none"}
    settings |= {"sender": "credit@bureau.example", "to": to}
    settings |= {"recipient_certificate": str(folder / "recipient.pem")}
    settings |= {"signer_certificate": str(folder / "signer.pem")}
    settings |= {"signer_key": str(folder / "signer.key")}
    health = await build("mail-drop", settings, system_clock).health()

    assert (health.ok, health.detail) == (True, "邮件发给 county-office@sandbox.example")


@pytest.mark.parametrize(
    ("place", "status"), [("credit-zhengzhou", "rejected"), ("credit-china", "accepted")]
)
def test_marks_are_on_where_nothing_else_is_said(said: str, place: str, status: str) -> None:
    row = {**ROW, "columns": {"CF_WSH": "样环罚字〔2026〕1号-演练-退回"}}

    answer = httpx.post(f"{address(said)}/{place}/records", json={"items": [row]})

    assert [one["status"] for one in answer.json()["results"]] == [status]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--files", "province"), "--files province：写成 名=目录"),
        (("--topic", "省总线=sandbox"), "--topic 省总线：名字用作主题名，只能有字母"),
        (("--bank", "sample-bank"), "--bank sample-bank：写成 名=whsec_密钥"),
        (("--exchange", "city"), "--exchange city：写成 名=目录"),
        (("--exchange", "City=x"), "--exchange City：库的名字只用小写字母、数字和 -"),
        (("--mail", "office"), "--mail office：写成 名=目录"),
        (("--unmarked", "other"), "--unmarked other：没有这个平台；现有：credit-zhengzhou、credit"),
    ],
)
def test_what_is_written_wrongly_is_told(
    tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    ran = Command(tmp_path, {})("sandbox", *arguments)

    assert ran.code == 2
    assert told in ran.err


def test_without_the_driver_it_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(name: str) -> object:
        return None if name == "psycopg" else object()

    monkeypatch.setattr("gateway.cli.sandbox_places.find_spec", missing)

    with pytest.raises(typer.Exit):
        exchange_place("city", tmp_path, 0)

    assert "pip install 'credit-gateway[embedded,postgresql]'" in capsys.readouterr().err
