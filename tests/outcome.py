"""What a gateway has recorded, however its input came: versions, facts, present grades."""

from collections.abc import Awaitable, Callable
from typing import Any

Rows = list[tuple[Any, ...]]
#: The rows of versions, facts and present grades.
Outcome = dict[str, Rows]

_QUERIES = {
    "versions": """
        select s.code, d.kind, d.number_key, v.version, v.verb, v.verdict, v.body::text
        from record_version v join decision d on d.id = v.decision_id join subject s
          on s.id = d.subject_id order by 1, 2, 3, 4
    """,
    "facts": """
        select s.code, d.kind, d.number_key, (f.body::jsonb - 'id')::text from fact f
        join decision d on d.id = f.decision_id join subject s on s.id = f.subject_id
        where f.known_to is null order by 1, 2, 3
    """,
    "grades": """
        select distinct on (s.code) s.code, g.to_grade from grade_change g
        join subject s on s.id = g.subject_id order by s.code, g.id desc
    """,
}


async def outcome(ask: Callable[[str], Awaitable[Rows]]) -> Outcome:
    """Return what does not depend on how the input came; `ask` runs a query."""
    return {name: await ask(query) for name, query in _QUERIES.items()}
