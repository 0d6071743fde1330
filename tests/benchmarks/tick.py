"""One tick of the schedule on a filled database: it must not grow with what is finished."""

import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import text

from gateway.config.clock import SteppedClock
from gateway.config.settings import make_settings
from gateway.deliver.forecast import predict
from gateway.service.app import build
from gateway.service.roles import build_deliverers, build_schedule
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from tests.benchmarks.world import World, fresh_database, take_statistics

#: Deliveries in the store; so many per thousand are open.
SIZES, OPEN_PER_MILLE = (10_000, 1_000_000), 30
TIMES = 5
NOW = datetime(2026, 10, 12, 1, tzinfo=UTC)
#: Ten decisions of each subject, each with its grade change. Open ones are spread over the week.
FILL = (
    """
    insert into subject (id, code, person)
    select n, 'S' || n, false from generate_series(1, :total / 10) n
    """,
    """
    insert into origin (id, name) select n, 'http:' || n from generate_series(1, :total) n
    """,
    """
    insert into decision (id, kind, number_key, authority_id, subject_id, decision_date, verdict,
        verb, version, version_id, content_hash, recorded_at)
    select n, 'penalty', 'N' || n, 1, 1 + n % (:total / 10), '2026-10-01', 'ok', 'new', 1, n, '',
        :now from generate_series(1, :total) n
    """,
    """
    insert into record_version
        (id, decision_id, version, verb, body, key_version, verdict, recorded_at)
    select n, n, 1, 'new', '{}', 1, 'ok', :now from generate_series(1, :total) n
    """,
    """
    insert into fact (id, subject_id, decision_id, body, decided_on, known_from)
    select n, 1 + n % (:total / 10), n, '{}', '2026-10-01', :now from generate_series(1, :total) n
    """,
    """
    insert into delivery (id, item_kind, item_id, destination, subject_id, chain_id, verb, state,
        due_at, clock, dues, attempts, next_at, submitted_at, created_at)
    select n, 'record_version', n, 'platform', 1 + n % (:total / 10), n - cast(n % 6 = 2 as int),
        'new',
        case when n % 1000 >= :open then 'accepted' else (array['ready', 'deferred', 'waiting',
            'submitted', 'rejected', 'held'])[1 + n % 6] end,
        cast(:now as timestamptz) + interval '1 minute' * (n % 10080 + 1), 'working-7', '{}', 1,
        :now, cast(:now as timestamptz) - interval '1 day',
        cast(:now as timestamptz) - interval '1 day' from generate_series(1, :total) n
    """,
    """
    insert into assessment (id, subject_id, subject_kind, criminal_suspect, rule_set_hash, as_of,
        fact_ids, changes_on, result, recorded_at)
    select n, 1 + n % (:total / 10), 'enterprise', false, case when n % 1000 > 0 then 'hash' end,
        '2026-10-01', '{}',
        case when n > :total - :total / 10 then date '2027-10-01' else date '2026-09-01' end,
        '{}', :now from generate_series(1, :total) n
    """,
    """
    insert into grade_change (id, number, subject_id, to_grade, body, recorded_at)
    select n, n, 1 + n % (:total / 10), '好', '{}', :now from generate_series(1, :total) n
    """,
    """
    insert into attempt (delivery_id, lease_token, started_at, finished_at, act, outcome)
    select n, gen_random_uuid(), :now, :now, 'send', 'submitted' from generate_series(1, :total) n
    """,
    """
    insert into receipt (delivery_id, accepted, platform_at, received_at)
    select n, true, :now, :now from generate_series(1, :total) n
    """,
)


async def tick(place: World) -> dict[str, Any]:
    """Return the median milliseconds of the parts of a tick, and of a prediction, by size.

    A survey and a prediction read what is open, three in a hundred here; the rest reads only what
    is due.
    """
    found: dict[str, Any] = {}
    for total in SIZES:
        database = Database(await fresh_database(place, "tick"), command_seconds=None)
        await upgrade(database)
        settings = make_settings({"state": str(place.state), "destinations": [PLATFORM]}, "bench")
        gateway = await build(settings, database, SteppedClock(NOW))
        async with database.transaction() as connection:
            for statement in FILL:
                values = {"total": total, "open": OPEN_PER_MILLE, "now": NOW}
                await connection.execute(text(statement), values)
        await take_statistics(database)
        schedule, [deliverer] = build_schedule(gateway), build_deliverers(gateway)
        await schedule.tick()
        await deliverer.owns()
        found[f"prompt_ms_{total}"] = await _median(schedule.prompt)
        found[f"survey_ms_{total}"] = await _median(schedule.survey)
        found[f"predict_ms_{total}"] = await _median(partial(predict, deliverer))
        await deliverer.close()
        await database.close()
    return found


PLATFORM = {
    "name": "platform",
    "title": "样例平台",
    "connector": "memory",
    "takes": ["penalty", "licence"],
}


async def _median(work: Callable[[], Awaitable[object]]) -> float:
    times = []
    for _ in range(TIMES):
        start = time.perf_counter()
        await work()
        times.append((time.perf_counter() - start) * 1000)
    return round(statistics.median(times), 1)
