"""A real SFTP server (asyncssh) and a real FTP server over TLS (ProFTPD), on a folder."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncssh

from connectors import build
from connectors.file_drop import FileDrop
from schemas.delivery import Receipt
from tests.certificates import Authority
from tests.integration.post import free_port

USER, PASSWORD = "hb", "s3cret-word"


class Server:
    """A server, its folder, and connectors to it."""

    def __init__(self, root: Path, place: dict[str, Any], troubles: "Troubles", clock: Any) -> None:
        self.root = root
        self.place = place
        self.troubles = troubles
        self.clock = clock

    def connector(self, **changes: Any) -> FileDrop:
        made = build("file-drop", {**self.place, **changes}, self.clock)
        assert isinstance(made, FileDrop)
        return made

    def names(self, folder: str = ".") -> list[str]:
        return sorted(one.name for one in (self.root / folder).iterdir() if one.is_file())

    def answer(self, name: str, text: str, encoding: str = "utf-8") -> None:
        (self.root / "answers" / name).write_bytes(text.encode(encoding))


async def all_receipts(connector: FileDrop, cursor: str = "") -> list[Receipt]:
    told: list[Receipt] = []
    while True:
        found, following = await connector.receipts(cursor)
        told += found
        if following == cursor:
            return told
        cursor = following


class Troubles:
    """What a server does next: `lose` renames that many files of ours and then hangs up.

    `barred` names of folders that may not be listed, or of ends of new names that are refused,
    `hidden` ends of names that no list has.
    """

    def __init__(self) -> None:
        self.lose = 0
        self.full = False
        self.barred: tuple[str, ...] = ()
        self.hidden: tuple[str, ...] = ()

    def refuse(self, path: bytes) -> None:
        """Refuse to list a folder, or to give a name, that is barred."""
        if path.decode(errors="replace").endswith(self.barred):
            raise asyncssh.SFTPPermissionDenied("barred")

    async def shown(
        self, names: AsyncIterator[asyncssh.SFTPName]
    ) -> AsyncIterator[asyncssh.SFTPName]:
        """Yield the names that are not hidden."""
        async for one in names:
            if not os.fsdecode(one.filename).endswith(self.hidden):
                yield one

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

        async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
            troubles.refuse(path)
            async for one in troubles.shown(super().scandir(path)):
                yield one

        async def rename(self, oldpath: bytes, newpath: bytes) -> None:
            troubles.refuse(newpath)
            super().rename(oldpath, newpath)
            if troubles.takes_away(newpath.decode(errors="replace")):
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


_CONFIGURATION = """
ServerType standalone
ServerName test
Port {port}
DefaultAddress 127.0.0.1
SocketBindTight on
UseReverseDNS off
User {owner}
Group {group}
UseIPv6 off
PidFile {home}/pid
ScoreboardFile {home}/scoreboard
DelayTable none
SystemLog {home}/log
WtmpLog off
DefaultRoot {root}
RequireValidShell off
RootLogin on
AuthOrder mod_auth_file.c
AuthUserFile {home}/users
LoadModule mod_tls.c
<Directory />
  AllowOverwrite on
</Directory>
TLSEngine on
TLSRequired on
TLSRSACertificateFile {certificate}
TLSRSACertificateKeyFile {private}
TLSECCertificateFile {certificate}
TLSECCertificateKeyFile {private}
TLSLog {home}/tls
"""


@contextmanager
def ftps_server(root: Path, troubles: Troubles, authority: Authority) -> Iterator[dict[str, Any]]:
    """Run ProFTPD behind a proxy; yield the settings of a connection to it.

    ProFTPD refuses a data connection that does not continue the session of TLS.
    """
    home = root.parent / "proftpd"
    home.mkdir()
    certificate, private = authority.issue("ftp")
    private.chmod(0o600)
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True
    ).stdout.strip()
    account = f"{USER}:{hashed}:{os.getuid()}:{os.getgid()}::{root}:/bin/sh\n"
    (home / "users").write_text(account)
    (home / "users").chmod(0o600)
    port = free_port()
    written = _CONFIGURATION.format(
        port=port,
        home=home,
        root=root,
        owner=pwd.getpwuid(os.getuid()).pw_name,
        group=grp.getgrgid(os.getgid()).gr_name,
        certificate=certificate,
        private=private,
    )
    (home / "conf").write_text(written)
    program = shutil.which("proftpd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    assert program is not None, "proftpd is missing: python -m tests.tools"
    with (home / "out").open("wb") as out:
        process = subprocess.Popen(
            [program, "--nodaemon", "--config", str(home / "conf")], stdout=out, stderr=out
        )
    try:
        _wait_for(port, process, home)
        with _cutting_proxy(port, root, troubles) as own:
            place = {"protocol": "ftps", "host": "127.0.0.1", "port": own}
            login = {"username": USER, "password": PASSWORD, "ca_file": str(authority.file)}
            yield {**place, **login}
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes], home: Path) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as greeting:
            if greeting.recv(3) == b"220":
                return
        time.sleep(0.05)
    raise AssertionError("".join(one.read_text() for one in home.glob("[lo]*")))


@contextmanager
def _cutting_proxy(port: int, root: Path, troubles: Troubles) -> Iterator[int]:
    """Pass control connections on; cut one where the answer to a renaming would come, if asked."""
    listening = socket.create_server(("127.0.0.1", 0))
    sockets, carriers = [listening], []

    def serve() -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            sockets.extend((near, far))
            for ends in ((near, far, None), (far, near, (root, troubles))):
                carriers.append(threading.Thread(target=_carry, args=ends))
                carriers[-1].start()

    serving = threading.Thread(target=serve)
    serving.start()
    yield int(listening.getsockname()[1])
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
    for thread in (serving, *carriers):
        thread.join(10)
    for one in sockets:
        one.close()


def _carry(one: socket.socket, other: socket.socket, watch: tuple[Path, Troubles] | None) -> None:
    """Pass on what comes; of answers, cut where one to a renaming would come, if asked."""
    known = set() if watch is None else set(watch[0].glob("*.xml"))
    with suppress(OSError):
        while data := one.recv(65_536):
            new = set() if watch is None else {*watch[0].glob("*.xml")} - known
            if watch is not None and new and watch[1].takes_away(str(new.pop())):
                break
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
