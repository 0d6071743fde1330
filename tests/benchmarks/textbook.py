"""The handler of a FastStream tutorial: one message, one transaction, one commit.

It checks and scores like the gateway and writes the same rows, each with one statement.
"""

import asyncio
import hashlib
import os
from datetime import timedelta
from typing import Any

import orjson
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.check.raw import Raw
from gateway.config.clock import system_clock
from gateway.config.keys import Keys, Master
from gateway.record.content import content, fact_body
from gateway.score.stored_result import fact_of, short
from gateway.store.base.tables import deliver, record, score
from schemas.codes import RecordKind, SubjectKind, Verb
from scoring.engine.assess import assess
from scoring.facts import Facts
from scoring.regulation.ruleset import RuleSet


async def main() -> None:
    """Consume until stopped."""
    from gateway.config.settings import ScoringSettings
    from gateway.rules.rulebook import Rulebook

    engine = create_async_engine(os.environ["BENCH_URL"])
    keys = Keys(Master(b"bench"))
    checker = Checker(keys)
    rule_set = Rulebook(ScoringSettings()).load("nm-2023-draft").rule_set
    broker = KafkaBroker(os.environ["BENCH_KAFKA"], logger=None)

    @broker.subscriber(
        os.environ["BENCH_TOPIC"],
        group_id="textbook",
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.MANUAL,
    )
    async def handle(message: KafkaMessage) -> None:
        record: Any = message.raw_message
        raw = Raw(
            "textbook", record.offset * 2 + record.partition, record.value, RecordKind.PENALTY
        )
        checked = checker.check(raw, system_clock().date())
        async with engine.begin() as connection:
            await write(connection, checked, rule_set)
        await message.ack()

    await broker.start()
    await asyncio.Event().wait()


async def write(connection: AsyncConnection, checked: Checked, rule_set: RuleSet) -> None:
    """Write all rows of one record."""
    if checked.key is None or checked.record is None:
        raise TypeError(checked.verdict)
    now = system_clock()
    subject_id = await _id_of(
        connection, record.subject, record.subject.c.code, checked.key.subject
    )
    authority_id = await _id_of(
        connection, record.authority, record.authority.c.name, checked.key.authority
    )
    decision_id, version_id = await _next(connection), await _next(connection)
    await _record(connection, checked, decision_id, version_id, subject_id, authority_id)
    await _score(connection, subject_id, checked, rule_set)
    await _deliver(connection, decision_id, version_id, subject_id)
    await connection.execute(
        insert(record.inbox).values(
            origin_id=1,
            position=checked.raw.position,
            bytes_hash=hashlib.sha256(checked.raw.body or b"").digest(),
            verdict="ok",
            record_version_id=version_id,
            recorded_at=now,
        )
    )


async def _record(
    connection: AsyncConnection,
    checked: Checked,
    decision_id: int,
    version_id: int,
    subject_id: int,
    authority_id: int,
) -> None:
    if checked.key is None or checked.record is None:
        raise TypeError(checked.verdict)
    now, made = system_clock(), content(checked)
    await connection.execute(
        insert(record.decision).values(
            id=decision_id,
            kind="penalty",
            number_key=checked.key.number,
            authority_id=authority_id,
            subject_id=subject_id,
            decision_date=getattr(checked.record, "decision_date", None),
            verdict="ok",
            verb="new",
            version=1,
            version_id=version_id,
            content_hash=hashlib.sha256(made.hashed).digest(),
            recorded_at=now,
        )
    )
    await connection.execute(
        insert(record.record_version).values(
            id=version_id,
            decision_id=decision_id,
            version=1,
            verb="new",
            body=orjson.loads(made.body),
            verdict="ok",
            recorded_at=now,
        )
    )
    await _add_fact(connection, checked, decision_id, subject_id)


async def _add_fact(
    connection: AsyncConnection, checked: Checked, decision_id: int, subject_id: int
) -> None:
    fact_id = await _next(connection)
    fact = {**(fact_body(checked, Verb.NEW) or {}), "id": str(fact_id)}
    body = orjson.loads(orjson.dumps(fact))
    await connection.execute(
        insert(record.fact).values(
            id=fact_id,
            subject_id=subject_id,
            decision_id=decision_id,
            body=body,
            decided_on=getattr(checked.record, "decision_date", None),
            known_from=system_clock(),
        )
    )


async def _deliver(
    connection: AsyncConnection, decision_id: int, version_id: int, subject_id: int
) -> None:
    now = system_clock()
    for name in ("platform-a", "platform-b", "platform-c"):
        await connection.execute(
            insert(deliver.delivery).values(
                id=await _next(connection),
                item_kind="record_version",
                item_id=version_id,
                destination=name,
                subject_id=subject_id,
                chain_id=decision_id,
                verb="new",
                state="ready",
                due_at=now + timedelta(days=7),
                clock="calendar-7",
                dues={},
                created_at=now,
            )
        )


async def _score(
    connection: AsyncConnection, subject_id: int, checked: Checked, rule_set: RuleSet
) -> None:
    now = system_clock()
    rows = await connection.execute(
        select(record.fact.c.body).where(record.fact.c.subject_id == subject_id)
    )
    facts = tuple(fact_of(row.body) for row in rows)
    code = checked.key.subject if checked.key else ""
    subject = Facts(code, SubjectKind.ENTERPRISE, facts)
    result = assess(subject, rule_set, now.date())
    assessment_id = await _next(connection)
    await connection.execute(
        insert(score.assessment).values(
            id=assessment_id,
            subject_id=subject_id,
            subject_kind="enterprise",
            criminal_suspect=False,
            as_of=now.date(),
            fact_ids=[int(one.id) for one in facts],
            grade=result.grade,
            result=orjson.loads(short(result, subject)),
            recorded_at=now,
        )
    )
    await _note_change(connection, subject_id, assessment_id, result.grade)


async def _note_change(
    connection: AsyncConnection, subject_id: int, assessment_id: int, grade: str | None
) -> None:
    last = await connection.scalar(
        select(score.grade_change.c.to_grade)
        .where(score.grade_change.c.subject_id == subject_id)
        .order_by(score.grade_change.c.id.desc())
        .limit(1)
    )
    if last != grade:
        await connection.execute(
            insert(score.grade_change).values(
                id=await _next(connection),
                subject_id=subject_id,
                assessment_id=assessment_id,
                from_grade=last,
                to_grade=grade,
                body={},
                recorded_at=system_clock(),
            )
        )


async def _next(connection: AsyncConnection) -> int:
    return int(await connection.scalar(text("select nextval('gateway_id')")) or 0)


async def _id_of(connection: AsyncConnection, table: Any, column: Any, value: str) -> int:
    found = await connection.scalar(select(table.c.id).where(column == value))
    if found is not None:
        return int(found)
    id_ = await _next(connection)
    values: dict[str, Any] = {"id": id_, column.name: value}
    if table is record.subject:
        values["person"] = False
    await connection.execute(insert(table).values(**values))
    return id_


if __name__ == "__main__":
    asyncio.run(main())
