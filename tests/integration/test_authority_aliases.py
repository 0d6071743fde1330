"""Facts that name their authority by an alias, of an earlier release or from before it was one."""

import pytest

from gateway.score.verify import verify_assessments
from tests.factories import credit_code, participant, penalty
from tests.integration.test_branches import score_of
from tests.integration.world import World

pytestmark = pytest.mark.integration

FINE = {"CF_NR_FK": "60", "CF_NR": "罚款60万元"}
NAME, ALIAS = "样例市生态环境局", "样例市环保局"


async def add_alias(world: World) -> None:
    """A person says that both names are one authority; the alias may be an authority already."""
    await world.run(
        "insert into authority_alias (alias, authority_id) select :alias, authority_id"
        " from authority_alias where alias = :name"
        " on conflict (alias) do update set authority_id = excluded.authority_id",
        alias=ALIAS,
        name=NAME,
    )


async def as_the_release_before(world: World) -> None:
    """The department as releases wrote it that did not look at aliases."""
    await world.run(
        "update fact set body = jsonb_set(body::jsonb, '{department}', to_jsonb(cast(:alias as"
        " text)))::json where body ->> 'department' is not null and subject_id <> (select id from"
        " subject where code = :other)",
        alias=ALIAS,
        other=credit_code(9),
    )


async def departments(world: World, company: int) -> list[str]:
    """The departments of the open facts of a company."""
    return await world.column(
        "select f.body ->> 'department' from fact f join subject s on s.id = f.subject_id"
        " where s.code = :code and f.known_to is null order by f.id",
        code=credit_code(company),
    )


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_facts_of_an_earlier_release_are_one_with_new_ones(
    world: World, order: tuple[int, int]
) -> None:
    await world.take(penalty(9, 9), participant(2, parent_code=credit_code(1)))
    await add_alias(world)
    first, second = order
    await world.take(penalty(1, first, **FINE, CF_CFJG=ALIAS))
    await as_the_release_before(world)

    await world.take(penalty(1, second, **FINE))

    assert await score_of(world, 1) == "98.5"
    assert (await departments(world, first))[-1] == NAME


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
async def test_facts_from_before_a_name_was_an_alias_are_one_with_new_ones(
    world: World, order: tuple[int, int]
) -> None:
    await world.take(penalty(9, 9), participant(2, parent_code=credit_code(1)))
    await world.take(penalty(1, order[0], **FINE, CF_CFJG=ALIAS))
    await add_alias(world)

    await world.take(penalty(1, order[1], **FINE))

    assert await score_of(world, 1) == "98.5"


async def test_past_results_stay_what_they_were(world: World) -> None:
    await world.take(penalty(9, 9), participant(2, parent_code=credit_code(1)))
    await world.take(penalty(1, 1, **FINE, CF_CFJG=ALIAS), penalty(1, 2, **FINE))
    before = await score_of(world, 1)
    await add_alias(world)

    await world.take(penalty(8, 1))

    assert (before, await score_of(world, 1)) == ("97", "98")
    _, wrong = await verify_assessments(world.database, lambda _: None)
    assert wrong == []
    versions = "select count(*) from fact f join subject s on s.id = f.subject_id"
    closed = f"{versions} where s.code = :code and f.known_to is not null"
    assert await world.value(closed, code=credit_code(1)) == 1
