"""The composition root: the only place that builds things. Nothing connects at import."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from gateway.check.checker import Checker
from gateway.config.clock import Clock, system_clock
from gateway.config.errors import BadConfiguration
from gateway.config.keys import Keys, load_master
from gateway.config.settings import Settings
from gateway.decide.decider import Decider
from gateway.deliver.connect import is_by_person
from gateway.due.calendars import load_workdays
from gateway.due.deadline import due
from gateway.due.workdays import Workdays
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.ledger.rows import LedgerScope
from gateway.pipeline import Pipeline
from gateway.reconcile.columns import Tolerances
from gateway.reconcile.run import ReconcileScope
from gateway.rules.activation import adopt, recall
from gateway.rules.policybook import Policybook
from gateway.rules.rulebook import Rulebook
from gateway.schedule.due_times import refresh
from gateway.score.scorer import Scorer
from gateway.service.locks import patiently
from gateway.service.servers import database_url
from gateway.service.timelines import watch_timelines
from gateway.store.base import installation
from gateway.store.base.engine import Connection, Database
from gateway.store.base.partitions import make_partitions
from gateway.store.base.seen_timeline import SeenTimeline
from gateway.store.base.upgrade import is_newest, require_newest, upgrade
from gateway.store.deliver import destinations as destination_store
from gateway.store.record import kinds as record_kinds
from gateway.store.record import returns
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.base import today
from schemas.identifiers import authority_key
from schemas.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Gateway:
    """The built service, shared by all roles."""

    settings: Settings
    clock: Clock
    database: Database
    keys: Keys
    workdays: Workdays
    rulebook: Rulebook
    policybook: Policybook
    scorer: Scorer
    decider: Decider
    pipeline: Pipeline
    metrics: Metrics
    installation: str

    @property
    def ledger_scope(self) -> LedgerScope:
        """What a ledger needs besides the month and the database."""
        settings, clocks = self.settings, self.settings.all_clocks
        sides = {one.name: one.title for one in settings.destinations}
        sides |= {one.name: one.title for one in settings.reconcile.registers}
        return LedgerScope(
            settings.destinations,
            clocks,
            self.workdays,
            self.keys.first_published,
            None if settings.entry_clock is None else clocks[settings.entry_clock],
            sides,
            {authority_key(name): site for name, site in settings.ledger.sites.items()},
            frozenset(one.name for one in settings.destinations if is_by_person(one)),
        )

    @property
    def reconcile_scope(self) -> ReconcileScope:
        """What a reconciliation needs besides the side and the database."""
        settings = self.settings.reconcile
        tolerances = Tolerances(settings.tolerances, settings.ignored)
        clock, clocks = self.ledger_scope.entry_clock, self.settings.all_clocks

        def is_provisional(name: str, day: date) -> bool:
            return name in clocks and due(clocks[name], day, self.workdays).provisional

        return ReconcileScope(
            self.keys,
            tolerances,
            None if clock is None else lambda day: due(clock, day, self.workdays),
            is_provisional,
        )


@asynccontextmanager
async def gateway(settings: Settings, clock: Clock = system_clock) -> AsyncIterator[Gateway]:
    """Yield everything but the roles: the database is migrated and fits the configuration."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings))
        database = _database(url, settings)
        stack.push_async_callback(database.close)
        if not await patiently(database, lambda: is_newest(database)):
            await patiently(database, lambda: _upgraded(url, settings))
        built = await patiently(database, lambda: build(settings, database, clock))
        watch_timelines(database, clock)  # the installation has its row now
        yield built


def _database(url: str, settings: Settings, **options: Any) -> Database:
    database = Database(url, **options)
    database.primary.remember(SeenTimeline(settings.state / "timeline"))
    return database


async def _upgraded(url: str, settings: Settings) -> None:
    """Bring the structure up to date; a migration may take longer than any other statement.

    What is up to date is not even looked at here: no limit of time applies.
    """
    database = _database(url, settings, command_seconds=None)
    try:
        await upgrade(database)
    finally:
        await database.close()


