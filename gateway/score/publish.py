"""Publish the grades of a period 公布评价结果: what was known on the day, by the text of then."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from gateway.score.publication_days import snapshot_of
from gateway.score.stored_result import without_result
from gateway.store.score.published import Publication
from gateway.telemetry.log import LogEvent, logger
from schemas.credit import Assessment, NotEvaluated, PublishedResult
from scoring.consequences.measures import Standing
from scoring.consequences.published import listed, period, publication_day, published
from scoring.facts import Facts
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Listing, Snapshot


class Then(NamedTuple):
    """What was known of a subject on a day, and the text of the rule set that scored it."""

    facts: Facts
    rule_set: RuleSet

    @property
    def snapshot(self) -> Snapshot | None:
        """The rule by which grades of such subjects are published, if they are."""
        return snapshot_of(self.rule_set, self.facts.kind)

    @property
    def is_public(self) -> bool:
        """Whether the rule set publishes the results of such subjects."""
        table = self.rule_set.table(self.facts.kind)
        return table is None or table.public


class ResultOfPeriod(NamedTuple):
    """The result of a period, and the list on which the grades of the last periods put it."""

    assessment: Assessment
    listing: Listing | None

    def told(self, one: Publication) -> PublishedResult:
        """Return the result as grade changes and measures use it."""
        listings = (self.listing.title,) if self.listing else ()
        return PublishedResult(*one, self.assessment.grade, listings)


def takes_part(then: Then, one: Publication, day: date | None) -> bool:
    """Whether the grade of the subject is one of this publication.

    `day` is the one on which its grade of the period is published, by the rule set bound to it;
    None if none is any more: then it is that of the text of then.
    """
    snapshot = then.snapshot
    if snapshot is None or period(snapshot.cadence, one.period_end)[1] != one.period_end:
        return False
    return (day or publication_day(snapshot, one.period_end)) == one.published_on


def publish(then: Then, one: Publication) -> ResultOfPeriod:
    """Return the result of a period, without lists; an error of the engine is a result, too."""
    try:
        result = published(then.facts, then.rule_set, one.period_end, one.published_on)
        return ResultOfPeriod(result, None)
    except Exception:  # noqa: BLE001  one subject never stops the others
        logger.exception(LogEvent.ENGINE_FAILED, extra={"rule_set": then.rule_set.name})
        reason = NotEvaluated.ENGINE_ERROR
        return ResultOfPeriod(without_result(then.facts.id, one.period_end, reason), None)


def years_before(then: Then, result: ResultOfPeriod) -> list[date]:
    """Return the ends of the earlier periods whose grades decide about a list; [] without one."""
    table = then.rule_set.table(then.facts.kind)
    rule = None if table is None else table.listing
    last, grade = result.assessment.as_of, result.assessment.grade
    if rule is None or grade != rule.grade:
        return []
    return [last.replace(year=year) for year in range(last.year - rule.years + 1, last.year)]


def with_list(
    then: Then, result: ResultOfPeriod, earlier: Mapping[date, str | None]
) -> ResultOfPeriod:
    """Return the result with the list on which it puts the subject.

    `earlier` are the grades of earlier periods as they were published, by the last day.
    """
    table, ends = then.rule_set.table(then.facts.kind), years_before(then, result)
    if table is None or not ends or result.assessment.grade is None:
        return result
    grades = {end.year: grade for end in ends if (grade := earlier.get(end)) is not None}
    grades[result.assessment.as_of.year] = result.assessment.grade
    return result._replace(listing=listed(grades, table))


def reasons(
    then: Then, result: ResultOfPeriod, told: PublishedResult, before: Standing
) -> tuple[str, ...]:
    """Return in Chinese what a publication changes, and why it is later than the text says."""
    grade = told.grade or "不评价"
    lines = [f"截至{told.period_end}的评价期：{grade}，{told.published_on}公布"]
    day = publication_day(then.snapshot, told.period_end)
    if told.published_on > day:
        lines.append(f"评价办法的公布日{day}早于该办法启用之日，在启用之日公布")
    if result.listing is not None and result.listing.title not in before.listings:
        lines.append(f"列入{result.listing.title}（{result.listing.article}）")
    lines += [f"移出{title}" for title in before.listings if title not in told.listings]
    return tuple(lines)
