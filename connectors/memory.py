"""The connector `memory`: a destination in the memory of this process, with scripted answers.

Tests of the gateway use it instead of a network; it passes the same conformance suite.
"""

from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from connectors.errors import CallRejected, NotSent, OutcomeUnknown
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from schemas.base import Schema
from schemas.delivery import Health, Item, Listed, ListingMark, Outcome, OutcomeKind, Receipt


class Step(StrEnum):
    """What the connector does in one call of `send`."""

    ACCEPT = "accept"
    SUBMIT = "submit"
    REJECT = "reject"
    DEFER = "defer"
    NOT_SENT = "not_sent"  #: fail before anything is stored
    LOSE_ANSWER = "lose_answer"  #: store the items, then fail as if the answer was lost
    CALL_REJECTED = "call_rejected"


class MemorySettings(Schema):
    """Configuration of a `memory` destination."""

    batch_size: int = Field(default=100, ge=1, title="每批条数")
    concurrency: int = Field(default=4, ge=1, title="并发数")
    call_timeout: timedelta = Field(default=timedelta(seconds=30), gt=timedelta(0))
    on_unknown: OnUnknown = OnUnknown.LOOK_UP
    #: One step per call, in order; when the script is used up, `always` applies.
    script: tuple[Step, ...] = ()
    always: Step = Step.ACCEPT
    reasons: tuple[str, ...] = ("样例退回",)
    retry_after: timedelta | None = None


class MemoryConnector:
    """A destination that stores its items and de-duplicates them by our key."""

    def __init__(self, settings: MemorySettings, now: Clock) -> None:
        self.limits = Limits(
            batch_size=settings.batch_size,
            concurrency=settings.concurrency,
            on_unknown=settings.on_unknown,
            call_timeout=settings.call_timeout,
            has_receipts=True,
            has_listing=True,
        )
        self.stored: dict[str, Item] = {}
        self.effects: Counter[str] = Counter()
        self.calls = 0
        self.closed = False
        self._settings = settings
        self._now = now
        self._script = deque(settings.script)
        self._outcomes: dict[str, Outcome] = {}
        self._times: dict[str, datetime] = {}
        self._receipts: list[Receipt] = []

    def play(self, *steps: Step) -> None:
        """Append steps to the script."""
        self._script.extend(steps)

    def issue_receipt(self, key: str, *, accepted: bool, reasons: tuple[str, ...] = ()) -> None:
        """Add a receipt of the destination for an item."""
        self._receipts.append(
            Receipt(key=key, accepted=accepted, reasons=reasons, platform_at=self._now())
        )

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Do the next step of the script with these items."""
        self.calls += 1
        step = self._script.popleft() if self._script else self._settings.always
        if step is Step.NOT_SENT:
            raise NotSent(retry_after=self._settings.retry_after)
        if step is Step.CALL_REJECTED:
            raise CallRejected
        outcomes = [self._take(item, step) for item in items]
        if step is Step.LOSE_ANSWER:
            raise OutcomeUnknown
        return outcomes

    def _take(self, item: Item, step: Step) -> Outcome:
        if item.key in self.stored:
            return self._outcomes[item.key]
        if step is Step.REJECT:
            return Outcome(kind=OutcomeKind.REJECTED, reasons=self._settings.reasons)
        if step is Step.DEFER:
            return Outcome(kind=OutcomeKind.DEFERRED, retry_after=self._settings.retry_after)
        kind = OutcomeKind.SUBMITTED if step is Step.SUBMIT else OutcomeKind.ACCEPTED
        at = self._now()
        self.stored[item.key] = item
        self.effects[item.key] += 1
        self._times[item.key] = at
        self._outcomes[item.key] = Outcome(kind=kind, platform_at=at, reference=f"m-{item.key}")
        return self._outcomes[item.key]

    async def look_up(self, items: Sequence[Item]) -> list[Outcome]:
        """Return the stored outcome of each item; an item that is not stored is absent."""
        absent = Outcome(kind=OutcomeKind.DEFERRED, absent=True)
        return [self._outcomes.get(item.key, absent) for item in items]

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return the receipts issued after a cursor."""
        start = int(cursor or 0)
        return self._receipts[start:], str(len(self._receipts))

    async def listing(self, since: datetime) -> AsyncIterator[Listed | ListingMark]:
        """Yield every stored item since a time that has a document number."""
        for key, item in list(self.stored.items()):
            if item.document_number is not None and self._times[key] >= since:
                yield Listed(
                    record_kind=item.record_kind,
                    document_number=item.document_number,
                    subject_code=item.subject_code,
                    columns={name: str(value) for name, value in item.columns.items()},
                    shown_at=self._times[key],
                )

    async def health(self) -> Health:
        """Always report health."""
        return Health(ok=True)

    async def close(self) -> None:
        """Record that it was closed."""
        self.closed = True
