"""Settings of connections: certificates, and how a Kafka cluster is reached."""

from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from schemas.base import Schema


class TlsFiles(Schema):
    """The files of a TLS connection, in PEM; without `ca_file` the system's CAs are trusted."""

    ca_file: str | None = Field(default=None, min_length=1, title="对方证书的 CA 文件")
    certificate_file: str | None = Field(default=None, min_length=1, title="本方证书文件")
    private_key_file: str | None = Field(default=None, min_length=1, title="本方私钥文件")
    private_key_password: SecretStr | None = Field(default=None, title="本方私钥的口令")
    #: TLS 1.0 and 1.1, short keys, and servers without secure renegotiation, as in old intranets.
    allow_old_tls: bool = Field(default=False, title="允许旧版 TLS")

    @model_validator(mode="after")
    def _key_of_a_certificate(self) -> Self:
        if self.certificate_file is None and self.private_key_file is not None:
            raise ValueError("写了 private_key_file 就要写 certificate_file")
        return self


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
    token_file: str | None = Field(default=None, min_length=1, title="令牌文件（OAUTHBEARER）")

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
