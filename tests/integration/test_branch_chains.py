"""A branch of a branch is refused, whatever the batch."""

from typing import Any

import pytest

from tests.factories import credit_code, participant
from tests.integration.world import World

pytestmark = pytest.mark.integration

CHAINS = [
    [
        participant(2, parent_code=credit_code(1), verb="withdraw"),
        participant(1, parent_code=credit_code(9)),
    ],
    [participant(2), participant(1, parent_code=credit_code(9))],
    [
        participant(2, parent_code=credit_code(3), since="2026-07-01"),
        participant(1, parent_code=credit_code(9)),
        participant(3, parent_code=credit_code(9)),
    ],
    [
        participant(2, parent_code=credit_code(1), until="2026-06-30"),
        participant(1, parent_code=credit_code(9), since="2026-07-01"),
    ],
]


@pytest.mark.parametrize("rows", CHAINS)
async def test_chains_are_refused_whatever_the_batch(
    world: World, rows: list[dict[str, Any]]
) -> None:
    first = participant(2, parent_code=credit_code(1))
    await world.take(first)
    together = [one.verdict for one in await world.take(*rows)]
    other = [{**row, "subject_code": _moved(row["subject_code"])} for row in (first, *rows)]
    other = [
        {**row, "parent_code": _moved(row["parent_code"])} if row.get("parent_code") else row
        for row in other
    ]

    one_by_one = [(await world.take(row))[0].verdict for row in other]

    assert one_by_one[1:] == together


def _moved(code: str) -> str:
    """Return the code of the company whose number is higher by thirty."""
    return {credit_code(n): credit_code(n + 30) for n in range(1, 10)}[code]
