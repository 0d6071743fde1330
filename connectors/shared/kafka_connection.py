"""The arguments of aiokafka's clients: in the clear or by TLS, and by which kind of login."""

from pathlib import Path
from typing import Any

from aiokafka.abc import AbstractTokenProvider

from connectors.shared.tls import tls_context
from schemas.connection import KafkaConnection


def client_options(connection: KafkaConnection) -> dict[str, Any]:
    """Return the arguments of a client of aiokafka; raises TlsFileError."""
    tls = connection.security_protocol in {"SSL", "SASL_SSL"}
    password = connection.password
    return {
        "security_protocol": connection.security_protocol,
        "ssl_context": tls_context(connection) if tls else None,
        "sasl_mechanism": connection.sasl_mechanism,
        "sasl_plain_username": connection.username,
        "sasl_plain_password": password and password.get_secret_value(),
        "sasl_oauth_token_provider": connection.token_file and _TokenOfFile(connection.token_file),
    }


class _TokenOfFile(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """The token of a file as it is now: whoever renews it writes the file anew."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    async def token(self) -> str:
        return self._path.read_text(encoding="utf-8").strip()
