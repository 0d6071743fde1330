"""Facts as stored → facts as the engine takes them (pure).

A body is a fact as the `score` input has it, its id included.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from scoring.facts import Fact

_BODIES = msgspec.json.Decoder(list[Fact])


def facts_of(bodies: bytes) -> list[Fact]:
    """The facts whose bodies come as one JSON list, in the same order.

    Raises:
        msgspec.ValidationError: a body that this program did not write.
    """
    return _BODIES.decode(bodies)


def fact_of(body: Mapping[str, Any]) -> Fact:
    """One fact from its parsed body; raises as `facts_of` does."""
    return msgspec.convert(body, Fact)
