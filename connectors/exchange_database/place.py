"""The database of a platform: each transaction in a thread of its own, and what its errors mean.

Drivers of databases block. A thread that hangs in one is left behind: its connection is cut, or the
time-out of its driver ends it, and it asks and commits nothing once nobody waits for it any more.
"""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import IntegrityError, InvalidatePoolError, SQLAlchemyError

from connectors.errors import ConnectorError, NotSent, OutcomeUnknown, refused_for_us
from connectors.exchange_database.errors import Fault, fault_of, is_our_network, words_of
from connectors.exchange_database.held import HeldConnection
from schemas.base import SHANGHAI

T = TypeVar("T")
#: Threads that may hang at a time beyond those that work.
MOST_HANGING = 8
#: Seconds after which a connection is opened anew, before a firewall forgets it.
_RECYCLED = 300


class RowRefused(Exception):
    """A row of the transaction does not fit the table, or a rule of it; nothing was kept.

    `of_value`: a value does not fit its column, which no other row has to do with. `meaning`: what
    it means where nobody knows whether it is the row's fault.
    """

    def __init__(
        self, words: str, *, of_value: bool = False, meaning: ConnectorError | None = None
    ) -> None:
        super().__init__(words)
        self.of_value = of_value
        self.meaning = meaning


class Place:
    """One database, by its address."""

    def __init__(self, url: str, seconds: float, concurrency: int) -> None:
        self.address = make_url(url)
        self._most = concurrency + MOST_HANGING
        self._running = 0
        #: What the thread of a transaction holds, by the thread.
        self._of_thread = threading.local()
        # Shorter than a call: a thread of which nobody knows more should end before the next one.
        self._engine: Engine = create_engine(
            self.address,
            connect_args=_limits(self.address, max(1, int(seconds / 3))),
            pool_size=concurrency,
            max_overflow=MOST_HANGING,
            pool_timeout=seconds / 3,
            pool_recycle=_RECYCLED,
            hide_parameters=True,
        )
        # First of all: what else is done with a new connection asks the database already.
        event.listen(self._engine, "connect", self._opened, insert=True)
        event.listen(self._engine, "checkout", self._handed_out)
        if self.address.get_backend_name() in {"mysql", "mariadb"}:
            event.listen(self._engine, "connect", _prepare_mysql)
        if self.address.get_driver_name() == "oracledb":
            event.listen(self._engine, "connect", _limit_oracle(max(1, int(seconds / 3))))

    async def run(self, work: Callable[[Connection], T]) -> T:
        """Return what `work` returns in a transaction, which is committed.

        Raises:
            NotSent: nothing was committed.
            OutcomeUnknown: the answer of the commit was lost, or the caller waits no longer.
            CallRejected: the account may not do it, or the table is not there.
            RowRefused: a row violates the rules of the table; nothing was committed.
        """
        if self._running >= self._most:
            raise NotSent("前置库一直没有答复，前面的调用都还没有结束")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        held = HeldConnection()

        def tell(result: T | None, error: BaseException | None) -> None:
            self._running -= 1
            if done.cancelled():
                return
            if error is None:
                done.set_result(result)  # type: ignore[arg-type]  # it is a T without an error
            else:
                done.set_exception(error)

        def act() -> None:
            result, error = None, None
            try:
                result = self._in_transaction(work, held)
            except BaseException as raised:  # noqa: BLE001  told to who waits
                error = raised
            try:
                loop.call_soon_threadsafe(tell, result, error)
            except RuntimeError:  # the loop has ended meanwhile
                return

        self._running += 1
        threading.Thread(target=act, name="exchange-database", daemon=True).start()
        try:
            return await done
        finally:
            held.give_up()

    def _in_transaction(self, work: Callable[[Connection], T], held: HeldConnection) -> T:
        self._of_thread.held = held
        with self._connect() as connection:
            try:
                return self._committed(work, connection, held)
            finally:
                if not held.let_go():
                    connection.invalidate()

    def _committed(
        self, work: Callable[[Connection], T], connection: Connection, held: HeldConnection
    ) -> T:
        def ask(*_: Any) -> None:
            held.ask()

        event.listen(connection, "before_cursor_execute", ask)
        transaction = connection.begin()
        try:
            result = work(connection)
        except (ConnectorError, RowRefused):
            raise
        except Exception as error:  # drivers raise whatever they like
            raise self._before_commit(error) from error
        ask()
        try:
            transaction.commit()
        except (SQLAlchemyError, OSError) as error:
            if isinstance(error, IntegrityError):  # a deferred rule of the table
                raise RowRefused(words_of(error, self.address)) from error
            words = f"前置库没有答复提交：{words_of(error, self.address)}"
            raise OutcomeUnknown(words) from error
        return result

    def _opened(self, connection: Any, _record: Any) -> None:
        """Hold a new connection, before anything is asked of it."""
        self._of_thread.held.hold(connection)

    def _handed_out(self, connection: Any, record: Any, _proxy: Any) -> None:
        """Hold a connection of the pool, and ask whether it lives if it was used before."""
        self._of_thread.held.hold(connection)
        if not record.info.get("used"):
            record.info["used"] = True
            return
        try:
            self._engine.dialect.do_ping(connection)
        except Exception as error:  # drivers raise whatever they like
            raise InvalidatePoolError from error

    def _connect(self) -> Connection:
        try:
            return self._engine.connect()
        except ConnectorError:  # nobody waits any more
            raise
        except Exception as error:  # drivers raise whatever they like
            raise self._translated(error) from error

    def _before_commit(self, error: Exception) -> Exception:
        fault, words = fault_of(error), words_of(error, self.address)
        if fault is Fault.ROW:
            return RowRefused(words)
        if fault is Fault.ODD:
            return RowRefused(words, meaning=NotSent(f"前置库出错，没有写成：{words}"))
        return self._translated(error)

    def _translated(self, error: Exception) -> ConnectorError:
        """Return an error of before the commit, which nothing outlasts."""
        fault, words = fault_of(error), words_of(error, self.address)
        if fault is Fault.OURS:
            return refused_for_us(f"前置库不接受：{words}")
        is_busy = fault is Fault.BUSY
        later = NotSent(f"前置库正忙，稍后再写：{words}" if is_busy else f"前置库没有答复：{words}")
        later.theirs = not is_our_network(error)
        return later

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._engine.dispose()


