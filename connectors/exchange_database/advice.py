"""What a check tells of tables that work now and make trouble later."""

from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, inspect
from sqlalchemy.exc import SQLAlchemyError

from connectors.exchange_database.rows import Staging
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.kinds import KINDS


def advice(connection: Connection, tables: Mapping[str, Staging]) -> list[str]:
    """Return sentences for who configures the tables, by record kind."""
    return [words for kind, place in tables.items() for words in _of(connection, kind, place)]


def _of(connection: Connection, kind: str, place: Staging) -> Iterator[str]:
    settings = place.settings
    theirs = {column.name.lower() for column in place.table.columns}
    lacking = [
        wire
        for wire in _standard(kind)
        if wire not in settings.left_out and settings.theirs(wire).lower() not in theirs
    ]
    if lacking:
        yield (
            f"表 {settings.name} 没有标准列 {'、'.join(lacking)}，有这些内容的行会一直等着："
            "在 columns 里写它们的名字，或写进 left_out"
        )
    if not _is_unique(connection, place):
        yield (
            f"表 {settings.name} 的标识列 {settings.key_column} 没有唯一索引，"
            "提交没有答复时可能重复：请平台加上"
        )


def _standard(kind: str) -> list[str]:
    if kind not in KINDS:  # a change of grade
        return []
    return [column.wire for column in columns_of(KINDS[RecordKind(kind)].model)]


def _is_unique(connection: Connection, place: Staging) -> bool:
    """Whether the database lets no second row have the same key; a view cannot say it."""
    inspector, table = inspect(connection), place.table
    try:
        found = [
            one["column_names"]
            for one in inspector.get_indexes(table.name, table.schema)
            if one["unique"]
        ]
        found.append(
            list(inspector.get_pk_constraint(table.name, table.schema)["constrained_columns"])
        )
    except (SQLAlchemyError, NotImplementedError):
        return True
    return [place.column(place.settings.key_column).name] in found
