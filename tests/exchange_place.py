"""Exchange databases 前置库 as platforms have them: their tables, their account, their check."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError

from connectors import build
from connectors.exchange_database import ExchangeDatabase
from connectors.shared import Clock
from tests.mariadb import MariaDb

_numbers = count()
STAGING = "l_xzcf_temp"
MOVED = "l_xzcf"
#: As a traffic bureau's front-end database: unique by document number and status.
_TABLE = """
    cf_wsh varchar(128) not null, cf_xdr_mc varchar(200), cf_xdr_shxym varchar(18),
    cf_nr varchar(2000), cf_nr_fk decimal(18, 6), jdrq date, cf_zt varchar(2),
    datasource varchar(20), rksj {time}, cg_key varchar(64)
"""
#: Standard columns that the table has.
COLUMNS = frozenset({"CF_WSH", "CF_XDR_MC", "CF_XDR_SHXYM", "CF_NR", "CF_NR_FK", "CF_JDRQ"})
SETTINGS: dict[str, Any] = {
    "tables": {
        "penalty": {
            "name": STAGING,
            "key_column": "CG_KEY",
            "columns": {"CF_JDRQ": "jdrq"},
            "constants": {"datasource": "环保"},
            "inserted_column": "rksj",
            "status_column": "cf_zt",
            "check_column": "check_sign",
            "cause_column": "check_unpass_cause",
            "moved_to": {"name": MOVED, "key_column": "cg_key", "time_column": "sync_date"},
        }
    },
    "call_timeout": 9,
}

TABLE = SETTINGS["tables"]["penalty"]
#: An identity number that is nobody's.
IDENTITY = "410102199003070011"


def tables(**changes: Any) -> dict[str, Any]:
    """Return the tables with changes of the staging table."""
    return {"penalty": {**TABLE, **changes}}


class Platform:
    """The platform's side of one exchange database: it checks, moves and looks."""

    def __init__(self, administrator: str, account: str) -> None:
        self.engine: Engine = create_engine(administrator)
        self.account = account
        self.do(f"drop table if exists {STAGING}", f"drop table if exists {MOVED}")
        time = "datetime" if administrator.startswith("mysql") else "timestamp"
        columns = _TABLE.format(time=time)
        self.do(
            f"create table {STAGING} ({columns}, check_sign varchar(2),"
            " check_unpass_cause varchar(200), unique (cf_wsh, cf_zt), unique (cg_key))",
            f"create table {MOVED} ({columns}, sync_sign varchar(2), sync_date {time})",
        )

    def do(self, *statements: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement), values)

    def rows(self, table: str = STAGING) -> list[dict[str, Any]]:
        with self.engine.connect() as connection:
            found = connection.execute(text(f"select * from {table} order by cg_key"))
            return [dict(row) for row in found.mappings()]

    def count(self, key: str) -> int:
        return sum(row["cg_key"] == key for table in (STAGING, MOVED) for row in self.rows(table))

    def refuse(self, cause: str) -> None:
        """Refuse what waits."""
        self.do(
            f"update {STAGING} set check_sign = '2', check_unpass_cause = :cause"
            " where check_sign is null",
            cause=cause,
        )

    def move(self, at: str) -> None:
        """Move what waits to the platform's own table."""
        names = [
            "cf_wsh", "cf_xdr_mc", "cf_xdr_shxym", "cf_nr", "cf_nr_fk", "jdrq", "cf_zt",
            "datasource", "rksj", "cg_key",
        ]  # fmt: skip
        listed = ", ".join(names)
        self.do(
            f"insert into {MOVED} ({listed}, sync_sign, sync_date)"
            f" select {listed}, '1', :at from {STAGING} where check_sign is null",
            f"delete from {STAGING} where check_sign is null",
            at=at,
        )

    def connector(self, clock: Clock, **changes: Any) -> ExchangeDatabase:
        made = build("exchange-database", {**SETTINGS, "url": self.account, **changes}, clock)
        assert isinstance(made, ExchangeDatabase)
        return made

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def on_mariadb(server: MariaDb) -> Iterator[Platform]:
    """A database of its own, and an account that may insert, select and delete."""
    name = f"exchange_{next(_numbers)}"
    with server.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f"create database {name} character set utf8mb4")
        cursor.execute(f"create user {name}@localhost identified by 'p@ss/word'")
        cursor.execute(f"grant insert, select, delete on {name}.* to {name}@localhost")
    at = f"127.0.0.1:{server.port}/{name}"
    platform = Platform(f"mysql+pymysql://root@{at}", f"mysql+pymysql://{name}:p%40ss%2Fword@{at}")
    yield platform
    platform.close()


@contextmanager
def on_postgresql(url: str) -> Iterator[Platform]:
    """The same in a PostgreSQL, whose URL is that of our driver."""
    name = f"exchange_{next(_numbers)}"
    place = make_url(url).set(drivername="postgresql+psycopg")
    administrator = create_engine(place, isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.execute(text(f"create database {name}"))
        connection.execute(text(f"create role {name} login"))
    administrator.dispose()
    own = place.set(database=name)
    urls = (one.render_as_string(hide_password=False) for one in (own, own.set(username=name)))
    platform = Platform(*urls)
    platform.do(f"grant insert, select, delete on {STAGING}, {MOVED} to {name}")
    yield platform
    platform.close()


def lose_next_answer(connector: ExchangeDatabase) -> None:
    """Let the next commit of a connector be done, and its answer lost."""
    engine: Engine = connector._place._engine

    def lose(connection: Any) -> None:
        event.remove(engine, "commit", lose)
        connection.connection.dbapi_connection.commit()
        connection.connection.dbapi_connection.close()
        raise OperationalError("commit", {}, Exception(2013, "Lost connection during query"))

    event.listen(engine, "commit", lose)
