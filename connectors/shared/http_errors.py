"""Translate the errors of httpx and aiohttp into connector errors.

The aiohttp transport of httpx reports every lost connection as `httpx.ConnectTimeout`, even if
the body was already sent. Only the aiohttp error that caused it tells the difference, so the
cause is translated first, and `ConnectTimeout` alone means OutcomeUnknown.
"""

import ssl

import aiohttp
import httpx

from connectors.errors import ConnectorError, NotSent, OutcomeUnknown
from connectors.shared.address_guard import AddressRefused
from schemas.faults import NETWORK, NOT_LET_OUT

_NEVER_LEFT: tuple[type[Exception], ...] = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    httpx.ConnectError,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)

_MAY_HAVE_LEFT: tuple[type[Exception], ...] = (
    aiohttp.ClientConnectionError,
    aiohttp.ClientResponseError,
    aiohttp.ClientPayloadError,
    aiohttp.client_exceptions.RedirectClientError,
    aiohttp.client_exceptions.UploadAbortedError,
    httpx.ConnectTimeout,
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.ProxyError,
    httpx.LocalProtocolError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
    httpx.TooManyRedirects,
    httpx.HTTPStatusError,
    httpx.TimeoutException,
    httpx.StreamError,
    httpx.CookieConflict,
    httpx.InvalidURL,  # of ours it is told before the call
)

#: What is wrong on our side, or must be settled between both.
_OURS: tuple[type[Exception], ...] = (
    aiohttp.ClientConnectorDNSError,
    aiohttp.ClientConnectorCertificateError,
    aiohttp.ClientConnectorSSLError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
    httpx.InvalidURL,
)

#: Library error → connector error; the most specific class of an error decides.
TRANSLATION: dict[type[BaseException], type[ConnectorError]] = {
    **dict.fromkeys(_NEVER_LEFT, NotSent),
    **dict.fromkeys(_MAY_HAVE_LEFT, OutcomeUnknown),
    OSError: OutcomeUnknown,
    UnicodeError: OutcomeUnknown,
}

#: The errors that a call may raise; any other error is a bug of this project and is not caught.
FOREIGN: tuple[type[Exception], ...] = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
    aiohttp.ClientError,
    OSError,
    UnicodeError,
)


def translation_of(error: type[BaseException]) -> type[ConnectorError] | None:
    """Return the connector error for a class of library errors, or None if not in the table."""
    return next((TRANSLATION[base] for base in error.__mro__ if base in TRANSLATION), None)


def translated(error: BaseException) -> ConnectorError:
    """Return the connector error for a library error; an unknown error means OutcomeUnknown."""
    cause = error.__cause__
    known = translation_of(type(cause)) if isinstance(cause, FOREIGN) else None
    meaning = known or translation_of(type(error)) or OutcomeUnknown
    made = meaning(_words(cause or error))
    made.theirs = not _is_ours(cause or error)
    return made


def _is_ours(error: BaseException) -> bool:
    behind = getattr(error, "os_error", None)  # of what is connected already it says nothing
    not_let_out = isinstance(behind, OSError) and behind.errno in NOT_LET_OUT
    return not_let_out or isinstance(error, _OURS) or isinstance(behind, AddressRefused)


#: What happened, by class; the most specific class of an error decides. The library's own words are
#: English, and quote what the other side wrote, which may be our own request with its secrets.
_SENTENCES: dict[type[BaseException], str] = {
    aiohttp.ClientConnectorDNSError: "对方的主机名解析不出来",
    aiohttp.ClientConnectorCertificateError: "对方的证书不能信任",
    aiohttp.ClientConnectorSSLError: "与对方的 TLS 握手失败",
    aiohttp.ClientConnectorError: "连接不上对方",
    aiohttp.ConnectionTimeoutError: "连接对方超时",
    aiohttp.ServerTimeoutError: "对方没有在时限内应答",
    aiohttp.ServerFingerprintMismatch: "对方的证书不是约定的那一张",
    aiohttp.ServerDisconnectedError: "对方没有应答就断开了连接",
    aiohttp.ClientOSError: "与对方的连接中断",
    aiohttp.ClientPayloadError: "对方的应答不完整",
    aiohttp.ClientResponseError: "对方的应答不是有效的 HTTP",
    aiohttp.InvalidURL: "地址写错了",
    httpx.UnsupportedProtocol: "地址写错了",
    httpx.PoolTimeout: "等不到空闲的连接",
    httpx.ConnectError: "连接不上对方",
    httpx.ConnectTimeout: "连接对方超时",
    httpx.TimeoutException: "对方没有在时限内应答",
    UnicodeError: "对方的应答不是有效的 HTTP",
    OSError: "与对方的连接中断",
}
_OLD = "对方只会旧版 TLS；确要连接，在该对象的 settings 里写 allow_old_tls: true"
_RESET = f"对方在 TLS 握手时断开。{_OLD}；或者对方要看本方的证书：写 certificate_file"
#: Parts of OpenSSL's reasons.
_TLS_CAUSES = {
    "UNSAFE_LEGACY_RENEGOTIATION": _OLD,
    "UNSUPPORTED_PROTOCOL": _OLD,
    "PROTOCOL_VERSION": _OLD,
    "LEGACY_SIGALG": _OLD,
    "KEY_TOO_SMALL": _OLD,
    "MD_TOO_WEAK": _OLD,
    "WRONG_VERSION_NUMBER": "对方的这个端口不是 HTTPS；核对接口地址",
    "HTTP_REQUEST": "对方的这个端口不是 HTTPS；核对接口地址",
    "CERTIFICATE_REQUIRED": "对方要看本方的证书；写 certificate_file",
    "HANDSHAKE_FAILURE": "没有双方都会的加密方式，或对方要看本方的证书",
}


def _words(error: BaseException) -> str:
    """Return a sentence about an error, with what the system said of it."""
    said = next(
        (_SENTENCES[base] for base in type(error).__mro__ if base in _SENTENCES), "网络出错"
    )
    behind = getattr(error, "os_error", None) or error
    if isinstance(behind, AddressRefused):
        return str(behind)
    cause = NETWORK.get(getattr(behind, "errno", None) or 0)
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(behind, ConnectionResetError):
        cause = _RESET  # a connection is made, or refused; what resets it is the handshake
    if isinstance(behind, ssl.SSLError):
        named = f"{getattr(behind, 'reason', None) or behind}".upper().replace(" ", "_")
        cause = next((words for part, words in _TLS_CAUSES.items() if part in named), cause)
    return f"{said}：{cause}" if cause else said
