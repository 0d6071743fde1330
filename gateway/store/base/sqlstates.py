"""What the error codes of PostgreSQL mean for us (pure): PostgreSQL documentation, appendix A."""

from enum import StrEnum


class Meaning(StrEnum):
    """What to do after an error."""

    REPEAT = "repeat"  #: two transactions met: do the work again at once
    DATA = "data"  #: an item of the batch is at fault: find it by halving
    BUSY = "busy"  #: a lock took too long: try again, do other work meanwhile
    TOO_LONG = "too_long"  #: a statement did: try again, then do less at once
    AWAY = "away"  #: a passing trouble of the server or the connection: try again
    REFUSED = "refused"  #: login, database or permission: wait for a person, keep trying
    STRUCTURE = "structure"  #: a table, column or function is missing or different
    BUG = "bug"  #: nothing of ours should cause it


#: A unique key that another process wrote first: repeated, unless the data has it twice.
SAME_KEY = "23505"
#: A write in a transaction that only reads: of a server that is a standby.
READ_ONLY = "25006"
#: A lock was not had within lock_timeout.
LOCK_NOT_AVAILABLE = "55P03"

_M = Meaning
#: The meaning of a whole class; the first two characters of a code.
_CLASSES = {
    "08": _M.AWAY,  # connection exception
    "0A": _M.AWAY,  # feature not supported: a cached plan after a migration
    "21": _M.DATA,  # cardinality violation
    "22": _M.DATA,  # data exception
    "23": _M.DATA,  # integrity constraint violation
    "24": _M.AWAY,  # invalid cursor state: another server behind the same connection
    "25": _M.AWAY,  # invalid transaction state: read only, idle or transaction timeout
    "26": _M.AWAY,  # invalid statement name: a pooler gave us another server
    "28": _M.REFUSED,  # invalid authorization
    "2D": _M.AWAY,  # invalid transaction termination
    "34": _M.AWAY,  # invalid cursor name: as 24
    "3D": _M.REFUSED,  # no such database
    "3F": _M.STRUCTURE,  # no such schema
    "40": _M.REPEAT,  # transaction rollback
    "42": _M.STRUCTURE,  # syntax error or access rule violation
    "44": _M.DATA,  # WITH CHECK OPTION violation
    "53": _M.AWAY,  # insufficient resources
    "54": _M.DATA,  # program limit exceeded: an item is too long
    "55": _M.AWAY,  # object not in prerequisite state
    "57": _M.AWAY,  # operator intervention
    "58": _M.AWAY,  # system error
    "72": _M.AWAY,  # snapshot failure
    "F0": _M.AWAY,  # configuration file error
    "XX": _M.AWAY,  # internal error, corrupted data or index: no item has that fault
}
#: Codes with another meaning than their class.
_CODES = {
    SAME_KEY: _M.REPEAT,
    "25P01": _M.BUG,  # no active transaction
    "25P02": _M.BUG,  # a statement in a failed transaction
    "40002": _M.DATA,  # integrity constraint violation
    "42501": _M.REFUSED,  # insufficient privilege
    "42P03": _M.AWAY,  # duplicate cursor: as 26
    "42P05": _M.AWAY,  # duplicate prepared statement: as 26
    LOCK_NOT_AVAILABLE: _M.BUSY,
    "57014": _M.TOO_LONG,  # statement_timeout
}


def meaning(code: str) -> Meaning:
    """Return the meaning of a code of five characters; BUG for a class that is not in the table."""
    return _CODES.get(code) or _CLASSES.get(code[:2], Meaning.BUG)
