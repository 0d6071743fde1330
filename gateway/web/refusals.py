"""Refused requests 被拒的访问, counted until they are written to the audit trail."""

from collections import Counter

from gateway.config.clock import Clock
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection, Database
from gateway.telemetry.audit_events import AuditEvent

#: Callers and paths that are told apart between two writes; the others count as one.
MOST, _OTHERS = 200, ("其他", "")
_PATH_LENGTH = 100


class Refusals:
    """Counts by caller and path: whoever tries many keys makes few entries."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database = database
        self.clock = clock
        self._times = Counter[tuple[str, str]]()

    def add(self, caller: str, path: str) -> None:
        """Count a request that came from an address without a valid key."""
        place = caller, path[:_PATH_LENGTH].replace("\0", "")
        known = place in self._times or len(self._times) < MOST
        self._times[place if known else _OTHERS] += 1

    async def write(self) -> None:
        """Write what was counted.

        Raises:
            DatabaseAway: the next call writes it.
        """
        found = self._times.copy()
        if not found:
            return

        async def work(connection: Connection) -> None:
            details = [
                {"from": caller, "path": path, "times": times}
                for (caller, path), times in found.items()
            ]
            entries = [AuditEntry(AuditEvent.ACCESS_REFUSED, one) for one in details]
            await events.add(connection, entries, self.clock())

        await self.database.run(work)
        self._times -= found
