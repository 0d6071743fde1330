"""An assessment as it is kept: in short, with the digest of its trace; and read again (pure)."""

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


def without_result(subject: Facts, as_of: date, reason: NotEvaluated) -> Assessment:
    """An assessment that says why there is no result."""
    return Assessment(
        id=subject.id,
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
    """The result as it is kept: what counted and how much, and the digest of the whole trace.

    The sites that the register had then are kept with it, to compute it again.
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
    """SHA-256 of the whole trace in JSON, by which a recomputed one is compared."""
    return hashlib.sha256(_TRACE.encode(assessment)).hexdigest()


def sites_of(result: Mapping[str, Any]) -> tuple[Site, ...]:
    """The sites that a kept result was computed with."""
    return tuple(Site(permit, Decimal(weight)) for permit, weight in result.get("sites", ()))


def again(subject: Facts, rule_set: RuleSet | None, as_of: date) -> Assessment:
    """A past assessment computed again from the facts and the rule set of then."""
    if rule_set is None:
        return without_result(subject, as_of, NotEvaluated.NO_RULE_SET)
    return assess(subject, rule_set, as_of)


_BODIES = msgspec.json.Decoder(list[Fact])


def facts_of(bodies: bytes) -> list[Fact]:
    """The facts whose bodies come as one JSON list, in the same order.

    Raises:
        msgspec.ValidationError: a body that this program did not write.
    """
    return _BODIES.decode(bodies)


def fact_of(body: Mapping[str, Any]) -> Fact:
    """One fact from its parsed body; raises as `facts_of` does."""
    return msgspec.convert(body, Fact)
