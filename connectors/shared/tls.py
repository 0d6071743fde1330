"""TLS as a client: whose certificates we trust, and the certificate that we show."""

import asyncio
import ssl

import aiohttp
from cryptography import x509

from connectors.shared.address_guard import is_public
from schemas.connection import TlsFiles
from schemas.faults import of_system

#: OpenSSL's SSL_OP_LEGACY_SERVER_CONNECT, which Python names from 3.12 on.
_LEGACY_SERVER_CONNECT = 0x4


class TlsFileError(ValueError):
    """A certificate or key cannot be used; the message names the setting, the file and the fix."""

    def __init__(self, setting: str, fault: str) -> None:
        super().__init__(f"{setting}：{fault}")
        self.setting = setting


def tls_context(files: TlsFiles) -> ssl.SSLContext:
    """Return a context that checks the other side's certificate and its name.

    Raises:
        TlsFileError: a file cannot be read, or is not what it should be.
    """
    try:
        context = ssl.create_default_context(cafile=files.ca_file)
    except (OSError, ValueError) as error:
        raise _unusable("ca_file", files.ca_file, error, "PEM 格式的 CA 证书") from None
    # Python 3.13 asks for extensions that many private CAs of public bodies do not write.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if files.allow_old_tls:
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.options |= _LEGACY_SERVER_CONNECT
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
    said = of_system(error) if isinstance(error, OSError) else str(error)
    cause = getattr(error, "reason", None) or said
    return TlsFileError(setting, f"{path} 不能用（{cause}）；应为{wanted}")


#: The error of a connection whose certificate is not trusted.
UNTRUSTED = aiohttp.ClientConnectorCertificateError
#: Seconds for looking at a certificate that was not trusted.
_LOOK = 3.0
#: OpenSSL's codes of verification.
_WHY = {
    9: "尚未生效",
    10: "已经过期",
    18: "是自签名的；核实后把它写进 ca_file",
    19: "由本方不信任的 CA 签发；核实后把该 CA 的证书写进 ca_file",
    20: "由本方不信任的 CA 签发；核实后把该 CA 的证书写进 ca_file",
    21: "由本方不信任的 CA 签发；核实后把该 CA 的证书写进 ca_file",
    23: "已被吊销",
    62: "不是发给这个主机名的；核对接口地址",
    64: "不是发给这个地址的；核对接口地址",
}


async def untrusted_words(error: UNTRUSTED, *, allow_private: bool) -> str:
    """Return in Chinese which certificate is not trusted, whose it is, and why."""
    cause = error.certificate_error
    why = _WHY.get(getattr(cause, "verify_code", 0), getattr(cause, "verify_message", ""))
    whose = f"{error.host}:{error.port} 的证书"
    try:
        async with asyncio.timeout(_LOOK):
            port = error.port or 443
            shown = await _shown_certificate(error.host, port, allow_private=allow_private)
    except (OSError, TimeoutError, ValueError):
        return f"{whose}不能信任：{why}"
    until = f"{shown.not_valid_after_utc:%Y-%m-%d}"
    about = f"签发给 {_name(shown.subject)}，签发者 {_name(shown.issuer)}，有效期至 {until}"
    return f"{whose}（{about}）不能信任：{why}"


async def _shown_certificate(host: str, port: int, *, allow_private: bool) -> x509.Certificate:
    """Return the certificate that a server shows; nothing is sent to it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        if not (allow_private or is_public(writer.get_extra_info("peername")[0])):
            raise ValueError(host)
        found = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(found)
    finally:
        writer.close()


def _name(name: x509.Name) -> str:
    return name.rfc4514_string()[:200] or "（空）"
