"""The latest timeline of a database that a process on this host has seen, kept in a file.

A process that starts while the new primary is away would else take the old one for it.
"""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_WORDS = re.compile(r"(-?\d{1,19}) (\d{1,10})\s*")


class Timeline(NamedTuple):
    """A timeline of a system: a cluster that was made anew begins with its first one."""

    system: int
    number: int


class SeenTimeline:
    """The file; where it cannot be written, only what runs knows of a promotion."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def read(self) -> Timeline | None:
        """Return the latest one; None if none was seen, or the file is damaged."""
        try:
            found = _WORDS.fullmatch(self.file.read_text("ascii"))
        except (OSError, ValueError):
            return None
        return None if found is None else Timeline(int(found[1]), int(found[2]))

    def note(self, seen: Timeline) -> None:
        """Keep a timeline, unless that of the file is of the same system and later."""
        known = self.read()
        if known is not None and known.system == seen.system and known.number >= seen.number:
            return
        draft = self.file.with_name(f".{self.file.name}.{os.getpid()}")
        with suppress(OSError):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(f"{seen.system} {seen.number}\n", "ascii")
            draft.replace(self.file)
