"""What a sandbox place does wrong, and for how long; every fault is off by default."""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import AwareDatetime


class Faults(BaseModel):
    """Orders to misbehave; counts are used up call by call, times go by the sandbox's clock."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    #: Verdict at once, or a receipt `receipt_after` later.
    mode: Literal["accept", "submit"] = "accept"
    receipt_after: timedelta = timedelta(0)
    #: Document number → reasons: taken, then rejected by a receipt `reject_after` later.
    reject_later: dict[str, list[str]] = Field(default_factory=dict)
    reject_after: timedelta = timedelta(0)
    #: Document number → reasons: rejected at once.
    reject_now: dict[str, list[str]] = Field(default_factory=dict)
    #: Record kind → columns that must not be empty, or the row is rejected.
    required_columns: dict[str, list[str]] = Field(default_factory=dict)
    #: Answer this much later, in real seconds, after storing.
    slow: float = Field(default=0, ge=0, le=600)
    #: Calls whose rows are stored and whose answer never comes: the connection is closed.
    drop_answers: int = Field(default=0, ge=0)
    #: Calls whose rows are stored and which are then answered 500.
    fail_answers: int = Field(default=0, ge=0)
    #: Calls answered with counts that do not add up (SOAP) or other rows than were asked (JSON).
    wrong_counts: int = Field(default=0, ge=0)
    #: How the JSON answer deviates: rows turned round, the last one missing, one too many, no JSON.
    answer: Literal["whole", "reversed", "short", "long", "garbled"] = "whole"
    #: Out of order: connections closed unanswered, or 503; until a time, for some calls, or both
    #: unset: until told otherwise.
    down: Literal["", "closed", "503"] = ""
    down_calls: int | None = Field(default=None, ge=0)
    down_until: AwareDatetime | None = None
    #: Calls refused unread with this status, 429 by default.
    refuse_calls: int = Field(default=0, ge=0)
    refuse_status: int = Field(default=429, ge=300, le=599)
    #: `Retry-After` of refused calls and of 503, in seconds.
    retry_after: int | None = Field(default=None, ge=0)
    #: Document numbers that the listing does not show.
    hidden: list[str] = Field(default_factory=list)
    page_size: int = Field(default=500, ge=1)
    #: SOAP: calls with one of these document numbers are answered 5001 as a whole.
    spoils: list[str] = Field(default_factory=list)
    #: SOAP: every call is answered with this code, nothing stored.
    error_code: str = ""
    #: SOAP: code of a row that is already there; empty counts it as a success.
    repeat_code: str = "20001"

    def takes(self, name: str) -> bool:
        """Use up one of a counted fault; False where none is left."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def is_down(self, now: datetime) -> bool:
        """Tell whether this call meets a place that is out of order."""
        if not self.down or (self.down_until is not None and now >= self.down_until):
            return False
        return self.down_calls is None or self.takes("down_calls")
