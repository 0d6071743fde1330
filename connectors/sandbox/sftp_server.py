"""The SFTP server of a sandbox: each place that takes files is an account with its own folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from posixpath import normpath
from typing import NamedTuple

import asyncssh

from connectors.sandbox.app import Sandbox
from connectors.sandbox.faults import Faults
from connectors.sandbox.files_side import ANSWERS_IN, TAKES_FROM, FileDesk
from connectors.sandbox.places import FilesPlace
from connectors.sandbox.server import listening

_ENDING = ".xml"


class SftpAddress(NamedTuple):
    """Where the server listens, and its key, as `host_key` of a destination has it."""

    host: str
    port: int
    host_key: str


@asynccontextmanager
async def serve_files(
    sandbox: Sandbox, host_key: Path, port: int = 0
) -> AsyncIterator[SftpAddress]:
    """Serve the file places of a sandbox on 127.0.0.1; the key of the host is made once."""
    desks = {
        name: _FileAccount(sandbox, name, place)
        for name, place in sandbox.places_of(FilesPlace).items()
    }

    def accounts() -> asyncssh.SSHServer:
        return _Logins(desks)

    def files(channel: "asyncssh.SSHServerChannel[bytes]") -> asyncssh.SFTPServer:
        user = str(channel.get_extra_info("username"))
        return _AccountFiles(channel, desks[user])

    key = _key_in(host_key)
    server = await asyncssh.listen(
        sock=listening(port), server_factory=accounts, server_host_keys=[key], sftp_factory=files
    )
    try:
        host, found = server.get_addresses()[0][:2]
        yield SftpAddress(host, found, key.export_public_key().decode().strip())
    finally:
        server.close()
        await server.wait_closed()


def _key_in(path: Path) -> asyncssh.SSHKey:
    if path.exists():
        return asyncssh.read_private_key(path)
    key = asyncssh.generate_private_key("ssh-ed25519")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    key.write_private_key(path)
    return key


class _FileAccount:
    """One place: its folder, its password, and its desk, a new one after a reset."""

    def __init__(self, sandbox: Sandbox, name: str, place: FilesPlace) -> None:
        self._sandbox = sandbox
        self._name = name
        self.place = place
        self._desk = FileDesk(place, sandbox.books[name])
        for folder in (TAKES_FROM, ANSWERS_IN):
            (place.folder / folder).mkdir(parents=True, exist_ok=True)

    @property
    def desk(self) -> FileDesk:
        """The desk of the book that is there now."""
        book = self._sandbox.books[self._name]
        if self._desk.book is not book:
            self._desk = FileDesk(self.place, book)
        return self._desk

    def faults(self, path: Path | None = None) -> Faults:
        """Return the faults of the next call; `path` is a file that it hands over."""
        book = self.desk.book
        book.calls["files" if path is None else TAKES_FROM] += 1
        if path is None:
            return book.faults_of_call(None)
        return book.faults_of_call("files", self.desk.documents(path))


class _Logins(asyncssh.SSHServer):
    def __init__(self, accounts: dict[str, _FileAccount]) -> None:
        self._accounts = accounts

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        account = self._accounts.get(username)
        return account is not None and password == account.place.password.get_secret_value()


class _AccountFiles(asyncssh.SFTPServer):
    """The folder of an account: what gets its name in `in` is taken, `out` has what is answered."""

    def __init__(self, channel: "asyncssh.SSHServerChannel[bytes]", account: _FileAccount) -> None:
        super().__init__(channel, chroot=str(account.place.folder).encode())
        self._account = account

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        folder = _place_of(path)
        now = self._account.desk.book.now()
        if folder == ANSWERS_IN:
            if self._account.faults().is_down(now):
                raise asyncssh.SFTPFailure("service suspended")
            self._account.desk.answer(self._account.place.folder / ANSWERS_IN)
        async for name in super().scandir(path):
            yield name

    async def rename(self, oldpath: bytes, newpath: bytes) -> None:
        to = _place_of(newpath)
        if not to.startswith(f"{TAKES_FROM}/") or not to.endswith(_ENDING):
            super().rename(oldpath, newpath)
            return
        part = self._account.place.folder / _place_of(oldpath)
        faults = self._account.faults(part)
        if faults.is_down(self._account.desk.book.now()):
            raise asyncssh.SFTPFailure("service suspended")
        super().rename(oldpath, newpath)
        self._account.desk.take(self._account.place.folder / to, faults)
        if faults.slow:
            await asyncio.sleep(faults.slow)
        if faults.takes("drop_answers"):
            self.connection.abort()


def _place_of(path: bytes) -> str:
    """Return a path in the folder of the account, without a slash before it."""
    return normpath(f"/{path.decode(errors='replace')}").lstrip("/")
