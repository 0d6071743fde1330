"""The result of check for one item (pure)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from gateway.check.raw import Raw
from schemas.codes import (
    RecordKind,
    Verb,
)
from schemas.event import CreditEvent
from schemas.identifiers import masked
from schemas.participant import Participant
from schemas.problem import Problem
from schemas.record import (
    BusinessKey,
    Record,
)
from schemas.verdict import Exclusion, Verdict


class Checked(NamedTuple):
    """The result of check for one item; refused items have no record, key or subject."""

    raw: Raw
    verdict: Verdict
    problems: tuple[Problem, ...]
    kind: RecordKind | None = None
    record: Record | None = None
    key: BusinessKey | None = None
    person: bool = False
    verb: Verb | None = None
    excluded: Exclusion | None = None
    unknown: Mapping[str, Any] | None = None
    pseudonym: str | None = None
    decided_on: date | None = None
    #: The row as it was given, by column, old ones too; None if it could not be parsed.
    given: Mapping[str, Any] | None = None
    #: What does not fit together, but holds nothing back.
    warnings: tuple[Problem, ...] = ()

    @property
    def event(self) -> CreditEvent | None:
        """The record if it is a credit event, otherwise None; an exact type test, for speed."""
        return self.record if type(self.record) is CreditEvent else None

    @property
    def entry(self) -> Participant | None:
        """The record if it is an entry of the register 名录, otherwise None; likewise."""
        return self.record if type(self.record) is Participant else None

    @property
    def shown_key(self) -> str | None:
        """The business key for display, with a pseudonym for a natural person.

        Identity numbers that stand as number or authority are masked.
        """
        if self.key is None:
            return None
        number, authority = masked(self.key.number), masked(self.key.authority)
        shown = self.key._replace(number=number, authority=authority)
        if self.pseudonym is None:
            return shown.text()
        return shown._replace(subject=self.pseudonym).text()
