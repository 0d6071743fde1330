"""What was known on a day of publication, and the grades of periods before this program's own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime

from gateway.rules.files import parse_rule_set
from gateway.rules.rulebook import Rulebook
from gateway.score.publication_days import day_of
from gateway.score.publish import Then, takes_part
from gateway.score.published import end_of
from gateway.score.stored_result import facts_of, subject_of
from gateway.store.base.engine import Connection
from gateway.store.record import facts as fact_store
from gateway.store.score import published as store
from gateway.store.score.published import LastAssessed, Publication
from gateway.store.score.rule_sets import rule_set_texts
from gateway.telemetry.log import LogEvent, logger
from scoring.consequences.published import publication_day, published

#: The published grades of subjects by the last day of the period.
Earlier = Mapping[int, Mapping[date, str | None]]


async def known_on(
    connection: Connection, rulebook: Rulebook, one: Publication, codes: Mapping[int, str]
) -> dict[int, Then]:
    """Return what was known on the day of those whose grade is one of the publication.

    `codes` are those of the subjects by id. Of whom nothing was decided until the end of the
    period, and who had no entry in the register, nothing is published. One of which something
    cannot be read is left out, with an alert: it never stops the others.
    """
    at = end_of(one.published_on)
    found = await store.last_assessed(connection, list(codes), at)
    texts = await rule_set_texts(connection) if found else {}
    bodies = await fact_store.facts_known_at(connection, list(codes), at)
    known = {}
    for last in found:
        try:
            then = _then(last, codes[last.subject_id], bodies, texts)
        except Exception:  # noqa: BLE001  one subject never stops the others
            logger.exception(LogEvent.ENGINE_FAILED)
            continue
        day = day_of(rulebook, then.facts.kind, then.facts.id, one.period_end)
        if takes_part(then, one, day):
            known[last.subject_id] = then
    late = [id_ for id_, then in known.items() if _first(then) > one.period_end]
    first = await store.first_decided(connection, late, at) if late else {}
    for id_ in late:
        if first.get(id_, date.max) > one.period_end:
            del known[id_]
    return known


def _first(then: Then) -> date:
    """Return the day of the first decision or entry that still stood."""
    days = (fact.decided_on for fact in (*then.facts.facts, *then.facts.register))
    return min(days, default=date.max)


def _then(
    last: LastAssessed, code: str, bodies: Mapping[int, bytes], texts: Mapping[str, str]
) -> Then:
    facts = facts_of(bodies.get(last.subject_id, b"[]"))
    subject = subject_of(code, last.kind, facts, last.result, suspect=last.criminal_suspect)
    return Then(subject, parse_rule_set(texts[last.rule_set_hash]))


async def with_computed(
    connection: Connection,
    rulebook: Rulebook,
    asked: Mapping[int, tuple[Then, Sequence[date]]],
    earlier: Earlier,
) -> dict[int, dict[date, str | None]]:
    """Return the grades of the earlier periods that are asked for, the stored ones first.

    Where this program has published the period, what is not stored was not published. Of the days
    before that, a grade is computed from what was known on its day; before anything was known
    here, from what has come of that time since.
    """
    grades = {id_: dict(earlier.get(id_, {})) for id_ in asked}
    missing: defaultdict[Publication, dict[int, Then]] = defaultdict(dict)
    for id_, (then, ends) in asked.items():
        for end in ends:
            if end not in grades[id_]:
                day = publication_day(then.snapshot, end)
                missing[Publication(end, day)][id_] = then
    if missing:
        done = {one.period_end for one in await store.finished(connection)}
        begun = await store.begun(connection)
        for one, subjects in missing.items():
            if one.period_end not in done:
                for id_, grade in (await _of(connection, rulebook, one, subjects, begun)).items():
                    grades[id_][one.period_end] = grade
    return grades


async def _of(
    connection: Connection,
    rulebook: Rulebook,
    one: Publication,
    subjects: Mapping[int, Then],
    begun: datetime | None,
) -> dict[int, str | None]:
    """Return the grades of a period that this program did not publish."""
    known: Mapping[int, Then] = subjects
    if begun is not None and begun <= end_of(one.published_on):
        codes = {id_: then.facts.id for id_, then in subjects.items()}
        known = await known_on(connection, rulebook, one, codes)
    return dict(_grades(known.items(), one))


def _grades(
    known: Iterable[tuple[int, Then]], one: Publication
) -> Iterable[tuple[int, str | None]]:
    for id_, then in known:
        try:
            yield id_, published(then.facts, then.rule_set, one.period_end).grade
        except Exception:  # noqa: BLE001  one subject never stops the others
            logger.exception(LogEvent.ENGINE_FAILED)
