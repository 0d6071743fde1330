"""The arguments of aiokafka's clients: in the clear or by TLS, and by which kind of login."""

import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiokafka.abc import AbstractTokenProvider
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RequestTimedOutError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from connectors.shared.tls import tls_context
from connectors.shared.words import reason
from schemas.connection import KafkaConnection
from schemas.faults import NOT_LET_OUT


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


async def why_away(bootstrap: str, options: Mapping[str, Any]) -> Exception | None:
    """Return why no broker of an address can be reached, which aiokafka only logs.

    A trouble of one broker's own comes before what is wrong on our side. None: one answers.
    """
    found: list[Exception] = []
    for host, port, _ in collect_hosts(bootstrap):
        try:
            (await create_conn(host, port, **options)).close()
        except (KafkaError, OSError) as error:
            found.append(error)
        else:
            return None
    return min(found, key=is_ours, default=None)


def is_ours(error: BaseException) -> bool:
    """Whether an error of a connection is of names, TLS or our network: no trouble of a broker."""
    not_let_out = isinstance(error, OSError) and error.errno in NOT_LET_OUT
    return not_let_out or isinstance(error, socket.gaierror | ssl.SSLError)


#: What happened, by class; the most specific class of an error decides.
_SENTENCES: dict[type[BaseException], str] = {
    TopicAuthorizationFailedError: "没有使用这个主题的权限",
    ClusterAuthorizationFailedError: "没有使用这个集群的权限",
    GroupAuthorizationFailedError: "没有使用这个消费组的权限",
    SaslAuthenticationFailed: "Kafka 登录失败，检查用户、口令和登录方式",
    AuthenticationFailedError: "Kafka 登录失败，检查用户、口令和登录方式",
    UnknownTopicOrPartitionError: "Kafka 里没有这个主题",
    InvalidTopicError: "主题名不合规定",
    MessageSizeTooLargeError: "消息超过 Kafka 的上限",
    RecordListTooLargeError: "消息超过 Kafka 的上限",
    KafkaConnectionError: "连接不上 Kafka",
    KafkaTimeoutError: "Kafka 没有在时限内应答",
    RequestTimedOutError: "Kafka 没有在时限内应答",
    TimeoutError: "Kafka 没有在时限内应答",
    socket.gaierror: "Kafka 的主机名解析不出来",
    ssl.SSLCertVerificationError: "Kafka 的证书不能信任",
    ssl.SSLError: "与 Kafka 的 TLS 握手失败",
    OSError: "连接不上 Kafka",
}


def kafka_words(error: BaseException) -> str:
    """Return a sentence about an error of aiokafka."""
    kinds = type(error).__mro__
    said = next((_SENTENCES[kind] for kind in kinds if kind in _SENTENCES), "Kafka 报错")
    return reason(f"{said}（{type(error).__name__}）")
