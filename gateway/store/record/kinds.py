"""The configured kinds of records 信息种类 that a database has seen."""

from collections.abc import Iterable

from sqlalchemy import text

from gateway.config.errors import BadConfiguration
from gateway.store.base.engine import Connection
from gateway.store.base.statements import unnest
from schemas.kinds import Kind

_SEEN = text("select name, title, keys from record_kind order by name")
_USED = text(
    "select exists (select from decision where kind = :kind)"
    " or exists (select from quarantine where kind = :kind)"
)
_NOTE = text(
    f"""
    insert into record_kind (name, title, keys)
    select t.name, t.title, string_to_array(t.keys, ' ')
    from {unnest("name text, title text, keys text")}
    on conflict (name) do update set title = excluded.title, keys = excluded.keys
    """
)


async def require(connection: Connection, kinds: Iterable[Kind]) -> None:
    """Refuse a configuration that does not know the records of the database as they are known.

    Raises:
        BadConfiguration: a kind with records is not configured, or is known by other columns.
    """
    configured = {str(kind.name): kind for kind in kinds if kind.configured}
    for name, title, keys in await connection.execute(_SEEN):
        kind = configured.get(name)
        if kind is not None and _keys(kind) == keys:
            continue
        if not await connection.scalar(_USED, {"kind": name}):
            continue
        if kind is None:
            raise BadConfiguration(
                f"kinds：库里有 {name}（{title}）的记录，配置里却没有这个种类；写回 kinds"
            )
        raise BadConfiguration(
            f"kinds {name}：库里的记录按列 {'、'.join(keys)} 认，配置改成了 "
            f"{'、'.join(_keys(kind))}，同一件会记成两件；改回原来的列，或另起一个 name"
        )


async def note(connection: Connection, kinds: Iterable[Kind]) -> None:
    """Note the configured kinds."""
    configured = [kind for kind in kinds if kind.configured]
    values = {
        "name": [kind.name for kind in configured],
        "title": [kind.title for kind in configured],
        "keys": [" ".join(_keys(kind)) for kind in configured],
    }
    await connection.execute(_NOTE, values)


def _keys(kind: Kind) -> list[str]:
    """Return the columns by which a record is known: its number or keys, authority and subject."""
    return [*map(kind.column, kind.keys), kind.authority_column, kind.column("credit_code")]
