"""Shared by all commands: configuration, formats, exit codes, progress."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import orjson
import typer
from msgspec import Struct, structs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from gateway.config.settings import Settings, load_settings

Made = TypeVar("Made")
Shown = TypeVar("Shown")


class Exit(IntEnum):
    """Exit codes of commands."""

    DONE = 0
    PROBLEMS = 1
    WRONG_USE = 2
    NO_ANSWER = 3
    INTERRUPTED = 130


class Format(StrEnum):
    """Text for people, or one JSON object per line for programs."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="text 给人看，json 每行一个对象")]


#: The largest number of a row in the store.
LARGEST = 2**63 - 1
NumberArgument = Annotated[int, typer.Argument(min=1, max=LARGEST, help="编号")]


def settings_of(context: typer.Context) -> Settings:
    """Return the settings of the root option; raises BadConfiguration."""
    return load_settings(context.obj)


def fail(message: str, code: Exit = Exit.WRONG_USE) -> NoReturn:
    """Print the message to standard error and exit."""
    sys.stderr.write(f"错误：{message}\n")
    failed = typer.Exit(code)
    failed.words = message  # type: ignore[attr-defined]  # for the audit trail
    raise failed


def at_most(rows: Sequence[Shown], limit: int) -> Sequence[Shown]:
    """Return the first `limit` of rows, one more of which was read; say if there are more."""
    if len(rows) > limit:
        sys.stderr.write(f"只列出前 {limit} 条；要看更多，用 --limit\n")
    return rows[:limit]


def run(work: Callable[[], Awaitable[Made]]) -> Made:
    """Run the asynchronous part of a command; SIGTERM ends it in order, as Ctrl-C does."""
    try:
        return asyncio.run(_awaited(work))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _awaited(work: Callable[[], Awaitable[Made]]) -> Made:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None  # noqa: S101  a coroutine runs in a task

    def end() -> None:
        loop.add_signal_handler(signal.SIGTERM, lambda: None)  # a second one must not cut it short
        task.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    return await work()


def print_line(text: str) -> None:
    """Print one line; exit quietly if the reader of standard output is gone."""
    try:
        sys.stdout.write(text + "\n")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(Exit.DONE) from None


def print_json(value: Any) -> None:
    """Print one object on one line."""
    print_line(orjson.dumps(value, default=_as_json).decode())


def _as_json(value: Any) -> Any:
    return structs.asdict(value) if isinstance(value, Struct) else str(value)


def lines_of(arguments: Sequence[str] | None, what: str) -> Iterator[str]:
    """Yield the arguments; `-`, or no argument, reads standard input line by line.

    Exits with wrong use if there is nothing: who forgot it must not take silence for success, nor
    wait before a screen that waits too.
    """
    came = False
    if arguments or not sys.stdin.isatty():
        for argument in arguments or ("-",):
            lines = (line.strip() for line in sys.stdin) if argument == "-" else (argument,)
            for line in filter(None, lines):
                came = True
                yield line
    if not came:
        fail(f"没有写{what}；写在命令后面，或用 - 从标准输入读")


def console() -> Console:
    """Return standard output for tables; wide if it is not a terminal, so that nothing is cut."""
    return Console(width=None if sys.stdout.isatty() else 140, highlight=False)


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on standard error if that is a terminal; yields `advance(count)`."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


STANDARD_INPUT = Path("-")


@contextmanager
def spooled(file: Path) -> Iterator[Path]:
    """Yield the file, or standard input as a temporary file, because files are read twice."""
    if file != STANDARD_INPUT:
        yield file
        return
    with tempfile.NamedTemporaryFile() as spool:
        shutil.copyfileobj(sys.stdin.buffer, spool)
        spool.flush()
        yield Path(spool.name)


async def stopped() -> None:
    """Wait for a signal to stop; a second one ends the process at once."""
    loop, event = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, event.set)
    await event.wait()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.remove_signal_handler(name)
        signal.signal(name, signal.SIG_DFL)
