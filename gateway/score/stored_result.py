"""The stored form of an assessment: short, with the digest of its trace (pure)."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import orjson

from schemas.credit import Assessment, NotEvaluated
from scoring.engine.assess import assess
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


def short(assessment: Assessment, sites: Sequence[Site]) -> bytes:
    """Return the stored form: score, grade, deductions, and the digest of the whole trace.

    It also contains the sites that the register had then, to compute the assessment again.
    """
    weights = {"sites": [[site.permit, plain(site.weight)] for site in sites]} if sites else {}
    return orjson.dumps(
        weights
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


def sites_of(result: Mapping[str, Any]) -> tuple[Site, ...]:
    """Return the sites that a stored result was computed with."""
    return tuple(Site(permit, Decimal(weight)) for permit, weight in result.get("sites", ()))


def again(subject: Facts, rule_set: RuleSet | None, as_of: date) -> Assessment:
    """Compute a past assessment again from its facts and its rule set."""
    if rule_set is None:
        return without_result(subject.id, as_of, NotEvaluated.NO_RULE_SET)
    return assess(subject, rule_set, as_of)


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
