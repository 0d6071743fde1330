"""The gauges of what goes wrong slowly, on a real database."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from connectors.memory import Step
from gateway.service.watching import Watching
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.certificates import Authority
from tests.integration.ledger_world import PLATFORM, World, penalty, world
from tests.integration.reconcile.sides import reconcile

pytestmark = pytest.mark.integration


def value(here: World, name: str, **labels: str) -> float | None:
    return here.gateway.metrics.registry.get_sample_value(f"credit_gateway_{name}", labels)


async def test_the_month_so_far_is_that_of_the_ledger(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    platform = here.connectors["platform"]
    await here.take_in([penalty(1), penalty(2), penalty(3, CF_CFJGDM=""), penalty(4)])
    platform.play(Step.ACCEPT, Step.SUBMIT, Step.REJECT)
    await here.deliver()
    here.clock.step(timedelta(days=8))
    await here.take_in([penalty(5), penalty(6, CF_JDRQ="2026-09-30")])
    await here.deliver()

    await Watching(here.gateway).count_month()

    ledger = await here.ledger()
    figures = next(f for f in ledger.figures if f.kind is None)
    for clock in figures.clocks:
        told = {
            count: value(
                here, "month_decisions", destination="platform", clock=clock.clock, count=count
            )
            for count in ("in_scope", "handed_over", "accepted", "timely")
        }
        assert told == {
            "in_scope": figures.in_scope,
            "handed_over": figures.handed_over,
            "accepted": figures.accepted,
            "timely": clock.timely,
        }


async def test_what_waits_for_a_person_is_counted(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1), penalty(2, CF_WSH="")])
    await here.deliver()
    here.connectors["platform"].stored.clear()
    here.clock.step(timedelta(days=2))
    await reconcile(here)
    here.clock.step(datetime(2026, 11, 5, 9, tzinfo=SHANGHAI) - here.clock())

    await Watching(here.gateway).look()

    assert value(here, "quarantine_open") == 1
    assert value(here, "differences_open", side="platform") == 1
    assert value(here, "ledger_late") == 1
    assert value(here, "calendar_lacking") == 1
    assert 0 < (value(here, "disk_free_ratio") or 0) < 1


async def test_a_transaction_that_is_held_open_is_seen(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    watching = Watching(here.gateway)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("select pg_current_xact_id(), pg_sleep(1.1)")
        await watching.look()
        held = value(here, "database_longest_transaction_seconds")
    await watching.look()

    assert held is not None
    assert held >= 1
    assert (value(here, "database_longest_transaction_seconds") or 0) < held


async def test_the_end_of_each_configured_certificate_is_told(
    database: Database, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    until = datetime(2027, 1, 1, tzinfo=SHANGHAI)
    certificate, key = authority.issue("gateway", until=until)
    files = {
        "certificate_file": str(certificate),
        "private_key_file": str(key),
        "ca_file": str(tmp_path / "gone.pem"),
    }
    bus = PLATFORM | {
        "name": "bus",
        "connector": "kafka-topic",
        "headline": False,
        "settings": {
            "bootstrap_servers": "127.0.0.1:1",
            "topic": "out",
            "security_protocol": "SSL",
            **files,
        },
    }
    here = await world(database, tmp_path, PLATFORM, bus)

    await Watching(here.gateway).look()

    told = value(here, "certificate_expires_timestamp_seconds", file=str(certificate))
    assert told == until.timestamp()
    gone = value(here, "certificate_expires_timestamp_seconds", file=str(tmp_path / "gone.pem"))
    assert gone is None


async def test_how_long_a_delivery_took_and_what_was_left(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    here.clock.step(timedelta(days=2))
    await here.deliver()
    here.clock.step(timedelta(days=7))
    await here.take_in([penalty(2)])
    await here.deliver()

    took = value(here, "hand_over_seconds_bucket", destination="platform", le="86400.0")
    late = value(here, "slack_seconds_bucket", destination="platform", le="0.0")
    assert (took, late) == (1, 1)
    assert value(here, "hand_over_seconds_count", destination="platform") == 2


async def test_the_free_disk_is_that_of_the_state_folder(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await world(database, tmp_path)
    asked: list[Path] = []

    def usage(place: Path) -> SimpleNamespace:
        asked.append(Path(place))
        return SimpleNamespace(free=1, total=4)

    monkeypatch.setattr("gateway.service.machine.shutil.disk_usage", usage)
    await Watching(here.gateway).look()

    assert value(here, "disk_free_ratio") == 0.25
    assert asked == [here.gateway.settings.state.absolute()]
