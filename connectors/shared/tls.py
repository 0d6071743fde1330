"""TLS as a client: whose certificates we trust, and the certificate that we show."""

import ssl
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from schemas.base import Schema


class TlsFileError(ValueError):
    """A certificate or key cannot be used; the message names the setting, the file and the fix."""


class TlsFiles(Schema):
    """The files of a TLS connection, in PEM; without `ca_file` the system's CAs are trusted."""

    ca_file: Path | None = Field(default=None, title="对方证书的 CA 文件")
    certificate_file: Path | None = Field(default=None, title="本方证书文件")
    private_key_file: Path | None = Field(default=None, title="本方私钥文件")
    private_key_password: SecretStr | None = Field(default=None, title="本方私钥的口令")

    @model_validator(mode="after")
    def _key_of_a_certificate(self) -> Self:
        if self.certificate_file is None and self.private_key_file is not None:
            raise ValueError("写了 private_key_file 就要写 certificate_file")
        return self

    def context(self) -> ssl.SSLContext:
        """Return a context that checks the other side's certificate and its name.

        Raises:
            TlsFileError: a file cannot be read, or is not what it should be.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ValueError) as error:
            raise _unusable("ca_file", self.ca_file, error, "PEM 格式的 CA 证书") from None
        if self.certificate_file is not None:
            # Without a password OpenSSL would ask for it on the terminal, and wait.
            secret = self.private_key_password
            password = secret.get_secret_value() if secret else ""
            try:
                context.load_cert_chain(
                    self.certificate_file, self.private_key_file, lambda: password
                )
            except (OSError, ValueError) as error:
                wanted = "PEM 格式的证书和与它相配的私钥；私钥有口令的，写 private_key_password"
                raise _unusable("certificate_file", self.certificate_file, error, wanted) from None
        return context


def _unusable(setting: str, path: Path | None, error: Exception, wanted: str) -> TlsFileError:
    cause = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return TlsFileError(f"{setting}：{path} 不能用（{cause}）；应为{wanted}")
