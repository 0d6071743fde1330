"""Foreign errors of an HTTP call, translated once.

The aiohttp transport of httpx reports every lost connection as `httpx.ConnectTimeout`, also one
lost after the body had left. Only the aiohttp error behind it can tell, so the cause is asked
first and `ConnectTimeout` by itself proves nothing.
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

#: Foreign error → ours; the most specific class of an error decides.
TRANSLATION: dict[type[BaseException], type[ConnectorError]] = {
    **dict.fromkeys(_NEVER_LEFT, NotSent),
    **dict.fromkeys(_MAY_HAVE_LEFT, OutcomeUnknown),
    OSError: OutcomeUnknown,
}

#: What a call may throw; everything else is a fault of ours and is not hidden.
FOREIGN: tuple[type[Exception], ...] = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpx.CookieConflict,
    aiohttp.ClientError,
    OSError,
)


def translation_of(error: type[BaseException]) -> type[ConnectorError] | None:
    """Find what a class of foreign errors means, or None where the table does not name it."""
    return next((TRANSLATION[base] for base in error.__mro__ if base in TRANSLATION), None)


def translated(error: BaseException) -> ConnectorError:
    """Make our error of a foreign one; what is not known to have stayed here may have left."""
    cause = error.__cause__
    known = translation_of(type(cause)) if isinstance(cause, FOREIGN) else None
    meaning = known or translation_of(type(error)) or OutcomeUnknown
    return meaning(_words(cause or error))


def _words(error: BaseException) -> str:
    """Name an error; behind a failure to connect stands the error of the system."""
    behind = getattr(error, "os_error", None)
    inner = f" ({behind})" if behind is not None else ""
    return f"{type(error).__name__}: {error}{inner}"[:300]
