"""The address of the database, by the names of libpq where it has any."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from gateway.config.errors import BadConfiguration

#: Which of several hosts is wanted.
HOST_WANTED = "target_session_attrs"
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
#: One setting of the server in `options`: -c name=value.
_OPTION = re.compile(r"-c\s*(\w+(?:\.\w+)*)=(\S+)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is, and how it is spoken to.

    With `pooled`, a pooler such as PgBouncer gives each transaction another server, so that nothing
    of a session may be kept. `settings` are those of the server for this connection, and
    `arguments` are those of the driver.
    """

    url: URL
    pooled: bool
    settings: Mapping[str, str]
    arguments: Mapping[str, Any]


def read_address(url: str) -> Address:
    """Read `postgresql://user:password@host:port/name?…`.

    Errors do not show the address, because it contains a password.

    Raises:
        BadConfiguration: it is no address of PostgreSQL, or has an option that we do not know.
    """
    try:
        address = make_url(url)
        if address.get_backend_name() != "postgresql" or (address.port or 1) not in range(1, 65536):
            raise ValueError
    except (ArgumentError, ValueError):
        raise BadConfiguration(
            "database_url：应写成 postgresql://用户:密码@主机:端口/库名；"
            "密码里的 @ : / 写成 %40 %3A %2F"
        ) from None
    query = dict(address.query)
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    pooler = str(query.pop("pooler", "none"))
    settings = _settings(query)
    arguments = {name: query.pop(name) for name in (HOST_WANTED,) if name in query}
    if isinstance(query.get("host"), tuple):  # a standby that is named first takes no writes
        arguments.setdefault(HOST_WANTED, "primary")
    _refuse_others(query, pooler)
    return Address(
        address.set(drivername="postgresql+asyncpg", query=query),
        pooler == "transaction",
        settings,
        arguments,
    )


def _settings(query: dict[str, Any]) -> dict[str, str]:
    """Take the settings of the server out of a query."""
    options = str(query.pop("options", ""))
    if _OPTION.sub("", options).strip():
        raise BadConfiguration("database_url：options 应写成 -c 名称=值，可以写几个")
    settings = dict(_OPTION.findall(options))
    if "application_name" in query:
        settings["application_name"] = str(query.pop("application_name"))
    return settings


def _refuse_others(query: Mapping[str, Any], pooler: str) -> None:
    wrong = sorted(query.keys() - {"host", "ssl"})
    if query.get("ssl", "prefer") not in _SSL_MODES:
        wrong.append("sslmode")
    if pooler not in {"none", "transaction"}:
        wrong.append("pooler")
    if wrong:
        modes = "、".join(sorted(_SSL_MODES))
        raise BadConfiguration(
            f"database_url：{'、'.join(wrong)} 不能用；问号后只能有 host、sslmode（{modes}）、"
            "options（-c 名称=值）、application_name、target_session_attrs、"
            "pooler（transaction：经 PgBouncer 的事务模式连接）"
        )
