"""What `doctor` and the notices say of the time in which a rule set holds."""

from pathlib import Path

import pytest

from gateway.service.examined import stored_parts
from gateway.service.finding import Unwell
from tests.integration.conftest import MakeWorld
from tests.integration.world import World
from tests.receiving_rules import receiving

pytestmark = pytest.mark.integration


async def said(world: World) -> str:
    return await stored_parts(world.gateway)["评价办法文本"]()


async def test_the_end_of_a_rule_set_is_told_a_month_before(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """The clock says 2026-10-12; its grades stand behind the end, and nobody else would notice."""
    last = receiving(tmp_path, effective_to="2026-11-10")
    with pytest.raises(Unwell, match=r"nm-receiving 有效期至 2026-11-10，以后不再评价"):
        await said(await make_world(scoring=last))


async def test_a_rule_set_that_ends_later_is_well(make_world: MakeWorld, tmp_path: Path) -> None:
    last = receiving(tmp_path, effective_to="2026-12-31")

    assert await said(await make_world(scoring=last)) == "与文件一致"


async def test_a_rule_set_that_is_bound_in_advance_is_told(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    scoring = receiving(tmp_path, effective_from="2027-01-01")

    words = await said(await make_world(scoring=scoring))

    assert words == "与文件一致；nm-receiving 自 2027-01-01 起评价"
