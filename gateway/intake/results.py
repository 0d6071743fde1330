"""What became of the items of one origin 来件去向: their results, and where they stand now."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gateway.check.raw import SHEET_STRIDE
from gateway.store.base.engine import Database
from gateway.store.record import origin_results
from gateway.titles import EXCLUSIONS, STATES, VERDICTS
from schemas.delivery import DeliveryState
from schemas.identifiers import masked
from schemas.kinds import keys_of
from schemas.verdict import Exclusion, Verdict


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One item: its place, result and number, and the state of its version by destination.

    `newer`: a later version of the decision came since.
    """

    origin: str
    position: int
    verdict: Verdict
    document_number: str
    version: int | None
    newer: bool
    excluded: str | None
    quarantine: int | None  #: its number in quarantine, if it is still there
    problems: tuple[str, ...]
    deliveries: Mapping[str, DeliveryState]
    recorded_at: datetime
    file_name: str | None = None

    @property
    def place(self) -> str:
        """Return where it stood, as 第2行; of a further sheet with its number; of a topic 偏移2."""
        if self.origin.startswith("kafka:"):
            return f"偏移{self.position}"
        sheet, row = divmod(self.position, SHEET_STRIDE)
        return f"第{sheet + 1}张表第{row}行" if sheet else f"第{row}行"

    @property
    def words(self) -> str:
        """Return in Chinese what became of it."""
        if self.quarantine is not None:
            return f"{VERDICTS[self.verdict]}，隔离区编号 {self.quarantine}"
        if self.verdict is Verdict.REFUSED:
            return "拒收，已更正重放"
        if self.excluded is not None:
            return f"不予报送（{EXCLUSIONS[Exclusion(self.excluded)]}）"
        told = "，".join(f"{name} {STATES[state]}" for name, state in self.deliveries.items())
        later = "，此后有新版本" if self.newer else ""
        return f"{VERDICTS[self.verdict]}；{told or '没有报送任务'}{later}"


@dataclass(slots=True)
class ResultCounts:
    """How many items of an origin had which result, and stand where."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    deliveries: Counter[tuple[str, DeliveryState]] = field(default_factory=Counter)
    file_names: set[str] = field(default_factory=set)

    def add(self, one: ItemResult) -> None:
        """Count one item."""
        self.verdicts[one.verdict] += 1
        self.deliveries.update(one.deliveries.items())
        if one.file_name is not None:
            self.file_names.add(one.file_name)


async def results(
    database: Database, origin: str, position: int | None = None
) -> AsyncIterator[ItemResult]:
    """Yield what became of the items of an origin, such as file:<SHA-256>, in their order.

    With a position, such as an offset or a row, of that item only.
    """
    async with database.snapshot() as connection:
        async for part in origin_results.results(connection, origin, position):
            for row in part:
                yield _result(row)


async def results_of_number(database: Database, number: str) -> AsyncIterator[ItemResult]:
    """Yield what became of all that came for decisions of a document number 文书号, or of keys."""
    async with database.snapshot() as connection:
        async for part in origin_results.of_keys(connection, keys_of(number)):
            for row in part:
                yield _result(row)


def _result(row: Any) -> ItemResult:
    deliveries = {name: DeliveryState(state) for name, state in (row.deliveries or {}).items()}
    return ItemResult(
        origin=masked(row.origin),
        position=row.position,
        verdict=Verdict(row.verdict),
        document_number=masked(row.document_number or ""),
        version=row.version,
        newer=row.version is not None and row.version < row.newest,
        excluded=row.excluded,
        quarantine=None if row.resolved else row.quarantine_id,
        problems=tuple(masked(str(one["message"])) for one in row.problems or ()),
        deliveries=deliveries,
        recorded_at=row.recorded_at,
        file_name=row.file_name,
    )
