"""HTTPS with a certificate of the configuration, which is renewed while it runs."""

import socket
import ssl
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from gateway.service import server
from gateway.store.base.engine import Database
from tests.acceptance.command import commanding, told
from tests.acceptance.test_stop import free_port, up
from tests.certificates import Authority
from tests.conftest import SETTINGS


def shown_until(port: int, ca: Path) -> str:
    context = ssl.create_default_context(cafile=str(ca))
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        shown = secured.getpeercert()
    assert shown is not None
    return str(shown["notAfter"])


def test_https_and_a_renewed_certificate(database: Database, tmp_path: Path) -> None:
    authority, port = Authority(tmp_path), free_port()
    certificate, key = authority.issue("gateway", until=datetime(2031, 1, 1, tzinfo=UTC))
    http = {
        "host": "127.0.0.1",
        "port": port,
        "certificate_file": str(certificate),
        "private_key_file": str(key),
    }
    command = commanding(database, tmp_path, {**SETTINGS, "http": http})
    with up(command, "web"):
        context = ssl.create_default_context(cafile=str(authority.file))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        alive = httpx.get(f"https://127.0.0.1:{port}/health/live", verify=context)
        before = shown_until(port, authority.file)
        authority.issue("gateway", until=datetime(2032, 1, 1, tzinfo=UTC))
        end = time.monotonic() + server.CERTIFICATE_PAUSE + 20
        while (after := shown_until(port, authority.file)) == before and time.monotonic() < end:
            time.sleep(1)
        with pytest.raises(httpx.HTTPError):
            httpx.get(f"http://127.0.0.1:{port}/health/live")

    assert alive.status_code == 200
    assert after != before


def test_a_certificate_that_cannot_be_used_is_told(database: Database, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    files = {"certificate_file": "no.pem", "private_key_file": "no.pem"}
    http = {"port": free_port(), **files}
    command = commanding(database, tmp_path, {**SETTINGS, "http": http})

    assert told(command("up", "--roles", "web"), 2, "http certificate_file：no.pem 不能用")


def test_plain_http_beyond_this_machine_has_to_be_wanted(
    database: Database, tmp_path: Path
) -> None:
    command = commanding(database, tmp_path, {**SETTINGS, "http": {"host": "0.0.0.0"}})  # noqa: S104

    assert told(command("up", "--roles", "web"), 2, "behind_proxy: true")
