"""Shared by all tables: the metadata, the one id sequence, time columns with a zone."""

from sqlalchemy import BigInteger, Column, DateTime, Index, MetaData, Sequence

metadata = MetaData()

gateway_id = Sequence("gateway_id", metadata=metadata)


def id_column() -> Column[int]:
    """Return the primary key column; `Ids` gives the values."""
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def time_column(name: str, *, null: bool = False) -> Column[object]:
    """Return a column for a time with a zone."""
    return Column(name, DateTime(timezone=True), nullable=null)


def age_index(table: str) -> Index:
    """Return an index that finds old rows; rows come in the order of time, so it costs nothing."""
    summed = {"autosummarize": "on"}
    return Index(f"{table}_by_age", "recorded_at", postgresql_using="brin", postgresql_with=summed)
