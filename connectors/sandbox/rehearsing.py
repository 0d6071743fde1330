"""Which rehearsal answers a call and a row of a place: an ordered one, or one chosen by a mark."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.sandbox.faults import Faults
from connectors.sandbox.rehearsals import (
    EVERY,
    REHEARSALS,
    Interface,
    Rehearsal,
    chosen_by,
    unknown_mark,
)


class Rehearsing:
    """The rehearsals of one place; with `marks`, document numbers select them, too."""

    def __init__(self, *, marks: bool) -> None:
        self._marks = marks
        self._ordered: Rehearsal | None = None
        self._calls_left: int | None = None
        #: How many calls a document number has chosen the answer of.
        self._chosen: Counter[str] = Counter()
        #: The first content of each marked document number: what corrects it is taken.
        self._first: dict[str, bytes] = {}

    def order(self, name: str, calls: int | None = None) -> None:
        """Answer the next calls by a rehearsal; without a number, every call until it is ended."""
        self._ordered, self._calls_left = REHEARSALS[name], calls

    def end(self) -> None:
        """Answer as the place does without a rehearsal."""
        self._ordered = None

    def shown(self) -> dict[str, Any]:
        """Return what is ordered, and for how many calls; None means no end."""
        name = None if self._ordered is None else self._ordered.name
        return {"name": name, "calls": self._calls_left if name else None}

    def of_call(
        self, faults: Faults, interface: Interface | None, documents: Iterable[str]
    ) -> Faults:
        """Return the faults of the next call; the interface is None if it hands nothing over."""
        changes: dict[str, Any] = {}
        if (ordered := self._taken(interface)) is not None:
            changes |= ordered.faults
        if self._marks and interface is not None:
            changes |= self._chosen_by(documents, interface)
        if not changes:
            return faults
        if "odd" in changes:
            changes["odd"] = f"{'soap' if interface == 'soap' else 'json'}-{changes['odd']}"
        return faults.model_copy(update=changes)

    def _chosen_by(self, documents: Iterable[str], interface: Interface) -> Mapping[str, Any]:
        """Return the faults that the first of these numbers chooses which has not had its calls."""
        for document in documents:
            found = chosen_by(document, interface)
            if found and not found.of_row and self._chosen[document] < found.calls:
                self._chosen[document] += 1
                return found.faults
        return {}

    def _taken(self, interface: Interface | None) -> Rehearsal | None:
        """Return the ordered rehearsal if it answers this call; lowers the number of its calls."""
        ordered = self._ordered
        if ordered is None or (interface is None and not ordered.everywhere):
            return None
        if self._calls_left is not None:
            self._calls_left -= 1
            if self._calls_left == 0:
                self._ordered = None
        return ordered

    def of_row(self, faults: Faults, interface: Interface, document: str, content: bytes) -> Faults:
        """Return the faults of a row whose document number has a mark."""
        if not self._marks or self._first.setdefault(document, content) != content:
            return faults
        if (words := unknown_mark(document, interface)) is not None:
            return faults.model_copy(update={"reject_now": {EVERY: [words]}})
        found = chosen_by(document, interface)
        if found is None or not found.of_row:
            return faults
        return faults.model_copy(update=dict(found.faults))
