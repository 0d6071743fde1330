"""A folder by SFTP: the key of the host is checked, nothing of the user's own SSH is used."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncssh

from connectors.errors import CallRejected, NotSent, OutcomeUnknown, refused_for_us
from connectors.file_drop.settings import FileDropSettings
from connectors.shared.words import reason
from schemas.base import storable
from schemas.faults import of_system

#: Seconds between two signs of life, and how many may be missed.
_ALIVE, _MISSED = 10, 3
_REFUSED = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPPermissionDenied)
_LOGIN = (
    asyncssh.HostKeyNotVerifiable,
    asyncssh.KeyExchangeFailed,
    asyncssh.PermissionDenied,
    asyncssh.KeyImportError,
    asyncssh.KeyEncryptionError,
)
_LOST = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)


class _Login(asyncssh.SSHClient):
    """Gives the password also to a server that asks for it by a question, in any language."""

    def __init__(self, password: str | None) -> None:
        self._unsaid = password

    def kbdint_auth_requested(self) -> str | None:
        """Answer questions once: a second time the password would be wrong again."""
        return None if self._unsaid is None else ""

    def kbdint_challenge_received(
        self, name: str, instructions: str, lang: str, prompts: Sequence[tuple[str, bool]]
    ) -> list[str] | None:
        """Return the password if that is what one hidden question asks for."""
        del name, instructions, lang
        if not prompts:
            return []
        [(_, shown), *others] = prompts
        password, self._unsaid = self._unsaid, None
        return None if shown or others or password is None else [password]


class Sftp:
    """The files of an account."""

    def __init__(self, client: asyncssh.SFTPClient) -> None:
        self._client = client

    async def names(self, folder: str) -> list[str]:
        """Return the names of the files in a folder."""
        with _told(folder):
            entries = await self._client.readdir(folder)
            return [str(one.filename) for one in entries if one.filename not in {".", ".."}]

    async def size(self, path: str) -> int:
        """Return the size of a file in bytes."""
        with _told(path):
            return (await self._client.stat(path)).size or 0

    async def read(self, path: str, most: int) -> bytes:
        """Return a file; raises CallRejected if it is larger."""
        with _told(path):
            async with self._client.open(path, "rb", encoding=None) as file:
                data: bytes = await file.read(most + 1)
        if len(data) > most:
            raise CallRejected(f"{path} 大于 {most} 字节，不读")
        return data

    async def write(self, path: str, data: bytes) -> None:
        """Write a file."""
        with _told(path):
            async with self._client.open(path, "wb", encoding=None) as file:
                await file.write(data)

    async def rename(self, path: str, to: str) -> None:
        """Rename a file at once; raises OutcomeUnknown if the answer is lost."""
        try:
            with _told(path):
                await self._client.rename(path, to)
        except NotSent as error:
            if isinstance(error.__cause__, (asyncssh.DisconnectError, OSError, *_LOST)):
                raise OutcomeUnknown(f"文件改名没有答复：{error}") from error
            raise

    async def remove(self, path: str) -> None:
        """Delete a file."""
        with _told(path):
            await self._client.remove(path)

    async def make(self, folder: str) -> None:
        """Make a folder, which may be there already."""
        with _told(folder):
            await self._client.makedirs(folder, exist_ok=True)

    async def make_folder(self, folder: str) -> None:
        """Make a folder, which must not be there."""
        with _told(folder):
            await self._client.mkdir(folder)

    async def remove_folder(self, folder: str) -> None:
        """Delete an empty folder."""
        with _told(folder):
            await self._client.rmdir(folder)


@asynccontextmanager
async def opened(settings: FileDropSettings) -> AsyncIterator[Sftp]:
    """Open a connection for the block; raises NotSent or CallRejected."""
    host, port = settings.place
    seconds = settings.call_timeout.total_seconds() / 3
    with _told(host):
        connection = await asyncssh.connect(host, port, options=_options(settings, seconds))
    try:
        with _told(host):
            client = await connection.start_sftp_client(path_errors="surrogateescape")
        yield Sftp(client)
    finally:
        connection.abort()


def _options(settings: FileDropSettings, seconds: float) -> asyncssh.SSHClientConnectionOptions:
    key = asyncssh.import_public_key(settings.host_key or "")
    given: dict[str, Any] = {}
    if settings.ssh_key_file is not None:
        secret = settings.ssh_key_password
        given["client_keys"] = [settings.ssh_key_file]
        given["passphrase"] = None if secret is None else secret.get_secret_value()
    else:
        given["client_keys"] = None
    word = settings.password.get_secret_value() if settings.password is not None else None
    return asyncssh.SSHClientConnectionOptions(
        known_hosts=([key], [], []),
        server_host_key_algs=_algorithms(key.get_algorithm()),
        username=settings.username,
        password=word,
        client_factory=lambda: _Login(word),
        agent_path=None,
        config=[],
        connect_timeout=seconds,
        login_timeout=seconds,
        keepalive_interval=_ALIVE,
        keepalive_count_max=_MISSED,
        **given,
    )


def _algorithms(algorithm: str) -> list[str]:
    """Return how a key of a host may sign: an RSA key also by the newer hashes."""
    return ["rsa-sha2-512", "rsa-sha2-256"] if algorithm == "ssh-rsa" else [algorithm]


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Translate the errors of the library; `what` is the path or host that they are about."""
    what = storable(what)
    try:
        yield
    except _LOGIN as error:
        raise refused_for_us(_login_words(error)) from error
    except _REFUSED as error:
        raise refused_for_us(
            f"{what} 不存在或没有权限：核对目录和授权（{reason(error.reason)}）"
        ) from error
    except asyncssh.Error as error:
        raise NotSent(f"服务器没有做成 {what}：{reason(error.reason)}") from error
    except TimeoutError as error:
        raise NotSent(f"服务器没有答复：{what}") from error
    except OSError as error:
        if error.filename is not None:  # a file of ours
            raise refused_for_us(f"{error.filename} 读不出来：{of_system(error)}") from error
        raise NotSent(f"连不上服务器：{of_system(error)}") from error


def _login_words(error: Exception) -> str:
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return "服务器的主机密钥与 host_key 不符：核对后再改配置，可能有人冒充"
    if isinstance(error, asyncssh.KeyExchangeFailed):
        words = "服务器没有 host_key 那一种主机密钥，或没有共同的算法：用 ssh-keyscan 核对"
        return f"{words}（{reason(error.reason)}）"
    if isinstance(error, (asyncssh.KeyImportError, asyncssh.KeyEncryptionError)):
        words = "ssh_key_file 读不懂，或 ssh_key_password 不对；带口令的私钥要用 PKCS8 格式"
        return f"{words}：ssh-keygen -p -m PKCS8 -f 私钥文件（{reason(str(error))}）"
    return f"登录被拒绝：核对用户、口令和私钥（{reason(str(error))}）"
