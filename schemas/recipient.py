"""Recipient of ledgers 台账接收方 as configured: a folder, a mail box, or who downloads it."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from schemas.base import Schema
from schemas.connection import TlsFiles


class MailBox(TlsFiles):
    """How a mail reaches one address, by the mail server of the bureau."""

    host: str = Field(min_length=1)
    port: int = Field(default=465, ge=1, le=65535)
    security: Literal["tls", "starttls", "none"] = "tls"
    username: str | None = None
    password: SecretStr | None = None
    sender: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")
    to: str = Field(pattern=r"^[^@\s]+@[^@\s]+$")

    @model_validator(mode="after")
    def _whole_login(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username 和 password 要写就都写")
        if self.username is not None and self.security == "none":
            raise ValueError("security 是 none，不能登录：口令会明文传送")
        return self


class Recipient(Schema):
    """Who gets each frozen ledger; without a folder or a mail box, who downloads it by HTTP."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    title: str
    folder: str | None = Field(default=None, min_length=1)
    mail: MailBox | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.folder is not None and self.mail is not None:
            raise ValueError("folder 和 mail 只写一个；都不写的，由对方下载")
        return self

    @property
    def is_sent(self) -> bool:
        """Whether we send it; otherwise it waits to be downloaded."""
        return self.folder is not None or self.mail is not None
