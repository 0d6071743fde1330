"""What an error of a database means for a row, or for the whole call, and its words in Chinese."""

import re
from enum import Enum
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, exc
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from connectors.shared.words import reason


class Fault(Enum):
    """Whose fault an error is."""

    AWAY = "away"  #: no connection, or it broke
    BUSY = "busy"  #: a lock, a deadlock, too many connections: later it will do
    OURS = "ours"  #: the account, its rights, or the names of the configuration
    ROW = "row"  #: a row that the table does not take
    ODD = "odd"  #: a trigger, or nobody knows, and the connection lives: perhaps it is the row


#: Of MySQL and MariaDB: lock wait, deadlock, too many connections, shutdown, read-only, disk full;
#: of SQL Server: lock, log full, read-only; of Oracle: lock, deadlock, starting, disk full.
_BUSY_NUMBERS = frozenset(
    {1205, 1213, 1040, 1203, 1053, 1226, 3024, 1290, 1836, 1792, 1114, 1021, 1030, 1041, 1135}
    | {1317, 1927, 1969}  # somebody ended the statement, or the connection
) | {1222, 9002, 3906, 54, 60, 1033, 1034, 257, 1653}
#: Of MySQL and SQL Server: no value, one that is too long, twice, or against a rule.
_ROW_NUMBERS = frozenset(
    {1048, 1062, 1264, 1292, 1364, 1366, 1406, 1451, 1452, 3819, 4025, 1369}
) | {
    515,
    547,
    2601,
    2627,
    2628,
    8115,
    8152,
}
#: Access denied, unknown database, table, column; of SQL Server: login failed, no such table,
#: permission denied; of Oracle: invalid user, no table, no rights, locked account.
_OURS_NUMBERS = frozenset(
    {1044, 1045, 1049, 1054, 1095, 1142, 1143, 1146, 1698, 18456, 208, 229, 230, 207, 4060}
    | {1130, 1227, 1370, 1820, 1862, 3118, 4151}  # host, rights, password expired, locked
) | {1017, 942, 1031, 904, 28000}
#: What a trigger raises of MySQL and SQL Server.
_ODD_NUMBERS = frozenset({1644, 50000})
_ORACLE = re.compile(r"\bORA-(\d{4,5})\b")
#: Of Oracle: a unique or another rule of the table, a value that is too large or none.
_ROW_OF_ORACLE = frozenset({1, 1400, 1438, 2290, 2291, 12899, 1722, 1843, 1861})
#: What the system says of a name, or of a network that it cannot reach.
_OUR_NETWORK = (
    *("Name or service not known", "Temporary failure in name resolution", "getaddrinfo failed"),
    *("could not translate host name", "failed to resolve host", "Network is unreachable"),
)
#: Classes of SQLSTATE, as far as what is raised does not say it already.
_BUSY_STATES = ("40", "53", "55P03", "57014", "57P0")
_OURS_STATES = ("28", "3D", "42", "0A")
_ROW_STATES = ("22", "23", "44")
_ODD_STATES = ("P0",)  # what a trigger raises


def fault_of(error: Exception) -> Fault:
    """Return whose fault an error is."""
    if isinstance(error, (OSError, exc.TimeoutError)):
        return Fault.AWAY
    if not isinstance(error, DBAPIError):
        return Fault.ODD
    if error.connection_invalidated:
        return _of_number(error) or Fault.AWAY
    known = _of_state(error) or _of_number(error)
    if known is not None:
        return known
    if isinstance(error, (IntegrityError, DataError)):
        return Fault.ROW
    return Fault.OURS if isinstance(error, ProgrammingError) else Fault.ODD


def is_our_network(error: Exception) -> bool:
    """Whether a name is not resolved, or nothing is let out: no trouble of the platform's."""
    said = str(getattr(error, "orig", None) or error)
    return any(words in said for words in _OUR_NETWORK)


def _of_state(error: DBAPIError) -> Fault | None:
    state = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    if not isinstance(state, str):
        return None
    for states, fault in (
        (_BUSY_STATES, Fault.BUSY),
        (_OURS_STATES, Fault.OURS),
        (_ROW_STATES, Fault.ROW),
        (_ODD_STATES, Fault.ODD),
    ):
        if state.startswith(states):
            return fault
    return None


def _of_number(error: Exception) -> Fault | None:
    origin = getattr(error, "orig", None) or error
    said = str(origin)
    found = _ORACLE.search(said)
    if found is not None and int(found[1]) in _ROW_OF_ORACLE:
        return Fault.ROW
    number = int(found[1]) if found else origin.args[0] if origin.args else None
    for numbers, fault in (
        (_BUSY_NUMBERS, Fault.BUSY),
        (_OURS_NUMBERS, Fault.OURS),
        (_ROW_NUMBERS, Fault.ROW),
        (_ODD_NUMBERS, Fault.ODD),
    ):
        if number in numbers:
            return fault
    refused = ("password authentication failed", "does not exist", "permission denied")
    return Fault.OURS if any(words in said for words in refused) else None


def words_of(error: Exception, address: URL) -> str:
    """Return what a driver said in one line, without the password."""
    origin = getattr(error, "orig", None) or error
    arguments = [one for one in origin.args if isinstance(one, str)]
    lines = (arguments[-1] if arguments else str(origin)).strip().splitlines()
    said = lines[0] if lines else type(origin).__name__
    password = address.password or ""
    for secret in filter(None, {password, quote(password), quote_plus(password)}):
        said = said.replace(secret, "***")
    return reason(said)
