"""`up` ends on a signal, whatever a client or the database does meanwhile."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import psutil
import pytest

from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.base.engine import Database
from tests.acceptance.command import Command, commanding
from tests.conftest import SETTINGS
from tests.folders import server_folder

#: Longer than any stop may take with an external database.
PATIENCE = 90
KEY = "a-key-of-a-client-for-tests"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def up(command: Command, roles: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `up` until it says that it has started; kill it in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway", "--config", str(command.config), "up", "--roles", roles],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**command.environment},
        cwd=command.folder,
    )
    assert process.stdout is not None
    while b"Ctrl-C" not in (line := process.stdout.readline()):
        assert line, "it ended before it had started"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_half_a_request_does_not_keep_up_from_ending(database: Database, tmp_path: Path) -> None:
    port = free_port()
    http = {"host": "127.0.0.1", "port": port, "api_keys": [KEY]}
    command = commanding(database, tmp_path, {**SETTINGS, "http": http})
    head = (
        f"POST /v1/intake/penalty HTTP/1.1\r\nHost: x\r\nX-Api-Key: {KEY}\r\n"
        "Content-Length: 1000\r\n\r\n{"
    )
    with up(command, "web") as process, socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(head.encode())
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)

        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE) == 0


@pytest.fixture
def own_postgres() -> Iterator[EmbeddedPostgres]:
    with server_folder() as folder:
        server = EmbeddedPostgres(folder)
        server.start()
        yield server
        server.stop()


def test_a_database_that_hangs_does_not_keep_up_from_ending(
    own_postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    config = tmp_path / "gateway.yaml"
    config.write_bytes(orjson.dumps(SETTINGS | {"state": str(tmp_path)}))
    environment = {
        "CREDIT_GATEWAY_DATABASE_URL": own_postgres.url,
        "CREDIT_GATEWAY_MASTER_KEY": SETTINGS["master_key"],
    }
    server = psutil.Process(own_postgres.pid())
    with up(Command(tmp_path, environment, config), "deliver,schedule") as process:
        hung = [server, *server.children(recursive=True)]
        for one in hung:
            one.suspend()

        process.send_signal(signal.SIGTERM)
        ended = process.wait(PATIENCE)

        for one in hung:
            one.resume()
        assert ended in {0, -signal.SIGALRM}
