"""Some weeks of a city in which everything goes wrong: what must hold at the end of each of them.

`SOAK=50 make soak` lives through thousands of days. A seed that fails is in the name of its test.
"""

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from gateway.config.clock import SteppedClock
from schemas.codes import Verb
from tests.conftest import BuildGateway, NewDatabase
from tests.factories import IDENTITY
from tests.integration.simulation.city import DESTINATIONS, PLATFORMS, City
from tests.integration.world import World
from tests.outcome import outcome
from tests.soak import TIMES

pytestmark = pytest.mark.integration
DAYS = 25
_DECISIONS = """
    select d.id, d.document_number, d.verb, d.version, s.code from decision d
    join subject s on s.id = d.subject_id where d.kind in ('penalty', 'licence')
"""
_CHANGES = """
    select g.number, s.code, g.to_grade from grade_change g
    join subject s on s.id = g.subject_id order by g.number
"""
_SENT = """
    select d.destination, count(*) from attempt a join delivery d on d.id = a.delivery_id
    where a.act = 'send' group by 1
"""


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4 * TIMES))
async def test_whatever_goes_wrong_everybody_has_everything_once_and_in_order(
    new_database: NewDatabase, build_gateway: BuildGateway, clock: SteppedClock, seed: int
) -> None:
    async with new_database() as database, new_database() as calm:
        city = City(seed, database, clock, build_gateway)
        await city.live(DAYS)

        assert await city.is_settled(), await city.left()
        await _assert_what_is_recorded(city, World(await build_gateway(calm), clock))
        await _assert_platforms(city)
        await _assert_bank(city)
        await _assert_evidence(city)


async def _assert_what_is_recorded(city: City, calm: World) -> None:
    """It is what one process without any trouble makes of the same messages."""
    await calm.take(*city.published, origin="calm")
    await calm.schedule.tick()
    assert await outcome(city.rows) == await outcome(calm.rows)
    refused = sum(isinstance(one, bytes) for one in city.published)
    assert await city.rows("select count(*) from quarantine") == [(refused,)]
    assert await city.rows("select 1 from audit_event where event = 'chain_mended'") == []


async def _assert_platforms(city: City) -> None:
    """Each has every version at most once, in order, and in the end what is in force."""
    decisions = await city.rows(_DECISIONS)
    for name in PLATFORMS:
        place = city.places[name]
        assert set(place.effects.values()) <= {1}
        assert not any(IDENTITY in key for key in place.stored)
        told = defaultdict(list)
        for item in place.stored.values():
            told[item.document_number].append(item)
        for _, number, verb, version, _ in decisions:
            items = told[number]
            versions = [one.version for one in items if one.verb is not Verb.WITHDRAW]
            assert all(one < other for one, other in pairwise(versions)), (name, number)
            if verb == Verb.WITHDRAW:
                assert not items or items[-1].verb is Verb.WITHDRAW, (name, number)
            else:
                assert items[-1].version == version, (name, number)


async def _assert_bank(city: City) -> None:
    """It has each change of a grade once, and those of a company in their order."""
    changes = await city.rows(_CHANGES)
    assert [number for number, _, _ in changes] == list(range(1, len(changes) + 1))
    bank = city.places["bank"]
    told = [
        (one.columns["number"], one.subject_code, one.columns["to_grade"])
        for one in bank.stored.values()
    ]
    assert Counter(told) == Counter(changes)
    for code in {code for _, code, _ in told}:
        numbers = [number for number, of, _ in told if of == code]
        assert numbers == sorted(numbers)
    assert IDENTITY not in str(list(bank.stored.values()))


async def _assert_evidence(city: City) -> None:
    """Nothing was sent without an attempt that was written before."""
    for name, attempts in await city.rows(_SENT):
        assert attempts >= len(city.places[name].stored)
    assert {one["name"] for one in DESTINATIONS} == city.places.keys()
