"""Calls that block, in threads of their own: a server that drips its answer holds nobody else up.

The threads that asyncio shares are few, and look up names for all connections; those of a pool are
waited for when the process ends.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
_last: dict[str, Future[Any]] = {}


class StillBusy(TimeoutError):
    """The last call by this name has not ended yet: another one would wait behind it."""


async def call(name: str, work: Callable[[], T], patience: float) -> T:
    """Run `work` in a thread, one at a time by each name; it goes on alone after a time-out.

    Raises:
        StillBusy: the last call by this name has not ended; this one was not begun.
        TimeoutError: it takes longer than `patience` seconds.
    """
    if name in _last and not _last[name].done():
        raise StillBusy
    future = Future[T]()
    future.set_running_or_notify_cancel()
    threading.Thread(target=_run, args=(future, work), name=f"notice {name}", daemon=True).start()
    _last[name] = future  # once it runs: the machine may have no thread left
    return await asyncio.wait_for(asyncio.wrap_future(future), patience)


def _run(future: Future[T], work: Callable[[], T]) -> None:
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001  it is the caller's
        future.set_exception(error)
