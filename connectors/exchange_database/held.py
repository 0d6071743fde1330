"""The connection of one transaction, which who waits for the transaction can cut.

Not every driver has a time-out for what it waits for: psycopg waits for ever where a peer takes
what is sent and answers nothing. Once its socket is shut down, the thread in it ends with an error.
"""

import os
import socket
import threading
from contextlib import suppress
from typing import Any

from connectors.errors import NotSent


class HeldConnection:
    """The connection that the thread of one transaction works with at this moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: Any = None
        self._given_up = False

    def hold(self, connection: Any) -> None:
        """Work with a connection of the driver from now on; raises NotSent if nobody waits."""
        with self._lock:
            if self._given_up:
                raise NotSent
            self._connection = connection

    def ask(self) -> None:
        """Raise NotSent if nobody waits any more."""
        if self._given_up:
            raise NotSent

    def let_go(self) -> bool:
        """Work with it no longer; whether it was left whole."""
        with self._lock:
            self._connection = None
            return not self._given_up

    def give_up(self) -> None:
        """Wait no longer: cut the connection, if the thread still works with one."""
        with self._lock:
            self._given_up = True
            if self._connection is not None:
                _cut(self._connection)


def _cut(connection: Any) -> None:
    """Shut down the socket of a connection, if its driver shows it (psycopg, psycopg2).

    The others have time-outs of their own, which `place` sets. The number of the socket is asked
    again once it was copied: one that the thread has closed may already be somebody else's.
    """
    show = getattr(connection, "fileno", None)
    if show is None:
        return
    with suppress(Exception):  # a driver raises what it likes where the connection has ended
        number = show()
        with socket.socket(fileno=os.dup(number)) as copy:
            if show() == number:
                copy.shutdown(socket.SHUT_RDWR)
