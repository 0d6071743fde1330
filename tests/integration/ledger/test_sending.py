"""Frozen ledgers go to their recipients by real folders and a real mail server, until there."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from gateway.config.http_settings import HttpSettings
from gateway.config.signing import signed
from gateway.ledger import http
from gateway.ledger.freeze import freeze_month
from gateway.ledger.sending import LedgerSender, sending_words
from gateway.store.account import ledger_sendings
from gateway.store.account.ledger_sendings import Sending
from gateway.store.base.engine import Database
from gateway.telemetry.metrics import Metrics
from gateway.web.app import create_web
from gateway.web.health import Probes
from schemas.base import SHANGHAI
from tests.certificates import Authority, server_context
from tests.integration.ledger_world import World, penalty, world
from tests.integration.post import Post, free_port

pytestmark = pytest.mark.integration
MONTH = "2026-10"
FILE = "双公示台账-2026-10-第1版.xlsx"


@pytest.fixture
async def post(tmp_path: Path) -> AsyncIterator[tuple[Post, dict[str, Any]]]:
    """A mail server with a login behind STARTTLS, and the settings that reach it."""
    authority = Authority(tmp_path)
    post = Post()

    def login(_server: Any, _session: Any, _envelope: Any, _way: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=given.password == b"right", handled=False)

    port = free_port()
    controller = Controller(
        post,
        hostname="127.0.0.1",
        port=port,
        tls_context=server_context(authority.issue("mail")),
        require_starttls=True,
        auth_required=True,
        authenticator=login,
    )
    controller.start()
    yield (
        post,
        {
            "host": "127.0.0.1",
            "port": port,
            "security": "starttls",
            "ca_file": str(authority.file),
            "sender": "ledger@bureau.example",
            "to": "office@bureau.example",
            "username": "ledger",
            "password": "right",
        },
    )
    controller.stop()


async def frozen(
    database: Database, folder: Path, *recipients: dict[str, Any]
) -> tuple[World, LedgerSender]:
    """Return a world whose month is over and frozen, and its sender."""
    here = await world(database, folder, ledger={"recipients": recipients})
    await here.take_in([penalty(1), penalty(2)])
    await here.deliver()
    here.clock.step(datetime(2026, 11, 3, 9, tzinfo=SHANGHAI) - here.clock())
    built = here.gateway
    await freeze_month(database, built.ledger_scope, built.keys, MONTH, here.clock())
    sender = LedgerSender(
        database, built.settings.ledger, built.keys, built.installation, here.clock
    )
    return here, sender


async def sendings(database: Database) -> list[Sending]:
    async with database.transaction() as connection:
        return await ledger_sendings.of_month(connection, MONTH)


async def states(database: Database) -> list[tuple[str, int, str]]:
    return sorted((one.recipient, one.version, one.state) for one in await sendings(database))


async def test_a_ledger_is_written_to_a_folder_once_with_its_signature(
    database: Database, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    recipient = {"name": "office", "title": "市信用办", "folder": str(out)}
    _, sender = await frozen(database, tmp_path, recipient)

    counts = [await sender.send(), await sender.send()]

    assert counts == [1, 0]
    assert sorted(path.name for path in out.iterdir()) == [FILE, f"{FILE}.jws"]
    about, _ = signed((out / f"{FILE}.jws").read_text().strip())
    assert (about["ledger"], about["version"]) == (MONTH, 1)
    assert await states(database) == [("office", 1, "sent")]


async def test_a_folder_that_is_not_there_is_tried_again_and_told(
    database: Database, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    recipient = {"name": "office", "title": "市信用办", "folder": str(out)}
    here, sender = await frozen(database, tmp_path, recipient)

    failed = await sender.send()
    words = sending_words(await sendings(database), here.gateway.settings.ledger.recipients)
    at_once = await sender.send()
    out.mkdir()
    here.clock.step(timedelta(hours=1))
    sent = await sender.send()

    assert (failed, at_once, sent) == (0, 0, 1)
    assert words[0].startswith("2026-10 台账第 1 版 → 市信用办：待送，试过 1 次：不能写到")


async def test_a_ledger_goes_by_mail_with_workbook_and_signature(
    database: Database, tmp_path: Path, post: tuple[Post, dict[str, Any]]
) -> None:
    server, settings = post
    recipient = {"name": "office", "title": "局办公室", "mail": settings}
    here, sender = await frozen(database, tmp_path, recipient)
    server.refuse = "452 mailbox full"
    full = await sender.send()
    [waiting] = await sendings(database)
    server.refuse = ""
    here.clock.step(timedelta(hours=1))

    sent = await sender.send()

    [mail] = server.mails
    assert (full, sent) == (0, 1)
    assert waiting.error is not None
    assert "452 mailbox full" in waiting.error
    assert mail["Subject"] == "2026-10 双公示台账第 1 版"
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names == [FILE, f"{FILE}.jws"]
    assert mail["Message-ID"].startswith("<ledger.2026-10.1.office@")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"password": "wrong"}, "拒绝登录"),
        ({"ca_file": None}, "证书不可信"),
        ({"port": 1}, "没有答复"),
        ({"password": "密码"}, "只用英文字母"),
    ],
)
async def test_a_mail_server_that_does_not_take_it_is_told(
    database: Database,
    tmp_path: Path,
    post: tuple[Post, dict[str, Any]],
    change: dict[str, Any],
    told: str,
) -> None:
    mail = {k: v for k, v in {**post[1], **change}.items() if v is not None}
    _, sender = await frozen(database, tmp_path, {"name": "office", "title": "x", "mail": mail})

    assert await sender.send() == 0

    [one] = await sendings(database)
    assert one.error is not None
    assert told in one.error
    assert post[0].mails == []


async def test_a_new_version_goes_instead_of_one_that_waits(
    database: Database, tmp_path: Path
) -> None:
    recipients = [
        {"name": "office", "title": "市信用办", "folder": str(tmp_path / "none")},
        {"name": "province", "title": "省厅"},
    ]
    here, sender = await frozen(database, tmp_path, *recipients)
    await sender.send()
    await here.take_in([penalty(3)])
    built = here.gateway
    await freeze_month(database, built.ledger_scope, built.keys, MONTH, here.clock(), "补录")

    await sender.send()

    assert await states(database) == [
        ("office", 1, "superseded"),
        ("office", 2, "ready"),
        ("province", 1, "superseded"),
        ("province", 2, "offered"),
    ]


async def test_a_month_that_is_not_over_goes_to_nobody(database: Database, tmp_path: Path) -> None:
    recipient = {"name": "province", "title": "省厅"}
    here, sender = await frozen(database, tmp_path, recipient)
    built = here.gateway
    await freeze_month(database, built.ledger_scope, built.keys, "2026-11", here.clock())

    await sender.send()

    async with database.transaction() as connection:
        assert await ledger_sendings.of_month(connection, "2026-11") == []


async def test_who_downloads_a_ledger_says_that_it_was_received(
    database: Database, tmp_path: Path
) -> None:
    here, sender = await frozen(database, tmp_path, {"name": "province", "title": "省厅"})
    await sender.send()
    keys = HttpSettings.model_validate({"api_keys": ["sender"], "operator_keys": ["watcher"]})
    app = create_web(
        keys, [http.router(database, here.clock)], Metrics(), Probes({}, {}), lambda *_: None
    )
    told = {"recipient": "province", "version": 1, "by": "省厅李四"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gateway/v1/ledgers", headers={"X-Api-Key": "watcher"}
    ) as client:
        listed = (await client.get("/2026-10")).json()
        file = await client.get("/2026-10/file")
        table = await client.get("/2026-10/file", params={"form": ".csv"})
        nothing = await client.get("/2026-09/file")
        said = await client.post("/2026-10/received", json=told)
        again = await client.post("/2026-10/received", json=told)
        nobody = await client.post("/2026-10/received", json={**told, "recipient": "x"})
        stranger = await client.get("/2026-10", headers={"X-Api-Key": "sender"})

    assert listed["sendings"][0]["state"] == "offered"
    assert file.content[:2] == b"PK"
    assert "样环罚〔2026〕1号" in table.text
    assert (said.json()["noted"], again.json()["noted"]) == (True, False)
    assert [each.status_code for each in (nothing, nobody, stranger)] == [404, 404, 401]
    [one] = await sendings(database)
    assert (one.state, one.ended_by) == ("received", "省厅李四")
