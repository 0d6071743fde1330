"""The content of a record (pure): its stored body, its secrets apart, and the bytes to hash."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import orjson

from gateway.check.checked import Checked
from gateway.check.fine_words import imposes_fine
from schemas.base import Schema
from schemas.codes import ABOUT_A_DECISION, PENALTY_KINDS, EventType, Verb
from schemas.event import CreditEvent
from schemas.fines import FINE, names_fine
from schemas.identifiers import fold_once
from schemas.kinds import KINDS
from schemas.known import PROCESS_DATES
from schemas.participant import Participant
from schemas.penalty import AdministrativePenalty

#: Identity numbers are stored apart from the body; that of the representative is dropped, because
#: platforms advise against it (不推荐填写: ARCHITECTURE.md, "Words of a live platform").
_APART = {"identity_number", "representative_id", "representative_id_type"}


class Content(NamedTuple):
    """The body of a record version (JSON text), its secrets, and the bytes to hash.

    The same amount with other zeros, and other line ends, are the same content. `as_given` are the
    bytes that earlier releases hashed.
    """

    body: str
    secret: bytes | None
    hashed: bytes
    as_given: bytes


def content(checked: Checked) -> Content:
    """Return the content of a checked record, without unknown columns.

    Raises:
        TypeError: the item was refused and has no record.
    """
    record = checked.record
    if record is None:
        raise TypeError(checked.verdict)
    # As `model_dump_json` does, which takes half as long again to make a str of it.
    body = record.__pydantic_serializer__.to_json(
        record, by_alias=True, exclude_none=True, exclude=_APART
    )
    identity = getattr(record, "identity_number", None)
    secret = None
    if identity is not None:
        wire = type(record).model_fields["identity_number"].alias or "identity_number"
        secret = orjson.dumps({wire: identity})
    verb = (checked.verb or "").encode()
    scope = (checked.excluded or "").encode()
    as_given = b"\x1f".join((verb, scope, body, secret or b""))
    hashed = _longer_amounts(type(record)).sub(_shorter, as_given).replace(*_LINE_ENDS)
    return Content(body.decode(), secret, hashed, as_given)


#: The line end of Windows in JSON, and the one that it is hashed as.
_LINE_ENDS = (rb"\r\n", rb"\n")


@cache
def _longer_amounts(model: type[Schema]) -> re.Pattern[bytes]:
    """Return what finds the amounts that end in zeros behind the point, in a body as bytes.

    It finds nothing within a text, where JSON has a backslash before each quotation mark.
    """
    fields = model.model_fields.items()
    names = [field.alias or name for name, field in fields if "Decimal" in str(field.annotation)]
    name = "|".join(names) or "(?!)"
    return re.compile(rf'("(?:{name})":"\d+)(?:\.0+|(\.\d*[1-9])0+)"'.encode())


def _shorter(amount: re.Match[bytes]) -> bytes:
    """Return the same amount without these zeros."""
    return amount[1] + (amount[2] or b"") + b'"'


def fact_body(checked: Checked, verb: Verb) -> dict[str, Any] | None:
    """Return the fact of a record in the fields of the `score` input; None if it makes none."""
    if verb is Verb.WITHDRAW or checked.excluded is not None:
        return None
    if checked.record is None or not makes_facts(checked):
        return None
    return FACTS[type(checked.record)](checked.record)


def makes_facts(checked: Checked) -> bool:
    """Whether records of this kind or event type make facts for scoring."""
    if checked.event is not None:
        return checked.event.type not in NO_FACT
    return checked.kind is not None and KINDS[checked.kind].makes_fact


#: They are about another decision; criminal suspicion is about the subject.
NO_FACT = ABOUT_A_DECISION | {EventType.CRIMINAL_SUSPICION}


#: The national list of 2018 joins suspension and revocation, which the law tells apart.
_JOINED = {"暂扣或吊销许可证": "许可证", "暂扣或吊销执照": "执照"}
_SUSPENDED, _REVOKED = "暂扣", "吊销"
#: A permit by its own name, as in 其他-吊销排污许可证; 注销 and 撤销 are no penalties.
_NAMED_PERMIT = re.compile(
    rf"(?:其他-)?({_SUSPENDED}|{_REVOKED})[^、，,。；;或]{{0,20}}?(许可证|执照)(?:正本|副本|正副本)?"
)


def _told_apart(penalty: AdministrativePenalty) -> tuple[str, ...]:
    """Return the kinds of a penalty; what the list joins is told apart by the decision's words.

    Where they do not tell, the joined kind stays, which rule sets read as the stricter one.
    """
    kinds = tuple(map(_as_revocation, _with_fine_in_words(penalty)))
    if _JOINED.keys().isdisjoint(kinds):
        return kinds
    words = f"{penalty.penalty_content or ''}{penalty.suspended_permit or ''}"
    said = [one for one in (_SUSPENDED, _REVOKED) if one in words]
    return kinds if len(said) != 1 else tuple(_said(said[0], kind) for kind in kinds)


def _as_revocation(kind: str) -> str:
    """Return a kind that suspends or revokes a permit by its name as the kind of the list."""
    named = None if kind in PENALTY_KINDS else _NAMED_PERMIT.fullmatch(kind)
    return kind if named is None else f"{named[1]}{named[2]}"


def _with_fine_in_words(penalty: AdministrativePenalty) -> tuple[str, ...]:
    """Return the kinds, with a fine that only the words of the decision name.

    Without its amount the subject is not evaluated, as by any fine without one.
    """
    kinds, words = penalty.penalty_kinds or (), penalty.penalty_content
    if words is None or penalty.fine_wan or names_fine(kinds) or not imposes_fine(words):
        return kinds
    return (*kinds, FINE)


def _said(what: str, kind: str) -> str:
    return f"{what}{_JOINED[kind]}" if kind in _JOINED else kind


def _penalty_fact(penalty: AdministrativePenalty) -> dict[str, Any]:
    fine = None if penalty.fine_wan is None else format(penalty.fine_wan, "f")
    body = {
        "penalty": {"types": _told_apart(penalty), "fine_wan": fine},
        "decided_on": penalty.decision_date,
        "document_number": penalty.document_number,
        "department": penalty.authority,
    }
    site = _site_of(penalty)
    return body if site is None else body | {"site": site}


#: A permit number 排污许可证编号 is the credit code of its holder, three digits and a letter.
_PERMIT_END = re.compile(r"[0-9]{3}[A-Z]")


def _site_of(penalty: AdministrativePenalty) -> str | None:
    """Return the site 厂址 of a penalty: the one permit of the subject that its words name.

    None where they name none or several: the penalty counts at every site (note r26).
    """
    told = (
        penalty.violation_facts,
        penalty.penalty_content,
        penalty.suspended_permit,
        penalty.remark,
    )
    words, code = " ".join(filter(None, told)), penalty.credit_code
    if code is None or "许可" not in words:
        return None
    ends = (_PERMIT_END.match(after) for after in fold_once(words).split(code)[1:])
    permits = {f"{code}{end[0]}" for end in ends if end is not None}
    return permits.pop() if len(permits) == 1 else None


def _event_fact(event: CreditEvent) -> dict[str, Any]:
    authority = None if event.decision is None else event.decision.authority
    body: dict[str, Any] = {
        "type": event.type,
        "item": event.item,
        "decided_on": event.occurred_on,
        "document_number": event.id,
        "principal_points": _plain(event.principal_points),
        "stated_points": _plain(event.stated_points),
        "created_on": event.created_on,
        "codes": event.codes,
        "department": _word(event.details.get("department")) or authority,
        "site": _word(event.details.get("site")),
        "self_reported": event.self_reported,
    }
    return {name: value for name, value in body.items() if value} | process_dates(event)


def _plain(points: Decimal | None) -> str | None:
    return None if points is None else format(points, "f")


def _word(value: object) -> str | None:
    """Return the text of a free detail without outer spaces; None if empty or no text."""
    return (value.strip() or None) if isinstance(value, str) else None


def process_dates(event: CreditEvent) -> dict[str, Any]:
    """Return the dates that an event sets in a fact: rectified, repaired, warned, confirmed."""
    dates = {name: getattr(event, name) for name in PROCESS_DATES}
    if event.type is EventType.RECTIFICATION and event.rectified_on is None:
        dates["rectified_on"] = event.occurred_on
    if event.type is EventType.CONFIRMATION and event.confirmed_on is None:
        dates["confirmed_on"] = event.occurred_on
    return {name: day for name, day in dates.items() if day is not None}


def _participant_fact(entry: Participant) -> dict[str, Any]:
    weight = None if entry.weight is None else format(entry.weight, "f")
    of_register = {
        "kind": entry.subject_kind,
        "until": entry.until,
        "batch": entry.batch,
        "agency_kinds": entry.agency_kinds,
        "permit": entry.permit,
        "weight": weight,
        "parent": entry.parent_code,
        "reason": entry.reason,
    }
    return {
        "decided_on": entry.since,
        "document_number": entry.id,
        "entry": {name: value for name, value in of_register.items() if value},
    }


#: How a record of each kind that makes facts becomes one, by its model.
FACTS: dict[type[Schema], Callable[[Any], dict[str, Any]]] = {
    AdministrativePenalty: _penalty_fact,
    CreditEvent: _event_fact,
    Participant: _participant_fact,
}
