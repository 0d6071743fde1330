"""Translate the errors of httpx and aiohttp into connector errors.

The aiohttp transport of httpx reports every lost connection as `httpx.ConnectTimeout`, even if
the body was already sent. Only the aiohttp error that caused it tells the difference, so the
cause is translated first, and `ConnectTimeout` alone means OutcomeUnknown.
"""

import aiohttp
import httpx

from connectors.errors import ConnectorError, NotSent, OutcomeUnknown

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
    httpx.InvalidURL,
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
    return meaning(_words(cause or error))


#: Errors whose words are ours or the system's. Others quote what the other side wrote, which may be
#: our own request, with its secrets and identity numbers.
_TELLING: tuple[type[Exception], ...] = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    OSError,
    httpx.ConnectError,
    httpx.TimeoutException,
)


def _words(error: BaseException) -> str:
    """Return an error as text, with the system error behind a failure to connect."""
    if not isinstance(error, _TELLING):
        return type(error).__name__
    behind = getattr(error, "os_error", None)
    inner = f" ({behind})" if behind is not None else ""
    return f"{type(error).__name__}: {error}{inner}"[:300]
