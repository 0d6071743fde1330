"""A folder by FTPS (explicit TLS) or FTP, by the client of the standard library in a thread."""

import asyncio
import ftplib
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from io import BytesIO
from typing import TypeVar

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.file_drop.settings import FileDropSettings
from connectors.shared.tls import tls_context
from connectors.shared.words import reason
from schemas.faults import of_system

T = TypeVar("T")
_BLOCK = 64 * 1024
_LOGIN_REFUSED, _NOT_THERE = "530", "550"
_UNKNOWN_COMMAND = frozenset({"500", "501", "502", "504"})


class _FtpTls(ftplib.FTP_TLS):
    """FTP over TLS whose data connections continue the session, as careful servers require."""

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        """Return the data connection of a command."""
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321  TLS follows
        session = self.sock.session if isinstance(self.sock, ssl.SSLSocket) else None
        wrapped = self.context.wrap_socket(connection, server_hostname=self.host, session=session)
        return wrapped, size


class _TooLarge(Exception):
    """A file has more bytes than are read."""


class Ftp:
    """The files of an account."""

    def __init__(self, client: ftplib.FTP) -> None:
        self._client = client

    async def _do(self, what: str, work: Callable[[], T]) -> T:
        with _told(what):
            return await asyncio.to_thread(work)

    async def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder."""

        def work() -> list[str]:
            try:
                return [name for name, _ in self._client.mlsd(folder)]
            except ftplib.error_perm as error:
                if str(error)[:3] not in _UNKNOWN_COMMAND:
                    raise
            return self._names_by_nlst(folder)

        found = await self._do(folder, work)
        return [name.rpartition("/")[2] for name in found if name not in {".", ".."}]

    def _names_by_nlst(self, folder: str) -> list[str]:
        """Return the names as an older server tells them; some say an error of an empty folder."""
        try:
            return self._client.nlst(folder)
        except (ftplib.error_perm, ftplib.error_temp):
            here = self._client.pwd()
            self._client.cwd(folder)  # fails if it is not there
            self._client.cwd(here)
            lines: list[str] = []
            self._client.retrlines(f"LIST {folder}", lines.append)
            if lines:
                raise
            return []

    async def size(self, path: str) -> int:
        """Return the size of a file in bytes."""

        def work() -> int:
            self._client.voidcmd("TYPE I")
            return self._client.size(path) or 0

        return await self._do(path, work)

    async def read(self, path: str, most: int) -> bytes:
        """Return a file; raises CallRejected if it is larger."""

        def work() -> bytes:
            data = bytearray()

            def keep(block: bytes) -> None:
                data.extend(block)
                if len(data) > most:
                    raise _TooLarge

            self._client.retrbinary(f"RETR {path}", keep, _BLOCK)
            return bytes(data)

        try:
            return await self._do(path, work)
        except _TooLarge as error:
            raise CallRejected(f"{path} 大于 {most} 字节，不读") from error

    async def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        await self._do(path, lambda: self._client.storbinary(f"STOR {path}", BytesIO(data), _BLOCK))

    async def rename(self, path: str, to: str) -> None:
        """Rename a file at once; raises OutcomeUnknown if the answer is lost."""
        with _told(path):
            said = await asyncio.to_thread(self._client.sendcmd, f"RNFR {path}")
            if not said.startswith("3"):
                raise ftplib.error_reply(said)  # noqa: S321  an error
        try:
            with _told(path):
                await asyncio.to_thread(self._client.voidcmd, f"RNTO {to}")
        except NotSent as error:
            if isinstance(error.__cause__, (OSError, EOFError)):
                raise OutcomeUnknown(f"文件改名没有答复：{error}") from error
            raise

    async def remove(self, path: str) -> None:
        """Delete a file."""
        await self._do(path, lambda: self._client.delete(path))

    async def make(self, folder: str) -> None:
        """Make a folder, which may be there already."""

        def work() -> None:
            here = self._client.pwd()
            try:
                self._client.cwd(folder)
            except ftplib.error_perm:
                self._client.mkd(folder)
            else:
                self._client.cwd(here)

        await self._do(folder, work)


@asynccontextmanager
async def opened(settings: FileDropSettings) -> AsyncIterator[Ftp]:
    """Open a connection for the block; raises NotSent or CallRejected."""
    host, port = settings.place
    seconds = settings.call_timeout.total_seconds() / 3
    password = settings.password.get_secret_value() if settings.password else ""
    client: ftplib.FTP
    if settings.protocol == "ftps":
        client = _FtpTls(context=tls_context(settings), timeout=seconds, encoding="utf-8")
    else:
        client = ftplib.FTP(timeout=seconds, encoding="utf-8")  # noqa: S321  as it is configured

    def enter() -> None:
        client.connect(host, port)
        client.login(settings.username, password)
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()

    try:
        with _told(host):
            await asyncio.to_thread(enter)
        yield Ftp(client)
    finally:
        _cut(client)


def _cut(client: ftplib.FTP) -> None:
    """End the connection, also under a thread that still waits for an answer."""
    if client.sock is not None:
        with suppress(OSError):
            socket.socket.shutdown(client.sock, socket.SHUT_RDWR)
    with suppress(OSError):
        client.close()


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Translate the errors of the library; `what` is the path or host that they are about."""
    try:
        yield
    except ftplib.error_perm as error:
        said = reason(str(error))
        if said.startswith(_LOGIN_REFUSED):
            raise _ours(f"登录被拒绝：核对用户和口令（{said}）") from error
        if said.startswith(_NOT_THERE):
            raise _ours(f"{what} 不存在或没有权限：核对目录和授权（{said}）") from error
        raise NotSent(f"服务器没有做成 {what}：{said}") from error
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message
        raise _ours(f"服务器的证书不能信任（{why}）：核实后把它或签发者写进 ca_file") from error
    except (ftplib.Error, EOFError) as error:
        said = reason(str(error)) or "连接断了"
        raise NotSent(f"服务器没有做成 {what}：{said}") from error
    except TimeoutError as error:
        raise NotSent(f"服务器没有答复：{what}") from error
    except OSError as error:
        raise NotSent(f"连不上服务器：{of_system(error)}") from error


def _ours(words: str) -> ConnectorError:
    made = CallRejected(words)
    made.theirs = False
    return made
