"""Run work that may cut its own connection: what we send does it, or an outage that cuts others."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from gateway.store.base.engine import (
    ALIVE,
    BadData,
    Connection,
    ConnectionCut,
    Database,
    DatabaseAway,
    DatabaseStarting,
    Made,
    StatementTooLong,
)

#: Seconds in which a server that fell over answers again; longer while it says that it starts.
ANSWER_SECONDS, STARTING_SECONDS = 30.0, 600.0
_PAUSE = 0.2
#: The transaction that touches nothing stands for so many times as long as the one that was cut,
#: within these bounds in seconds: links that break now and then, and the limits of a proxy or a
#: pooler, cut it too.
TIMES_AS_LONG, SHORTEST, LONGEST = 3.0, 3.0, 60.0
#: It carries so many bytes there and back, as work does: a link that breaks after some thousands
#: of bytes lets every short question through.
CARRIED = 2**20
#: Cuts in a row that are no accident: a server that lacks memory ends whoever has the most of it at
#: the time, and with it all connections. One that leaves another connection standing counts twice.
NO_ACCIDENT = 5
#: Statements in a row that took longer than the server lets them.
TOO_LONG = 2

_STAND = text("select pg_sleep(:seconds)")
_CARRY = text("select cast(:carried as text)")
#: The limit that the server's administrator sets is for what does something.
_NO_LIMIT = text("set local statement_timeout = 0")


class CutByData(Exception):
    """The server closes the connection whenever it gets this work, and stands otherwise."""


class TooMuchAtOnce(DatabaseAway):
    """The server ends a statement of this work again and again: do it in smaller parts."""


#: What is done in smaller parts, down to the one item that is at fault.
UNBEARABLE = (BadData, CutByData, TooMuchAtOnce)


class _AllCut(ConnectionCut):
    """Another connection was cut as well."""


class _NoSecondConnection(DatabaseAway):
    """The witness or the work got no connection: there may be only one to be had."""


async def run_steadily(database: Database, work: Callable[[Connection], Awaitable[Made]]) -> Made:
    """Run the work in a transaction; if it is cut or ended again and again, find out why.

    Otherwise work that the server cannot bear would be repeated for ever.

    Raises:
        CutByData, TooMuchAtOnce: do it in parts; what is cut alone is at fault.
        DatabaseAway: an outage.
    """
    found = _Findings(database)
    while True:
        began = time.monotonic()
        try:
            return await (_witnessed(database, work) if found.witnessed else database.run(work))
        except StatementTooLong as error:
            found.took_too_long(error)
        except ConnectionCut as error:
            await found.was_cut(error, time.monotonic() - began)
        except _NoSecondConnection:
            found.has_witness = False


class _Findings:
    """What was found out about one work; each raises what ends it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cuts = self._too_long = 0
        self.has_witness = True

    @property
    def witnessed(self) -> bool:
        """Whether another connection has to stand beside it: it is not needed before a cut."""
        return self._cuts > 0 and self.has_witness

    def took_too_long(self, error: StatementTooLong) -> None:
        self._too_long += 1
        if self._too_long == TOO_LONG:
            raise TooMuchAtOnce(str(error)) from error

    async def was_cut(self, error: ConnectionCut, seconds: float) -> None:
        if not await _is_steady(self._database, seconds):
            raise error
        self._cuts += 1 if not self._cuts or isinstance(error, _AllCut) else 2
        if self._cuts >= NO_ACCIDENT:
            raise CutByData(str(error)) from error


async def _witnessed(database: Database, work: Callable[[Connection], Awaitable[Made]]) -> Made:
    """Run the work while another transaction stands; say so if both are cut."""
    done: list[Made] = []
    failed: DatabaseAway | None = None
    begun = False

    async def noted(connection: Connection) -> Made:
        nonlocal begun
        begun = True
        return await work(connection)

    try:
        async with database.transaction(patient=True) as witness:
            await witness.execute(ALIVE)
            try:
                done.append(await database.run(noted))
            except DatabaseAway as error:
                failed = error
                await witness.execute(ALIVE)
    except DatabaseAway as error:
        if isinstance(failed, ConnectionCut):
            raise _AllCut(str(failed)) from error
        failed = failed or (None if done else error)
    if failed is not None:
        raise failed if begun else _NoSecondConnection(str(failed)) from failed
    return done[0]


async def _is_steady(database: Database, cut_after: float) -> bool:
    """Whether the database answers, and lets a transaction stand that touches nothing it has.

    `cut_after` is how many seconds the transaction had lasted that was cut.
    """
    if not await _answers(database):
        return False
    seconds = min(max(SHORTEST, TIMES_AS_LONG * cut_after), LONGEST)
    try:
        async with database.transaction() as connection:
            await connection.execute(_NO_LIMIT)
            await connection.execute(_STAND, {"seconds": seconds})
            await connection.execute(_CARRY, {"carried": " " * CARRIED})
    except DatabaseAway:
        return False
    return True


async def _answers(database: Database) -> bool:
    began = time.monotonic()
    end = began + ANSWER_SECONDS
    while time.monotonic() < end:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                async with database.transaction() as connection:
                    await connection.execute(ALIVE)
                    return True
        except DatabaseStarting:
            end = min(time.monotonic() + ANSWER_SECONDS, began + STARTING_SECONDS)
        except (DatabaseAway, TimeoutError):
            pass
        await asyncio.sleep(_PAUSE)
    return False
