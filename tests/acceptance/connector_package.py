"""A package of another kind of destination: made, installed where nobody else sees it, called."""

import os
import queue
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import orjson

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
NAME = "city-sample"
PATIENCE = 90


def ran(*command: object, folder: Path, path: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Run a command on this checkout, and on what is installed in a folder."""
    return subprocess.run(
        list(map(str, command)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{ROOT}", "MYPYPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def new(folder: Path, name: str) -> Path:
    """Make a package in a folder."""
    made = ran(sys.executable, "-m", "gateway", "connector", "new", name, folder=folder)
    assert made.returncode == 0, made.stderr
    return folder / f"credit-gateway-{name}"


def install(package: Path, site: Path) -> None:
    """Install a package for real, into a folder that nobody else sees."""
    installing = (BIN / "uv", "pip", "install", "--no-deps", "--no-build-isolation", "--offline")
    where = ("--python", sys.executable, "--target", site)
    done = ran(*installing, *where, package, folder=package)
    assert done.returncode == 0, done.stderr


@dataclass
class Received:
    """A platform on loopback: what it got, and what it does with a row."""

    url: str = ""
    rows: "queue.Queue[dict[str, Any]]" = field(default_factory=queue.Queue)
    #: Of a row with such a text in it.
    refusal: tuple[str, int] = ("no row has this", 500)


class QuietServer(ThreadingHTTPServer):
    """It says nothing of a client that was killed."""

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def receiving() -> Iterator[Received]:
    """Run a platform on loopback for the block."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.answer(200)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.rows.put(orjson.loads(body))
            text, status = received.refusal
            self.answer(status if text in body.decode() else 201)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any, **__: Any) -> None:
            pass

    with QuietServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_address[1]}/rows"
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield received
        server.shutdown()
