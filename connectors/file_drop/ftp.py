"""A folder by FTPS (explicit TLS) or FTP, by the client of the standard library in a thread."""

import asyncio
import ftplib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from io import BytesIO
from typing import TypeVar

from connectors.errors import (
    CallRejected,
    ConnectorError,
    NotSent,
    OutcomeUnknown,
    refused_for_us,
)
from connectors.file_drop.settings import FileDropSettings
from connectors.shared.tls import tls_context
from connectors.shared.words import decoded, reason
from schemas.base import storable
from schemas.faults import of_system

T = TypeVar("T")
_BLOCK = 64 * 1024
_LOGIN_REFUSED, _NOT_THERE = "530", ("550", "553")
#: What passes all octets: servers speak UTF-8 or GBK, and often both.
_OCTETS = "latin-1"
#: What vsftpd says, as of a success, of a folder that it may not list.
_NOT_LISTED = "failed to open"


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


def _sent(path: str) -> str:
    """Return a path as the client of the library needs it to send UTF-8, or what was read."""
    return path.encode("utf-8", "surrogateescape").decode(_OCTETS)


def _name(told: str) -> str:
    """Return a name of a list; octets that are no UTF-8 stay as they are."""
    return told.rpartition("/")[2].encode(_OCTETS).decode("utf-8", "surrogateescape")


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
                return [name for name, _ in self._client.mlsd(_sent(folder))]
            except ftplib.error_perm:  # an older command, or no such folder
                return self._names_by_nlst(folder)

        found = map(_name, await self._do(folder, work))
        return [name for name in found if name not in {".", ".."}]

    def _names_by_nlst(self, folder: str) -> list[str]:
        """Return the names as an older server tells them.

        Some say an error of an empty folder, and others nothing of one that is not there.
        """
        here = self._client.pwd()
        self._client.cwd(_sent(folder))  # fails if it is not there
        try:
            return self._lines("NLST")
        except (ftplib.error_perm, ftplib.error_temp):
            if self._lines("LIST"):
                raise
            return []
        finally:
            self._client.cwd(here)

    def _lines(self, command: str) -> list[str]:
        lines: list[str] = []
        said = self._client.retrlines(command, lines.append)
        if _NOT_LISTED in said:
            raise ftplib.error_perm(f"{_NOT_THERE[0]} {said}")  # noqa: S321  an error
        return lines

    async def size(self, path: str) -> int:
        """Return the size of a file in bytes."""

        def work() -> int:
            self._client.voidcmd("TYPE I")
            return self._client.size(_sent(path)) or 0

        return await self._do(path, work)

    async def read(self, path: str, most: int) -> bytes:
        """Return a file; raises CallRejected if it is larger."""

        def work() -> bytes:
            data = bytearray()

            def keep(block: bytes) -> None:
                data.extend(block)
                if len(data) > most:
                    raise _TooLarge

            self._client.retrbinary(f"RETR {_sent(path)}", keep, _BLOCK)
            return bytes(data)

        try:
            return await self._do(path, work)
        except _TooLarge as error:
            raise CallRejected(f"{path} 大于 {most} 字节，不读") from error

    async def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        command = f"STOR {_sent(path)}"
        await self._do(path, lambda: self._client.storbinary(command, BytesIO(data), _BLOCK))

    async def rename(self, path: str, to: str) -> None:
        """Rename a file at once; raises OutcomeUnknown if the answer is lost."""
        with _told(path):
            said = await asyncio.to_thread(self._client.sendcmd, f"RNFR {_sent(path)}")
            if not said.startswith("3"):
                raise ftplib.error_reply(said)  # noqa: S321  an error
        try:
            with _told(path):
                await asyncio.to_thread(self._client.voidcmd, f"RNTO {_sent(to)}")
        except NotSent as error:
            if isinstance(error.__cause__, (OSError, EOFError)):
                raise OutcomeUnknown(f"文件改名没有答复：{error}") from error
            raise

    async def remove(self, path: str) -> None:
        """Delete a file."""
        await self._do(path, lambda: self._client.delete(_sent(path)))

    async def make(self, folder: str) -> None:
        """Make a folder, which may be there already."""

        def work() -> None:
            here = self._client.pwd()
            try:
                self._client.cwd(_sent(folder))
            except ftplib.error_perm:
                self._client.mkd(_sent(folder))
            else:
                self._client.cwd(here)

        await self._do(folder, work)

    async def make_folder(self, folder: str) -> None:
        """Make a folder, which must not be there."""
        await self._do(folder, lambda: self._client.mkd(_sent(folder)))

    async def remove_folder(self, folder: str) -> None:
        """Delete an empty folder."""
        await self._do(folder, lambda: self._client.rmd(_sent(folder)))


@asynccontextmanager
async def opened(settings: FileDropSettings) -> AsyncIterator[Ftp]:
    """Open a connection for the block; raises NotSent or CallRejected."""
    host, port = settings.place
    seconds = settings.call_timeout.total_seconds() / 3
    password = settings.password.get_secret_value() if settings.password else ""
    client: ftplib.FTP
    if settings.protocol == "ftps":
        client = _FtpTls(context=tls_context(settings), timeout=seconds, encoding=_OCTETS)
    else:
        client = ftplib.FTP(timeout=seconds, encoding=_OCTETS)  # noqa: S321  as it is configured

    given_up = threading.Event()

    def enter() -> None:
        client.connect(host, port)
        client.login(_sent(settings.username), _sent(password))
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        if given_up.is_set():
            client.close()

    try:
        with _told(host):
            await asyncio.to_thread(enter)
        yield Ftp(client)
    finally:
        given_up.set()
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
    what = storable(what)
    try:
        yield
    except ftplib.error_perm as error:
        raise _refused(what, _words(error)) from error
    except (ftplib.Error, EOFError) as error:
        said = _words(error) or "连接断了"
        raise NotSent(f"服务器没有做成 {what}：{said}") from error
    except OSError as error:
        raise _of_network(what, error) from error
    except ValueError as error:
        raise NotSent(f"服务器的答复读不懂：{what}") from error


def _refused(what: str, said: str) -> ConnectorError:
    if said.startswith(_LOGIN_REFUSED):
        return refused_for_us(f"登录被拒绝：核对用户和口令（{said}）")
    if said.startswith(_NOT_THERE):
        return refused_for_us(f"{what} 不存在或没有权限：核对目录和授权（{said}）")
    return NotSent(f"服务器没有做成 {what}：{said}")


def _of_network(what: str, error: OSError) -> ConnectorError:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message
        return refused_for_us(f"服务器的证书不能信任（{why}）：核实后把它或签发者写进 ca_file")
    if isinstance(error, TimeoutError):
        return NotSent(f"服务器没有答复：{what}")
    return NotSent(f"连不上服务器：{of_system(error)}")


def _words(error: Exception) -> str:
    return reason(decoded(str(error).encode(_OCTETS, "replace"), ""))
