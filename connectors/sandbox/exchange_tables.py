"""The tables of a sandbox exchange database, as `exchange-database` expects them, and its account.

A staging table 暂存表 has the columns of the standard, by their own names, and beside them our key,
the time of insertion, the check sign and the cause; what passes is moved to the table with `_zs`.
"""

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from connectors.sandbox.places import ExchangePlace
from schemas.codes import RecordKind
from schemas.columns import Column, ColumnType, columns_of
from schemas.kinds import KINDS

KEY = "cg_key"
#: The column of the status of each kind, which the layout of 2018 does not have for penalties.
STATUS = {"penalty": "cf_zt", "licence": "xk_zt"}
_TYPES = {ColumnType.DATE: "date", ColumnType.AMOUNT: "numeric(18, 6)"}
_OURS = f"{KEY} varchar(64){{unique}}, create_time timestamp, datasource varchar(40)"


def moved(table: str) -> str:
    """Return the table to which the platform moves what passes."""
    return f"{table}_zs"


def standard_columns(kind: str) -> list[str]:
    """Return the columns of a kind that say what the row is about, the status among them."""
    return list(dict.fromkeys([*map(_name, _columns(kind)), STATUS[kind]]))


def copied_columns(kind: str) -> list[str]:
    """Return the columns that go along when a row is moved."""
    return [*standard_columns(kind), KEY, "create_time", "datasource"]


async def prepare(name: str, place: ExchangePlace) -> URL:
    """Make the database anew, and the account; return the administrator's URL of the database."""
    address = make_url(place.server)
    server = create_async_engine(address, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await _make_account(connection, name, place)
    await server.dispose()
    own = address.set(database=name)
    database = create_async_engine(own)
    async with database.begin() as connection:
        for table, kind in place.tables.items():
            await _make_tables(connection, name, table, kind)
    await database.dispose()
    return own


async def _make_account(connection: AsyncConnection, name: str, place: ExchangePlace) -> None:
    known = "select 1 from pg_database where datname = :name"
    if await connection.scalar(text(known), {"name": name}) is None:
        await connection.execute(text(f'create database "{name}"'))
    known = "select 1 from pg_roles where rolname = :name"
    if await connection.scalar(text(known), {"name": name}) is None:
        await connection.execute(text(f'create role "{name}" login'))
    # A command of this kind takes no parameters.
    literal = "select format('alter role %I password %L', cast(:name as text), cast(:word as text))"
    word = place.password.get_secret_value()
    command = await connection.scalar(text(literal), {"name": name, "word": word})
    await connection.exec_driver_sql(str(command))
    await connection.execute(text(f'revoke all on database "{name}" from public'))
    await connection.execute(text(f'grant connect on database "{name}" to "{name}"'))


async def _make_tables(connection: AsyncConnection, name: str, table: str, kind: str) -> None:
    written = {_name(one): _type(one) for one in _columns(kind)}
    written |= {STATUS[kind]: "varchar(2)"}
    columns = ", ".join(f"{column} {sort}" for column, sort in written.items())
    staging = f"{columns}, {_OURS.format(unique=' unique')}"
    for statement in (
        f"drop table if exists {table}, {moved(table)}",
        f"create table {table} (id bigint generated always as identity primary key, {staging},"
        " check_sign varchar(2), check_unpass_cause varchar(500))",
        f"create table {moved(table)} ({columns}, {_OURS.format(unique='')},"
        " sync_sign varchar(2), sync_date timestamp)",
        f'grant insert, select, delete on {table}, {moved(table)} to "{name}"',
    ):
        await connection.execute(text(statement))


def _columns(kind: str) -> tuple[Column, ...]:
    return columns_of(KINDS[RecordKind(kind)].model)


def _name(column: Column) -> str:
    return column.wire.lower()


def _type(column: Column) -> str:
    length = "" if column.max_length is None else f"({column.max_length})"
    return _TYPES.get(column.type, f"varchar{length}")
