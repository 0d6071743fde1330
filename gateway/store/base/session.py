"""The settings of a session, also where a pooler gives each transaction another server."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import TextClause, text

from gateway.store.base.address import HOST_WANTED, Address

#: A lock that somebody holds for longer than any of our batches is an outage, and is told as one.
LOCK_TIMEOUT = "20s"
#: All who write queue behind a migration that waits, so it steps back soon and tries again.
MIGRATING_LOCK_TIMEOUT = "3s"
#: A process that stands still between two statements of a transaction, or is gone with its host,
#: keeps its locks for no longer; our own longest pause there is seconds. `frozen` has the rest.
IDLE_TIMEOUT = "1min"
#: The same where others wait for nothing that it has, and a slice may take its time.
PATIENT_IDLE_TIMEOUT = "10min"

IDLE = "idle_in_transaction_session_timeout"
READ_ONLY = "default_transaction_read_only"


def session_of(*, read_only: bool, migrates: bool) -> dict[str, str]:
    """Return the settings of each connection, which those of the address may replace."""
    idle = PATIENT_IDLE_TIMEOUT if migrates or read_only else IDLE_TIMEOUT
    session = {"timezone": "UTC", "jit": "off", IDLE: idle}
    if read_only:
        session[READ_ONLY] = "on"
    session["lock_timeout"] = MIGRATING_LOCK_TIMEOUT if migrates else LOCK_TIMEOUT
    if migrates:  # they take as long as they take
        session["statement_timeout"] = "0"
    return session


def arguments_of(address: Address, session: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of the driver; a pooler keeps nothing of a session.

    A session that only reads is no `read-write` one, on whichever host; the primary is meant.
    """
    arguments = dict(address.arguments)
    if READ_ONLY in session and arguments.get(HOST_WANTED) == "read-write":
        arguments[HOST_WANTED] = "primary"
    if not address.pooled:
        return {**arguments, "server_settings": session}
    return {
        **arguments,
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        # Names of prepared statements must not meet again at a server that had them before.
        "prepared_statement_name_func": lambda: f"_{uuid.uuid4().hex}",
    }


def local_of(session: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a session by the names that they have for one transaction."""
    renamed = {READ_ONLY: "transaction_read_only"}
    return {renamed.get(name, name): value for name, value in session.items()}


def at_once(local: Mapping[str, str]) -> TextClause:
    """Return one statement that sets all of them."""
    each = ", ".join(f"set_config(:n{i}, :v{i}, true)" for i in range(len(local)))
    pairs = enumerate(local.items())
    values = {key: one for i, (n, v) in pairs for key, one in ((f"n{i}", n), (f"v{i}", v))}
    return text(f"select {each}").bindparams(**values)


def one_by_one(local: Mapping[str, str]) -> list[TextClause]:
    """Return statements that do the same, and see no moment of the data, as a query would."""
    pairs = ((name, value.replace("'", "''").replace(":", r"\:")) for name, value in local.items())
    return [text(f"set local {name} = '{value}'") for name, value in pairs]