def _limits(address: URL, seconds: int) -> dict[str, Any]:
    """Return the time limits that a driver knows; one that we do not know has its own.

    Tried with psycopg and pymysql; those of psycopg2, pymssql and oracledb are as they document.
    """
    match address.get_driver_name():
        case "pymysql":
            of_reading = {"read_timeout": seconds, "write_timeout": seconds}
            return {"connect_timeout": seconds, "charset": "utf8mb4", **of_reading}
        case "psycopg" | "psycopg2":
            # A time of the platform is one of China, whatever zone its server thinks it is in.
            zone = f"-c timezone={SHANGHAI.tzname(None)}"
            options = (
                f"{zone} -c statement_timeout={seconds * 1000} -c lock_timeout={seconds * 1000}"
            )
            alive = {"keepalives_idle": seconds, "tcp_user_timeout": seconds * 1000}
            return {"connect_timeout": seconds, "options": options, **alive}
        case "pymssql":
            return {"login_timeout": seconds, "timeout": seconds}
        case "oracledb":
            return {"tcp_connect_timeout": seconds}
        case _:
            return {}


def _prepare_mysql(connection: Any, _record: Any) -> None:
    """Let MySQL refuse what it would cut without a word, and read and write times of China."""
    with connection.cursor() as cursor:
        cursor.execute(
            "set session sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES'), time_zone = '+08:00'"
        )


def _limit_oracle(seconds: int) -> Callable[[Any, Any], None]:
    """Return what bounds each round trip of a new connection to Oracle; untried."""

    def limit(connection: Any, _record: Any) -> None:
        connection.call_timeout = seconds * 1000

    return limit
