"""Sendings of ledgers that meet something else: an answer, a new version, a server that drips."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from gateway.config.http_settings import HttpSettings
from gateway.ledger import http, sending
from gateway.ledger.channels import Parcel
from gateway.ledger.freeze import freeze_month
from gateway.ledger.sending import LedgerSender, ended
from gateway.store.account.ledger_sendings import SendingState
from gateway.store.base.engine import Database
from gateway.telemetry.metrics import Metrics
from gateway.web.app import create_web
from gateway.web.health import Probes
from schemas.recipient import Recipient
from tests.integration.ledger.test_sending import FILE, MONTH, frozen, sendings, states
from tests.integration.ledger_world import penalty

pytestmark = pytest.mark.integration


@pytest.fixture
def out(tmp_path: Path) -> Path:
    made = tmp_path / "out"
    made.mkdir()
    return made


def to_folder(out: Path) -> dict[str, Any]:
    return {"name": "office", "title": "市信用办", "folder": str(out)}


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    """Let something happen between the handing over and the end of the first sending."""
    loop, real = asyncio.get_running_loop(), sending._hand_over

    def hand_over(recipient: Recipient, parcel: Parcel) -> None:
        monkeypatch.setattr(sending, "_hand_over", real)
        real(recipient, parcel)
        asyncio.run_coroutine_threadsafe(act(), loop).result()

    monkeypatch.setattr(sending, "_hand_over", hand_over)


async def sent_on_record(database: Database) -> list[int]:
    async with database.transaction() as connection:
        rows = await connection.execute(
            text("select detail -> 'version' from audit_event where event = 'ledger_sent'")
        )
        return sorted(row[0] for row in rows)


async def test_an_acknowledgement_before_the_end_of_the_sending_stays(
    database: Database, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, sender = await frozen(database, tmp_path, to_folder(out))

    async def acknowledge() -> None:
        [one] = await sendings(database)
        assert await ended(database, one, SendingState.RECEIVED, "市信用办李四", here.clock())

    meanwhile(monkeypatch, acknowledge)
    await sender.send()

    [one] = await sendings(database)
    assert (one.state, one.ended_by) == ("received", "市信用办李四")
    assert await sent_on_record(database) == [1]


async def test_a_version_that_went_out_was_sent_though_a_newer_one_was_planned_meanwhile(
    database: Database, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, sender = await frozen(database, tmp_path, to_folder(out))
    built = here.gateway

    async def freeze() -> None:
        await here.take_in([penalty(3)])
        await freeze_month(database, built.ledger_scope, built.keys, MONTH, here.clock(), "补录")
        other = LedgerSender(
            database, built.settings.ledger, built.keys, built.installation, here.clock
        )
        await other.send()

    meanwhile(monkeypatch, freeze)
    await sender.send()

    assert await states(database) == [("office", 1, "sent"), ("office", 2, "sent")]
    assert await sent_on_record(database) == [1, 2]


def drip(server: socket.socket, stop: threading.Event) -> None:
    connection, _ = server.accept()
    try:
        while not stop.wait(0.05):
            connection.sendall(b"2")
    except OSError:
        stop.set()
    connection.close()


@pytest.mark.parametrize(("limit", "told"), [("mail", "没有答复"), ("sending", "没有送完")])
async def test_a_mail_server_that_drips_its_answer_holds_nobody(
    database: Database,
    tmp_path: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    told: str,
) -> None:
    if limit == "mail":
        monkeypatch.setattr("connectors.shared.mail.WHOLE", 0.5)
    else:
        monkeypatch.setattr(sending, "SENDING", timedelta(seconds=3))
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=drip, args=[server, stop], daemon=True).start()
        box = {"host": "127.0.0.1", "port": server.getsockname()[1], "security": "none"}
        mail = {**box, "sender": "a@b.example", "to": "c@d.example"}
        slow = {"name": "slow", "title": "x", "mail": mail}
        _, sender = await frozen(database, tmp_path, slow, to_folder(out))

        async with asyncio.timeout(20):
            count = await sender.send()
        stop.set()

    assert count == 1
    assert await states(database) == [("office", 1, "sent"), ("slow", 1, "ready")]
    [error] = [one.error for one in await sendings(database) if one.error]
    assert told in error


async def test_an_error_that_nobody_foresaw_is_told_and_keeps_nobody(
    database: Database, tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sending._hand_over

    def hand_over(recipient: Recipient, parcel: Parcel) -> None:
        if recipient.name == "other":
            raise ZeroDivisionError
        real(recipient, parcel)

    monkeypatch.setattr(sending, "_hand_over", hand_over)
    other = {**to_folder(out), "name": "other"}
    _, sender = await frozen(database, tmp_path, other, to_folder(out))

    count = await sender.send()

    assert count == 1
    [error] = [one.error for one in await sendings(database) if one.error]
    assert "ZeroDivisionError" in error


async def test_a_recipient_that_is_to_be_sent_to_now_gets_what_waited_and_the_other_way_round(
    database: Database, tmp_path: Path, out: Path
) -> None:
    download = {"name": "office", "title": "市信用办"}
    fails = {"name": "province", "title": "省厅", "folder": str(tmp_path / "none")}
    _, sender = await frozen(database, tmp_path, download, fails)
    await sender.send()
    sender.recipients = {
        "office": Recipient.model_validate(to_folder(out)),
        "province": Recipient.model_validate({"name": "province", "title": "省厅"}),
    }

    await sender.send()

    assert await states(database) == [("office", 1, "sent"), ("province", 1, "offered")]
    assert (out / FILE).exists()


@pytest.mark.parametrize(
    "odd", [{"by": "a\\u0000b"}, {"by": "\\ud800"}, {"recipient": "\\ud800"}], ids=str
)
async def test_an_acknowledgement_that_cannot_be_stored_is_refused(
    database: Database, tmp_path: Path, odd: dict[str, str]
) -> None:
    here, sender = await frozen(database, tmp_path, {"name": "province", "title": "省厅"})
    await sender.send()
    keys = HttpSettings.model_validate({"operator_keys": ["watcher"]})
    app = create_web(
        keys, [http.router(database, here.clock)], Metrics(), Probes({}, {}), lambda *_: None
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    told = {"recipient": "province", "by": "李四", **odd}
    body = ", ".join(f'"{name}": "{value}"' for name, value in told.items())
    async with httpx.AsyncClient(
        transport=transport, base_url="http://gateway", headers={"X-Api-Key": "watcher"}
    ) as client:
        answer = await client.post(
            f"/v1/ledgers/{MONTH}/received",
            content=f'{{"version": 1, {body}}}',
            headers={"content-type": "application/json"},
        )

    assert answer.status_code == 422
    assert "字符" in answer.json()["detail"]
    assert await states(database) == [("province", 1, "offered")]
