"""Shared by all tables: the metadata, the one id sequence, time columns with a zone."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Sequence

metadata = MetaData()

gateway_id = Sequence("gateway_id", metadata=metadata)


def id_column() -> Column[int]:
    """Return the primary key column; `Ids` gives the values."""
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def time_column(name: str, *, null: bool = False) -> Column[object]:
    """Return a column for a time with a zone."""
    return Column(name, DateTime(timezone=True), nullable=null)
