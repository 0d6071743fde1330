"""Every error of PostgreSQL has a meaning."""

import inspect

import asyncpg
import pytest

from gateway.store.base.sqlstates import Meaning, meaning

#: Classes that no statement of ours can cause.
OURS_NEVER = {"00", "01", "02", "03", "09", "0B", "0F", "0L", "0P", "0Z", "10", "20", "27"} | {
    "2B",
    "2F",
    "38",
    "39",
    "3B",
    "HV",
    "P0",
}


def codes() -> set[str]:
    """Return all codes that the driver knows, classes included."""
    known = (one for _, one in inspect.getmembers(asyncpg.exceptions, inspect.isclass))
    return {code for one in known if isinstance(code := getattr(one, "sqlstate", None), str)}


def test_every_code_that_we_can_meet_has_a_meaning() -> None:
    met = {code for code in codes() if code[:2] not in OURS_NEVER}

    bugs = {code for code in met if meaning(code) is Meaning.BUG}

    assert len(met) > 150
    assert bugs == {"25P01", "25P02"}


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("40P01", Meaning.REPEAT),  # deadlock
        ("40001", Meaning.REPEAT),  # serialization failure
        ("23505", Meaning.REPEAT),  # unique key
        ("23514", Meaning.DATA),  # check
        ("22P05", Meaning.DATA),  # untranslatable character
        ("54000", Meaning.DATA),  # an index row that is too long
        ("55P03", Meaning.BUSY),  # lock_timeout
        ("57014", Meaning.TOO_LONG),  # statement_timeout
        ("25P03", Meaning.AWAY),  # idle in transaction
        ("25006", Meaning.AWAY),  # read only after a fail-over
        ("26000", Meaning.AWAY),  # prepared statement of another server
        ("42P05", Meaning.AWAY),
        ("53100", Meaning.AWAY),  # disk full
        ("53300", Meaning.AWAY),  # too many connections
        ("57P01", Meaning.AWAY),  # terminated by an administrator
        ("57P05", Meaning.AWAY),  # idle session timeout
        ("0A000", Meaning.AWAY),  # cached plan after a migration
        ("XX002", Meaning.AWAY),  # corrupted index
        ("28P01", Meaning.REFUSED),  # password
        ("3D000", Meaning.REFUSED),  # no such database
        ("42501", Meaning.REFUSED),  # permission
        ("42P01", Meaning.STRUCTURE),  # no such table
        ("P0001", Meaning.BUG),
    ],
)
def test_a_code_means_what_is_to_be_done(code: str, wanted: Meaning) -> None:
    assert meaning(code) is wanted
