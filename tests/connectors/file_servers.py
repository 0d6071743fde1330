"""A real SFTP server and a real FTP server over TLS, each with an account in a folder."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncssh
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

from tests.certificates import Authority

USER, PASSWORD = "hb", "s3cret-word"


class Troubles:
    """What a server does next: `lose` renames that many files of ours and then hangs up."""

    def __init__(self) -> None:
        self.lose = 0
        self.full = False

    def takes_away(self, to: str) -> bool:
        """Whether the answer to this renaming is lost."""
        if self.lose and to.endswith(".xml"):
            self.lose -= 1
            return True
        return False


class _Account(asyncssh.SSHServer):
    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


def _files(root: Path, troubles: Troubles) -> type[asyncssh.SFTPServer]:
    class Files(asyncssh.SFTPServer):
        def __init__(self, channel: asyncssh.SSHServerChannel[bytes]) -> None:
            super().__init__(channel, chroot=str(root).encode())
            self._channel = channel

        async def rename(self, oldpath: bytes, newpath: bytes) -> None:
            super().rename(oldpath, newpath)
            if troubles.takes_away(newpath.decode()):
                self._channel.get_connection().abort()

        def write(self, file_obj: object, offset: int, data: bytes) -> int:
            if troubles.full:
                raise asyncssh.SFTPFailure("no space left")
            written = super().write(file_obj, offset, data)
            assert isinstance(written, int)
            return written

    return Files


@asynccontextmanager
async def sftp_server(root: Path, troubles: Troubles) -> AsyncIterator[dict[str, Any]]:
    """Run a server in this loop; yield the settings of a connection to it."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=_Account,
        server_host_keys=[key],
        sftp_factory=_files(root, troubles),
    )
    public = key.export_public_key().decode().strip()
    place = {"protocol": "sftp", "host": "127.0.0.1", "port": server.get_port()}
    yield {**place, "username": USER, "password": PASSWORD, "host_key": public}
    server.close()
    await server.wait_closed()


@contextmanager
def ftps_server(root: Path, troubles: Troubles, authority: Authority) -> Iterator[dict[str, Any]]:
    """Run a server in a thread; yield the settings of a connection to it."""
    certificate, private = authority.issue("ftp")
    joined = root.parent / "ftp-both.pem"
    joined.write_bytes(private.read_bytes() + certificate.read_bytes())

    class Control(TLS_FTPHandler):  # type: ignore[misc]
        certfile = str(joined)
        tls_control_required = tls_data_required = True
        auth_failed_timeout = 0

        def ftp_RNTO(self, path: str) -> Any:  # noqa: N802  its name
            if troubles.takes_away(path):
                self.fs.rename(self._rnfr, path)
                self.close()
                return None
            return super().ftp_RNTO(path)

        def ftp_STOR(self, file: str, mode: str = "w") -> Any:  # noqa: N802  its name
            if troubles.full:
                self.respond("452 no space left")
                return None
            return super().ftp_STOR(file, mode)

    users = DummyAuthorizer()
    users.add_user(USER, PASSWORD, str(root), perm="elradfmw")
    Control.authorizer = users
    server = FTPServer(("127.0.0.1", 0), Control)
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            server.ioloop.loop(timeout=0.05, blocking=False)
        server.close_all()

    thread = threading.Thread(target=serve)
    thread.start()
    place = {"protocol": "ftps", "host": "127.0.0.1", "port": server.address[1]}
    account = {"username": USER, "password": PASSWORD, "ca_file": str(authority.file)}
    yield {**place, **account}
    stop.set()
    thread.join()
