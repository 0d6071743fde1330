"""What tests of publications share."""

from datetime import datetime
from typing import Any

from schemas.base import SHANGHAI
from tests.factories import (
    REGION,
)
from tests.integration.world import World

SCORING: dict[str, Any] = {
    "bindings": [
        {
            "rule_set": "nm-2023-draft",
            "kinds": ["enterprise", "agency", "individual"],
            "regions": [REGION, ""],
            "measures": ["nm-2023-draft"],
        }
    ]
}
BLACKLIST = "环境保护领域失信黑名单"


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=SHANGHAI)


async def stored(world: World) -> list[tuple[Any, ...]]:
    return await world.rows(
        "select s.code, p.period_end, p.grade, p.listings from published_grade p "
        "join subject s on s.id = p.subject_id order by p.published_on, s.code"
    )


async def told(world: World) -> list[dict[str, Any]]:
    """Return the bodies of the grade changes that a publication made."""
    return await world.column(
        "select body from grade_change where body ->> 'cause' = 'published' order by id"
    )
