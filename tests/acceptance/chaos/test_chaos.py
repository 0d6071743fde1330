"""A month in which every way to the outside fails and processes are killed: what must hold then.

The suite lives through some seconds of it, always the same; `make soak` through twenty minutes,
with another seed each time. A seed that fails is named with how to run it again.
"""

from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.base.engine import Database
from tests.acceptance.chaos.checks import assert_the_invariants_hold
from tests.acceptance.chaos.decisions import month_of
from tests.acceptance.chaos.place import PLACES, chaos_town
from tests.acceptance.chaos.plan import plan
from tests.acceptance.chaos.proxy import Fault
from tests.acceptance.town import CITY, NATION
from tests.conftest import NewDatabase
from tests.soak import CHAOS_SECONDS, CHAOS_SEED, TIMES

ONLY = "ONLY=tests/acceptance/chaos"


@dataclass(frozen=True, slots=True)
class Length:
    """How long the troubles last, each of them at most, and how much is decided meanwhile."""

    seed: int
    seconds: float
    longest: float
    messages: int
    faults: list[Fault]
    #: Whether the group is told of a dead member, which it finds by itself ten seconds later.
    expels: bool
    #: Seconds for what is left in the end; some connections are found dead by a time-out only.
    patience: float


BRIEF = Length(7, 8, 1.4, 90, [one for one in Fault if one is not Fault.FORGOTTEN], True, 60)
LONG = Length(CHAOS_SEED, CHAOS_SECONDS, 15, int(CHAOS_SECONDS * 3), list(Fault), False, 300)


@pytest.mark.soak
async def test_a_month_in_which_everything_fails_is_reported_once_and_in_order(
    postgres: EmbeddedPostgres,
    database: Database,
    new_database: NewDatabase,
    state: Path,
    tmp_path: Path,
) -> None:
    length = BRIEF if TIMES == 1 else LONG
    chance = Random(length.seed)  # noqa: S311  the same troubles from the same seed
    troubles = list(plan(chance, length.seconds, length.longest, PLACES, length.faults))
    messages = month_of(chance, length.messages)

    try:
        async with chaos_town(chance, postgres, database, state, tmp_path) as town:
            town.receive_later(CITY, NATION)
            await town.live_through(troubles, messages, expels=length.expels)
            await town.settle(length.patience)
            assert town.ways.seen == set(length.faults)
            await assert_the_invariants_hold(town, new_database, messages)
    except Exception as error:
        again = f"CHAOS_SEED={length.seed} CHAOS_SECONDS={length.seconds:g} make soak {ONLY}"
        error.add_note(again if length is LONG else f"seed {length.seed}")
        raise
