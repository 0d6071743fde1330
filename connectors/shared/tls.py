"""TLS as a client: whose certificates we trust, and the certificate that we show."""

import ssl

from schemas.connection import TlsFiles


class TlsFileError(ValueError):
    """A certificate or key cannot be used; the message names the setting, the file and the fix."""


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Return a context that checks the other side's certificate and its name.

    Raises:
        TlsFileError: a file cannot be read, or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=files.ca_file)
    except (OSError, ValueError) as error:
        raise _unusable("ca_file", files.ca_file, error, "PEM 格式的 CA 证书") from None
    if files.certificate_file is not None:
        # Without a password OpenSSL would ask for it on the terminal, and wait.
        secret = files.private_key_password
        password = secret.get_secret_value() if secret else ""
        try:
            context.load_cert_chain(
                files.certificate_file, files.private_key_file, lambda: password
            )
        except (OSError, ValueError) as error:
            wanted = "PEM 格式的证书和与它相配的私钥；私钥有口令的，写 private_key_password"
            raise _unusable("certificate_file", files.certificate_file, error, wanted) from None
    return context


def _unusable(setting: str, path: str | None, error: Exception, wanted: str) -> TlsFileError:
    cause = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return TlsFileError(f"{setting}：{path} 不能用（{cause}）；应为{wanted}")
