"""The settings of every destination that is reached over HTTP."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import urlencode, urlsplit, urlunsplit

from pydantic import (
    AfterValidator,
    Field,
    IPvAnyAddress,
    SecretStr,
    field_validator,
    model_validator,
)

from connectors.shared.guomi_settings import GuomiSettings, HeaderName
from schemas.base import Schema
from schemas.connection import TlsFiles

_FITS_A_HEADER = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")


def _fits_a_header(secret: SecretStr) -> SecretStr:
    if not _FITS_A_HEADER.fullmatch(secret.get_secret_value()):
        raise ValueError("密钥只能有字母、数字和符号，前后没有空格和换行")
    return secret


#: A secret that goes into a header of each call.
HeaderSecret = Annotated[SecretStr, AfterValidator(_fits_a_header)]


class LoginSettings(Schema):
    """A login before the calls: it is made again once, when an answer says that it has ended."""

    url: str = Field(title="登录地址")
    body: Mapping[str, SecretStr] = Field(title="登录请求的字段")
    #: Where the token is in the answer; None: the login lives in cookies.
    token_path: str | None = Field(default="token", title="令牌在应答里的位置")
    header: HeaderName = Field(default="Authorization", title="令牌的请求头")
    prefix: str = Field(default="Bearer ", title="令牌前的文字")


class HttpClientSettings(TlsFiles):
    """The settings of every destination that is reached over HTTP."""

    url: str = Field(title="接口地址")
    batch_size: int = Field(default=1, ge=1, le=5000, title="每批条数")
    concurrency: int = Field(default=4, ge=1, le=256, title="并发数")
    call_timeout: timedelta = Field(
        default=timedelta(seconds=30), gt=timedelta(0), title="单次调用时限"
    )
    allow_private: bool = Field(default=False, title="允许内网地址")
    #: For platforms that let in registered addresses only, where this host has several.
    source_address: IPvAnyAddress | None = Field(default=None, title="从本机的哪个地址发出")
    #: Limit in bytes; a longer answer is not read to its end, and the outcome is unknown.
    max_answer: int = Field(default=32 * 1024 * 1024, ge=1, title="应答上限（字节）")
    login: LoginSettings | None = Field(default=None, title="登录")
    guomi: GuomiSettings | None = Field(default=None, title="国密：摘要、签名、加密 [B]")
    #: Only this certificate is trusted, whoever issued it and whatever its name.
    certificate_sha256: str | None = Field(
        default=None,
        pattern=r"(?i)^[0-9a-f]{2}(:?[0-9a-f]{2}){31}$",
        title="对方证书的 SHA-256 指纹",
    )

    @field_validator("url")
    @classmethod
    def _plain_url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            _ = parts.port
        except ValueError:
            raise ValueError("地址的主机或端口写错了") from None
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("应为 http 或 https 地址")
        if parts.username or parts.password:
            raise ValueError("地址里不能有用户名和密码")
        return value

    @model_validator(mode="after")
    def _one_kind_of_trust(self) -> Self:
        if self.certificate_sha256 and (self.ca_file or self.certificate_file):
            raise ValueError("写了 certificate_sha256，就不能再写 ca_file 或 certificate_file")
        return self


def under(url: str, path: str, **query: str) -> str:
    """Return the URL of a path under a base URL; the query of the base stays, and more is added."""
    parts = urlsplit(url)
    joined = f"{parts.path.rstrip('/')}/{path}" if path else parts.path
    queries = "&".join(filter(None, (parts.query, urlencode(query))))
    return urlunsplit((parts.scheme, parts.netloc, joined, queries, ""))
