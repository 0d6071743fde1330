"""Our side of a comparison: rows of the store, and whose a row of the other side is."""

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from sys import intern
from typing import Any

import orjson

from gateway.config.keys import Keys, is_person
from gateway.due.deadline import parse_dues
from gateway.reconcile.pairing import Pairing
from gateway.reconcile.pairs import Ours, Shown
from schemas.codes import Verb
from schemas.delivery import DeliveryState
from schemas.destination import Destination
from schemas.identifiers import credit_code_problem, fold
from schemas.kinds import as_natural_person


class DefiniteDues:
    """The earliest due time of all clocks whose end is known: one beyond the calendar is no breach.

    `is_provisional` says it of a clock and the day of a decision.
    """

    def __init__(self, is_provisional: Callable[[str, date], bool]) -> None:
        self._is_provisional = lru_cache(maxsize=4096)(is_provisional)
        self.earliest = lru_cache(maxsize=4096)(self._earliest)  # many have the same

    def _earliest(self, dues: tuple[str, ...], day: date) -> datetime | None:
        known = [
            at
            for text in dues
            for clock, at in parse_dues(text).items()
            if not self._is_provisional(clock, day)
        ]
        return min(known, default=None)


def row_at_platform(row: Any, dues: DefiniteDues, destination: Destination) -> Ours:
    """Turn a row of the store into our side; `due` is the earliest of all clocks that is known."""
    columns = row.body
    if destination.has_among_persons(row.code):
        columns = orjson.dumps(as_natural_person(row.kind, orjson.loads(columns)))
    return Ours(
        decision_id=row.id,
        kind=intern(row.kind),  # what many have is kept once
        number_key=row.number_key,
        subject_code=intern(row.code),
        person=row.person,
        authority=intern(row.authority),
        columns=columns,
        day=row.decision_date,
        owed=row.owed,
        excluded=row.excluded,
        withdrawn_at=row.recorded_at if row.verb == Verb.WITHDRAW else None,
        repaired=row.verb == Verb.REPAIR,
        due=dues.earliest(tuple(row.dues or ()), row.decision_date),
        report_id=row.report_id,
        report_state=DeliveryState(row.report_state) if row.report_state else None,
        correction_due=row.correction_due,
        corrected_at=row.corrected_at,
        told_at=row.told_at,
        state=DeliveryState(row.state) if row.state else None,
        handed_over_at=row.handed_over_at,
        accepted_at=row.accepted_at,
    )


def row_with_entry(row: Any) -> Ours:
    """Turn a row of the store into our side of a comparison with a register."""
    return Ours(
        decision_id=row.id,
        kind=intern(row.kind),
        number_key=row.number_key,
        subject_code=intern(row.code),
        person=row.person,
        authority=intern(row.authority),
        columns=row.body,
        day=row.decision_date,
        excluded=row.excluded,
        withdrawn_at=row.recorded_at if row.verb == Verb.WITHDRAW else None,
        entered_at=row.entered_at,
    )


def recognising(pairing: Pairing, keys: Keys) -> Callable[[Shown], None]:
    """Return what pairs a row after its subject's code has become ours."""
    ours = {code for _, _, code in pairing.pairs}
    persons = [code for code in ours if is_person(code)]
    by_pseudonym = {name: code for code in persons for name in keys.ever_published(code)}

    def pair_row(row: Shown) -> None:
        code = row.subject_code  # usually known, so that most rows skip the hash
        if code not in ours:
            code = by_pseudonym.get(code) or subject_code(code, keys.person)
            row = Shown(row.kind, row.document_number, code, row.columns, row.shown_at, row.verb)
        pairing.see(row)

    return pair_row


def subject_code(code: str, person: Callable[[str], str]) -> str:
    """Return our code of a subject shown by another side; for a natural person, the keyed hash.

    A masked number stays as it is: it identifies nobody and is paired by the document number.
    """
    if is_person(code):
        return code
    folded = fold(code)
    if not folded or "*" in folded or credit_code_problem(folded) is None:
        return folded
    return person(folded)
