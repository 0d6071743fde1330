"""Notices 通知: the conditions that last, and who was told of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection

_ALL = text("select key, title, since, silent, told from notice order by since, key")
_BEGIN = text(
    """
    insert into notice (key, title, since, silent) values (:key, :title, :now, :silent)
    on conflict (key) do nothing
    """
)
_TELL = text(
    """
    update notice set told = array_append(told, :name)
    where key = :key and not (:name = any(told))
    """
)
_UNTELL = text("update notice set told = array_remove(told, :name) where key = :key")
_END = text(
    """
    delete from notice where key = any(cast(:keys as text[]))
      and (silent or not told && cast(:contacts as text[]))
    """
)


async def notices(connection: Connection) -> list[Any]:
    """Return all (key, title, since, silent, told), the oldest first."""
    return list(await connection.execute(_ALL))


async def begin(
    connection: Connection, key: str, title: str, now: datetime, *, silent: bool
) -> None:
    """Note that a condition began."""
    await connection.execute(_BEGIN, {"key": key, "title": title, "now": now, "silent": silent})


async def tell(connection: Connection, key: str, name: str, *, over: bool) -> None:
    """Note that a contact was told of a condition, or that it is over."""
    await connection.execute(_UNTELL if over else _TELL, {"key": key, "name": name})


async def end(connection: Connection, keys: Sequence[str], contacts: Sequence[str]) -> None:
    """Forget conditions that are over, and of which none of these contacts is to be told that."""
    await connection.execute(_END, {"keys": list(keys), "contacts": list(contacts)})
