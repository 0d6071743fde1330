"""Configuration of `file-drop`. [B] marks values that differ from platform to platform."""

from collections.abc import Iterator
from datetime import time, timedelta
from posixpath import normpath
from typing import Annotated, Literal, Self

import asyncssh
from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from connectors.shared.layout import Layout, SentColumn
from connectors.shared.layout_checks import fitting
from schemas.base import Schema
from schemas.connection import TlsFiles
from schemas.destination import TakenTable

#: A name of an element, of a column of the platform.
Element = Annotated[str, StringConstraints(pattern=r"^[^\W\d][\w.-]*$")]
#: A folder, without an end that is a slash.
Folder = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^(/|.*[^/])$")]
_PORTS = {"sftp": 22, "ftps": 21, "ftp": 21}


class Dispatch(Layout):
    """The files of one record kind: the number in their names, and the platform's columns [B]."""

    code: str = Field(pattern=r"^[0-9A-Za-z]{6}$", title="报文号：部门4位和表2位")
    columns: dict[SentColumn, Element] = Field(default={}, title="标准列名与平台列名，不写的同名")
    constants: dict[Element, str] = Field(default={}, title="固定值的列")
    key_column: Element | None = Field(default=None, title="携带本方标识的列")
    status_column: Element | None = Field(default=None, title="当前状态列")

    def beside(self) -> Iterator[tuple[str, str]]:
        """Yield the fixed columns, that of the status, and that of our key."""
        yield from super().beside()
        if self.key_column is not None:
            yield "key_column", self.key_column


class Answers(Schema):
    """The answer files 回执文件: an answer is named as its file, and has a row for each row [B]."""

    folder: Folder = Field(title="回执文件的目录")
    done_folder: Folder = Field(title="读过的回执文件移到哪个目录")
    key_field: Element | None = Field(default=None, title="本方标识的字段")
    document_field: Element = Field(default="CF_WSH", title="文书号的字段")
    code_field: Element = Field(default="code", title="结果代码的字段")
    message_field: Element = Field(default="message", title="说明的字段")
    accepted: frozenset[str] = Field(default=frozenset({"0", "200"}), title="表示入库的代码")
    only_errors: bool = Field(default=False, title="只列出错的行，没有列出的算入库")


class FileDropSettings(TlsFiles):
    """Configuration of a `file-drop` destination: files in a folder of the platform.

    Where natural persons get files of their own later, what corrects or withdraws earlier rows of
    them goes there, too, and those rows stay where they are: let the platform move them.
    """

    protocol: Literal["sftp", "ftps", "ftp"] = Field(title="传输方式；ftp 不加密")
    host: str = Field(min_length=1, title="主机")
    port: int | None = Field(default=None, ge=1, le=65535, title="端口")
    username: str = Field(min_length=1, title="用户")
    password: SecretStr | None = Field(default=None, title="口令")
    ssh_key_file: str | None = Field(default=None, min_length=1, title="SSH 私钥文件")
    ssh_key_password: SecretStr | None = Field(default=None, title="SSH 私钥的口令")
    #: As `ssh-keyscan HOST` prints it, without the name; compared by a person with the platform's.
    host_key: str | None = Field(default=None, title="SSH 主机密钥，如 ssh-ed25519 AAAA…")
    upload_folder: Folder = Field(default=".", title="上传目录")
    journal_folder: Folder = Field(default="journal", title="本方记录已传文件的目录")
    tables: Annotated[dict[TakenTable, Dispatch], AfterValidator(fitting)] = Field(
        min_length=1, title="报文，按记录种类"
    )
    answers: Answers | None = Field(default=None, title="回执文件")
    empty_day: time | None = Field(default=None, title="没有数据的日子，几点以后传一个空文件")
    batch_size: int = Field(default=5000, ge=1, le=5000, title="每个文件的条数")
    call_timeout: timedelta = Field(
        default=timedelta(seconds=60), ge=timedelta(seconds=3), title="单次调用时限"
    )

    @field_validator("host_key")
    @classmethod
    def _is_a_key(cls, key: str | None) -> str | None:
        if key is not None:
            try:
                asyncssh.import_public_key(key)
            except (asyncssh.KeyImportError, ValueError):
                raise ValueError(
                    "不是 SSH 公钥；应如 ssh-ed25519 AAAA…，用 ssh-keyscan 取得并与平台核对"
                ) from None
        return key

    @model_validator(mode="after")
    def _can_log_in(self) -> Self:
        if self.protocol == "sftp":
            if self.host_key is None:
                raise ValueError("sftp 要写 host_key：没有它，谁都可以冒充平台的服务器")
            if self.password is None and self.ssh_key_file is None:
                raise ValueError("sftp 要写 password 或 ssh_key_file")
        elif self.password is None:
            raise ValueError(f"{self.protocol} 要写 password")
        self._keep_folders_apart()
        codes = [table.code for table in self.tables.values()]
        if len(set(codes)) < len(codes):
            raise ValueError("tables：两个种类的报文号相同；文件会分不清")
        return self

    def _keep_folders_apart(self) -> None:
        """Refuse folders that are one: a file of ours would pass for an answer, or be collected."""
        folders = {"upload_folder": self.upload_folder, "journal_folder": self.journal_folder}
        if self.answers is not None:
            folders["answers.folder"] = self.answers.folder
            folders["answers.done_folder"] = self.answers.done_folder
        names: dict[str, str] = {}
        for name, folder in folders.items():
            other = names.setdefault(normpath(folder).lstrip("/"), name)
            if other != name:
                raise ValueError(f"{other} 和 {name} 是同一个目录 {folder}：各用一个目录")

    @property
    def place(self) -> tuple[str, int]:
        """The host and the port."""
        return self.host, self.port or _PORTS[self.protocol]
