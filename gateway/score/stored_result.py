"""The stored form of an assessment: short, with the digest of its trace (pure)."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import orjson
from msgspec.structs import replace

from gateway.telemetry.log import LogEvent, logger
from schemas.codes import SubjectKind
from schemas.credit import Assessment, NotEvaluated
from scoring.engine.assess import assess
from scoring.engine.register import next_turn
from scoring.facts import Fact, Facts, Site, plain
from scoring.regulation.ruleset import RuleSet


def without_result(code: str, as_of: date, reason: NotEvaluated) -> Assessment:
    """Return an assessment with a reason instead of a result."""
    return Assessment(
        id=code,
        as_of=as_of,
        rule_set=None,
        score=None,
        grade=None,
        veto=False,
        vetoes=(),
        deductions=(),
        unmapped=(),
        notes=(),
        not_evaluated=reason.value,
        changes_on=None,
    )


def short(assessment: Assessment, subject: Facts) -> bytes:
    """Return the stored form: score, grade, deductions, and the digest of the whole trace.

    It also contains what the configuration said of the subject, to compute it again.
    """
    configured: dict[str, Any] = {}
    if subject.sites:
        configured["sites"] = [[site.permit, plain(site.weight)] for site in subject.sites]
    if subject.participants_only:
        configured["participants_only"] = True
    return orjson.dumps(
        configured
        | {
            "score": assessment.score,
            "grade": assessment.grade,
            "veto": assessment.veto,
            "deductions": [[row.item, row.points, row.fact] for row in assessment.deductions],
            "not_evaluated": assessment.not_evaluated,
            "digest": digest(assessment),
        }
    )


_TRACE = msgspec.json.Encoder()


def digest(assessment: Assessment) -> str:
    """Return the SHA-256 of the whole trace as JSON, to compare with a recomputed one."""
    return hashlib.sha256(_TRACE.encode(assessment)).hexdigest()


def subject_of(
    code: str, kind: str, stored: Iterable[Fact], result: Mapping[str, Any], *, suspect: bool
) -> Facts:
    """Return the subject that a stored result was computed from; earlier releases stored sites."""
    sites = tuple(Site(permit, Decimal(weight)) for permit, weight in result.get("sites", ()))
    return Facts(
        code,
        SubjectKind(kind),
        tuple(stored),
        None,
        suspect,
        sites,
        participants_only=result.get("participants_only", False),
    )


class StoredFact(NamedTuple):
    """A fact, and the id of the subject that it is about."""

    owner: int
    fact: Fact


def stored_facts(rows: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[int, StoredFact]:
    """Return facts by id from their (subject id, body); one that cannot be read is left out."""
    found = {}
    for owner, body in rows:
        try:
            fact = fact_of(body)
        except msgspec.ValidationError:
            logger.exception(LogEvent.ENGINE_FAILED)
            continue
        found[int(fact.id)] = StoredFact(owner, fact)
    return found


def facts_for(
    subject_id: int, ids: Iterable[int], facts: Mapping[int, StoredFact]
) -> Iterator[Fact]:
    """Yield the facts of these ids as those of a subject: what another one did is of a branch."""
    for id_ in ids:
        if id_ in facts:
            owner, fact = facts[id_]
            yield fact if owner == subject_id else replace(fact, branch=str(owner))


def ids_of(subject: Facts) -> list[int]:
    """Return the ids of its facts and of its entries in the register."""
    return sorted(int(fact.id) for fact in (*subject.facts, *subject.register))


def again(subject: Facts, rule_set: RuleSet | None, as_of: date) -> Assessment:
    """Compute an assessment from its facts and its rule set; without one, when it may get one."""
    if rule_set is not None:
        return assess(subject, rule_set, as_of)
    nothing = without_result(subject.id, as_of, NotEvaluated.NO_RULE_SET)
    return replace(nothing, changes_on=next_turn(subject, as_of))


_BODIES = msgspec.json.Decoder(list[Fact])


def facts_of(bodies: bytes) -> list[Fact]:
    """Return the facts of a JSON list of fact bodies, in the same order.

    Raises:
        msgspec.ValidationError: this program did not write the body.
    """
    return _BODIES.decode(bodies)


def fact_of(body: Mapping[str, Any]) -> Fact:
    """Return one fact from its parsed body; raises like `facts_of`."""
    return msgspec.convert(body, Fact)
