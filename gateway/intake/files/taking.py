"""Take a file into the pipeline, in batches: for the command and for uploads by HTTP."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.check.checked import Checked
from gateway.intake.files.reading import Reading, batches
from gateway.intake.files.tally import FileTally
from gateway.intake.files.twice import Twice
from gateway.intake.files.unreadable import UnreadableFile
from gateway.pipeline import Pipeline
from gateway.record.result import Result
from gateway.store.record.inbox import name_file
from schemas.base import storable
from schemas.identifiers import masked

#: Letters of the name of a file that are kept, the last ones.
LONGEST_NAME = 200
#: What is told each item: its place in the file, what check says, and what became of it, if it was
#: taken.
Each = Callable[[str, Checked, Result | None], None]


@dataclass(slots=True)
class Taken:
    """What became of a file; `stopped` says in Chinese why the rest of it was not taken."""

    reading: Reading
    tally: FileTally
    stopped: str = ""
    whole: bool = False

    def words(self) -> list[str]:
        """Return one screen for a person."""
        what = "检查了" if self.stopped and self.whole else "共"
        total = self.tally.total_line(what)
        if not self.whole or not self.stopped:
            total += f"，其中重复 {self.tally.repeats}"
        return [*self.reading.report.words, total, *self.tally.words(), *self._ending()]

    def _ending(self) -> list[str]:
        if not self.stopped:
            return []
        if self.whole:
            return [f"没有接收任何一条：{self.stopped}"]
        return [f"没有读完：{self.stopped}", "以上各条已经接收；改好文件后再导入，已接收的不会重复"]

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "file": self.reading.report.as_json(),
            **self.tally.as_json(),
            "stopped": self.stopped or None,
            "taken": bool(self.tally.verdicts) and not (self.stopped and self.whole),
        }


async def take(
    pipeline: Pipeline,
    reading: Reading,
    each: Each,
    *,
    whole: bool = False,
    name: str | None = None,
) -> Taken:
    """Record the items of a file; with `whole`, nothing unless each of them is without problems.

    By its `name` people find the file again.

    Raises:
        DatabaseAway: the batches before are taken; taking the file again goes on behind them.
    """
    placeholders = pipeline.checker.placeholders
    if whole:
        first = Taken(reading, FileTally(placeholders), whole=True)
        await _only_check(pipeline, first, each)
        if first.stopped:
            return first
    taken = Taken(reading, FileTally(placeholders), whole=whole)
    try:
        async for checked in _checked(pipeline, reading):
            results = await pipeline.commit(checked)
            for result in results:  # what is refused as the decisions stand is refused there
                place = reading.place(result.checked.raw)
                taken.tally.add(place, result.checked, result)
                each(place, result.checked, result)
    except UnreadableFile as error:
        taken.stopped = str(error)
    if name and taken.tally.verdicts:
        told = masked(storable(name))[-LONGEST_NAME:]
        await pipeline.database.run(partial(name_file, origin=reading.origin, name=told))
    return taken


async def _only_check(pipeline: Pipeline, taken: Taken, each: Each) -> None:
    """Check all items before one is taken; tells of each only if the file is refused."""
    faulty: list[tuple[str, Checked]] = []
    try:
        async for checked in _checked(pipeline, taken.reading):
            for one in checked:
                place = taken.reading.place(one.raw)
                taken.tally.add(place, one)
                if one.problems:
                    faulty.append((place, one))
    except UnreadableFile as error:
        taken.stopped = str(error)
    taken.stopped = taken.stopped or _not_whole(taken.reading, len(faulty))
    if taken.stopped:
        for place, one in faulty:
            each(place, one, None)


def _not_whole(reading: Reading, faulty: int) -> str:
    """Return in Chinese why a file that was read to its end is not taken as a whole, or nothing."""
    if faulty:
        return f"{faulty} 条有问题，要求整份接收"
    unread = [f"“{one.name}”" for one in reading.report.tables if one.looks_like_data]
    return f"{'、'.join(unread)}表像是数据，却找不到认识的列名，要求整份接收" if unread else ""


async def _checked(pipeline: Pipeline, reading: Reading) -> AsyncIterator[list[Checked]]:
    """Yield the items of a file, checked, batch by batch."""
    twice = Twice()
    async for batch in batches(reading):
        yield [twice.judged(one, reading.report) for one in await pipeline.check(batch)]
