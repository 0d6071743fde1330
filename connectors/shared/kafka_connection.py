"""How a Kafka cluster is reached: in the clear or by TLS, and by which kind of login."""

from pathlib import Path
from typing import Any, Literal, Self

from aiokafka.abc import AbstractTokenProvider
from pydantic import Field, SecretStr, model_validator

from connectors.shared.tls import TlsFiles


class KafkaConnection(TlsFiles):
    """The settings of a connection, for intake and for destinations; secrets by reference."""

    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", title="连接方式"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        default="PLAIN", title="登录方式"
    )
    username: str | None = Field(default=None, title="用户")
    password: SecretStr | None = Field(default=None, title="口令")
    #: The file of a token that something else renews; it is read at each login.
    token_file: Path | None = Field(default=None, title="令牌文件（OAUTHBEARER）")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        sasl, tls = self.security_protocol.startswith("SASL"), self.security_protocol[-3:] == "SSL"
        bearer = self.sasl_mechanism == "OAUTHBEARER"
        if sasl and bearer and self.token_file is None:
            raise ValueError("sasl_mechanism 是 OAUTHBEARER，要写 token_file")
        if sasl and not bearer and (self.username is None or self.password is None):
            raise ValueError(
                f"security_protocol 是 {self.security_protocol}，要写 username、password"
            )
        if not sasl and (self.username or self.password or self.token_file):
            raise ValueError(
                "写了登录用户或令牌，security_protocol 应为 SASL_SSL 或 SASL_PLAINTEXT"
            )
        if not tls and (self.ca_file or self.certificate_file):
            raise ValueError("写了证书文件，security_protocol 应为 SSL 或 SASL_SSL")
        return self

    def client_options(self) -> dict[str, Any]:
        """Return the arguments of a client of aiokafka; raises TlsFileError."""
        tls = self.security_protocol in {"SSL", "SASL_SSL"}
        return {
            "security_protocol": self.security_protocol,
            "ssl_context": self.context() if tls else None,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password and self.password.get_secret_value(),
            "sasl_oauth_token_provider": self.token_file and _TokenOfFile(self.token_file),
        }


class _TokenOfFile(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """The token of a file as it is now: whoever renews it writes the file anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        return self._path.read_text(encoding="utf-8").strip()
