"""Encrypted bytes of the store by the version of their key, to encrypt them again with another."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, unnest


@dataclass(frozen=True, slots=True)
class SealedRow:
    """The encrypted columns of one row; the first is None where only the other has a content."""

    id: int
    first: bytes | None
    second: bytes | None


class SealedTable:
    """A table with one or two encrypted columns, and an index of them by version and id."""

    def __init__(self, table: str, first: str, second: str | None = None) -> None:
        other = second or "null::bytea"
        has = f"and ({first} is not null or {other} is not null)" if second else ""
        self.read_rows = text(
            f"""
            select id, {first}, {other} from {table}
            where key_version = :version and id > :after {has} order by id limit :limit
            """
        )
        changed = f"{first} = n.first" + (f", {second} = n.second" if second else "")
        self.write_rows = text(
            f"""
            update {table} t set {changed}, key_version = :new
            from {unnest("id bigint, first bytea, second bytea", "n")}
            where t.id = n.id and t.key_version = :old
            """
        )

    async def read(
        self, connection: Connection, version: int, after: int, limit: int
    ) -> list[SealedRow]:
        """Return rows of this version of the key with an id above `after`, the lowest first."""
        values = {"version": version, "after": after, "limit": limit}
        return [SealedRow(*row) for row in await connection.execute(self.read_rows, values)]

    async def write(
        self, connection: Connection, rows: Sequence[SealedRow], old: int, new: int
    ) -> None:
        """Write rows encrypted with the key `new`, those that are of `old` still.

        It takes row locks only; nothing else changes these columns.
        """
        columns = arrays(("id", "first", "second"), [(r.id, r.first, r.second) for r in rows])
        values = {**columns, "old": old, "new": new}
        await connection.execute(self.write_rows, values)


VERSIONS = SealedTable("record_version", "secret", "unknown_columns")
QUARANTINE = SealedTable("quarantine", "bytes")
HAND_UPLOAD_FILES = SealedTable("hand_upload_file", "content")
