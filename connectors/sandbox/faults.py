"""The faults that a sandbox place simulates, and for how long; all are off by default."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.sandbox.odd import ODDITIES
from schemas.base import AwareDatetime


class Faults(BaseModel):
    """The faults of one place; each affected call lowers a count; times use the sandbox clock."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    #: Give the verdict at once, by a receipt `receipt_after` later, or never.
    mode: Literal["accept", "submit", "silent"] = "accept"
    receipt_after: timedelta = timedelta(0)
    #: Document number, or `*` for every one → reasons: stored, then rejected by a receipt
    #: `reject_after` later.
    reject_later: dict[str, list[str]] = Field(default_factory=dict)
    reject_after: timedelta = timedelta(0)
    #: Document number, or `*` for every one → reasons: rejected at once.
    reject_now: dict[str, list[str]] = Field(default_factory=dict)
    #: Record kind → columns that must not be empty, or the row is rejected.
    required_columns: dict[str, list[str]] = Field(default_factory=dict)
    #: Answer this much later, in real seconds, after storing.
    slow: float = Field(default=0, ge=0, le=600)
    #: Number of calls that store their rows and then close the connection without an answer.
    drop_answers: int = Field(default=0, ge=0)
    #: Number of calls that store their rows and then answer 500.
    fail_answers: int = Field(default=0, ge=0)
    #: Number of calls answered with wrong counts (SOAP) or with an unknown row (JSON).
    wrong_counts: int = Field(default=0, ge=0)
    #: The JSON answer: complete, in reverse order, without the last row, with an unknown row
    #: instead of the last one, with each row twice, or not JSON. SOAP knows `twice`, too.
    answer: Literal["whole", "reversed", "short", "long", "twice", "garbled"] = "whole"
    #: The name of an odd answer that is given to whoever hands something over (`odd.py`).
    odd: str = ""
    #: The place is down: it closes connections, or answers 503. It ends at `down_until` or after
    #: `down_calls` calls; if both are unset, it lasts until the fault is cleared.
    down: Literal["", "closed", "503"] = ""
    down_calls: int | None = Field(default=None, ge=0)
    down_until: AwareDatetime | None = None
    #: Number of calls that are refused with `refuse_status` and not read.
    refuse_calls: int = Field(default=0, ge=0)
    refuse_status: int = Field(default=429, ge=300, le=599)
    #: `Retry-After` in seconds for refused calls and for 503.
    retry_after: int | None = Field(default=None, ge=0)
    #: Document numbers that the listing does not show.
    hidden: list[str] = Field(default_factory=list)
    #: The listing shows what was stored this long ago or earlier, and says so.
    listing_behind: timedelta = timedelta(0)
    page_size: int = Field(default=500, ge=1)
    #: SOAP: a call with one of these document numbers fails as a whole with 5001.
    spoils: list[str] = Field(default_factory=list)
    #: SOAP: every call is answered with this code and stores nothing.
    error_code: str = ""
    #: SOAP: the code for a row that is already stored; empty: it counts as a success.
    repeat_code: str = "20001"

    @field_validator("odd")
    @classmethod
    def _known(cls, name: str) -> str:
        if name and name not in ODDITIES:
            raise ValueError(f"没有这种应答；现有：{'、'.join(ODDITIES)}")
        return name

    def takes(self, name: str) -> bool:
        """Lower the count of a fault by one; returns False if it was already zero."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def is_down(self, now: datetime) -> bool:
        """Return whether the place is down for this call; lowers `down_calls`."""
        if not self.down or (self.down_until is not None and now >= self.down_until):
            return False
        return self.down_calls is None or self.takes("down_calls")