@asynccontextmanager
async def reading(settings: Settings, clock: Clock = system_clock) -> AsyncIterator[Gateway]:
    """Yield the service for commands that only read: every write is refused.

    Nothing is migrated, adopted or mirrored.

    Raises:
        BadConfiguration: the database does not have the structure of this release.
    """
    if settings.database_url is None and not EmbeddedPostgres(settings.state).data.exists():
        raise BadConfiguration(
            f"state：目录 {settings.state} 里还没有数据；先接收数据（up 或 ingest），"
            "或用 --config 指定数据所在的配置"
        )
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database_url(settings))
        database = _database(url, settings, read_only=True)
        stack.push_async_callback(database.close)
        await require_newest(database)
        async with database.transaction() as connection:
            built = wire(settings, database, clock, await _keys(settings, connection))
            await record_kinds.require(connection, KINDS.values())
            await recall(connection, built.rulebook)
            await refresh(connection, built.workdays)
        yield built


async def build(settings: Settings, database: Database, clock: Clock) -> Gateway:
    """Build the service on a migrated database, and adapt the database to the configuration.

    Raises:
        OtherMaster: the database is of another master key.
        BadConfiguration: the configuration is wrong.
    """
    async with database.transaction() as connection:
        built = wire(settings, database, clock, await _keys(settings, connection))

    async def prepare(connection: Connection) -> str:
        await make_partitions(connection, today(clock()))
        await record_kinds.require(connection, KINDS.values())
        await record_kinds.note(connection, KINDS.values())
        await destination_store.add(connection, settings.destinations)
        owed = await destination_store.owed_to_dropped(connection, settings.destinations)
        for name, count in owed.items():
            logger.error(LogEvent.OWED_TO_DROPPED, extra={"destination": name, "count": count})
        await adopt(connection, built.rulebook, clock())
        await refresh(connection, built.workdays)
        await returns.switch(connection, on=settings.kafka.returns is not None)
        await _found_ring(connection, built.keys, clock())
        return await installation.name(connection, secrets.token_hex(4))

    # `run` repeats it after a deadlock with a gateway that works on the same tables.
    return replace(built, installation=await database.run(prepare))


async def _keys(settings: Settings, connection: Connection) -> Keys:
    """Load the keys; a new master key is made only for a database that has none yet.

    Raises:
        OtherMaster: the database is of another master key.
    """
    ring = await installation.key_ring(connection)
    sealed = None if ring else await installation.any_sealed(connection)
    may_create = not ring and sealed is None
    keys = Keys(
        load_master(settings.master_key, settings.state, may_create=may_create), ring or None
    )
    if sealed is not None:  # of a release that had no ring
        keys.prove(sealed)
    return keys


async def _found_ring(connection: Connection, keys: Keys, now: datetime) -> None:
    """Store the first ring of a new database, unless another process has done it meanwhile.

    The structure lock that `make_partitions` took keeps others out until the transaction ends.

    Raises:
        OtherMaster: that process has another master key.
    """
    ring = await installation.key_ring(connection)
    if ring:
        keys.renew(ring)
    else:
        await installation.add_keys(connection, keys.master.first_ring(), now)


def wire(settings: Settings, database: Database, clock: Clock, keys: Keys) -> Gateway:
    """Build every part without the database, so that the installation has no name yet."""
    workdays = load_workdays()
    rulebook = Rulebook(settings.scoring)
    policybook = Policybook(settings.scoring)
    metrics = Metrics()
    decider = Decider(settings.destinations, settings.all_clocks, workdays)
    scorer = Scorer(rulebook, policybook)
    checker = Checker(keys, settings.exclusion_scope, settings.input, rulebook)
    return Gateway(
        settings=settings,
        clock=clock,
        database=database,
        keys=keys,
        workdays=workdays,
        rulebook=rulebook,
        policybook=policybook,
        scorer=scorer,
        decider=decider,
        pipeline=Pipeline(
            database, checker, scorer, decider, keys, policybook.regimes, clock, metrics
        ),
        metrics=metrics,
        installation="",
    )
