"""Rows of the other side that name no decision of the days of a run, and whose they are."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Set
from datetime import date

from gateway.reconcile.difference import Key
from gateway.reconcile.pairing import Pairing
from gateway.reconcile.pairs import Ours
from gateway.store.account import our_side
from gateway.store.account.reconcile_runs import Run
from gateway.store.base.engine import Connection, Database
from schemas.codes import Verb

#: Keys that are asked for in one statement.
_SLICE = 10_000


class Others:
    """What the rows of a run name besides our decisions of its days.

    A decision whose date was changed here stands on the other side under the one before: it is
    compared, whatever its date. `first`: from which day on rows that are nobody's are told.
    `of_ids` returns our side of decisions.
    """

    def __init__(
        self,
        database: Database,
        pairing: Pairing,
        run: Run,
        first: date,
        of_ids: Callable[[Connection, Set[int]], Awaitable[list[Ours]]],
    ) -> None:
        self.database = database
        self.pairing = pairing
        self.run = run
        self.first = first
        self.of_ids = of_ids

    async def adopt(self) -> None:
        """Pair the new strangers of the days with our decisions that they name."""
        rows = self.pairing.new_strangers
        asked = [one.key for one in rows if one.day is not None and self._is_of(one.day)]
        ours: list[Ours] = []
        for part in self._slices(asked):
            async with self.database.transaction() as connection:
                if ids := await our_side.known(connection, part):
                    ours += await self.of_ids(connection, ids.keys())
        self.pairing.adopt(ours)

    async def drop(self) -> None:
        """Drop the rows of other days, and those of decisions that are ours all the same."""
        within = [
            one
            for one in self.pairing.strangers
            if one.day is None or self.first <= one.day < self.run.end or one.verb is not Verb.NEW
        ]
        known: set[Key] = set()
        for part in self._slices([one.key for one in within]):
            async with self.database.transaction() as connection:
                known.update((await our_side.known(connection, part)).values())
        self.pairing.strangers = [one for one in within if one.key not in known]

    def _is_of(self, day: date) -> bool:
        return self.run.first <= day < self.run.end

    def _slices(self, keys: Iterable[Key]) -> Iterator[list[Key]]:
        """Yield the keys that no decision that is compared has, in slices."""
        asked = list(dict.fromkeys(key for key in keys if key not in self.pairing.pairs))
        for start in range(0, len(asked), _SLICE):
            yield asked[start : start + _SLICE]
