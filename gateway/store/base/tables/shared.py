"""What every table has: the metadata, ids of one sequence, times with a zone."""

from sqlalchemy import BigInteger, Column, DateTime, MetaData, Sequence

metadata = MetaData()

gateway_id = Sequence("gateway_id", metadata=metadata)


def id_column() -> Column[int]:
    """The primary key, given by `Ids` from the one sequence."""
    return Column("id", BigInteger, primary_key=True, autoincrement=False)


def time_column(name: str, *, null: bool = False) -> Column[object]:
    """A moment, kept with its zone."""
    return Column(name, DateTime(timezone=True), nullable=null)
