"""What an examination finds of one part."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.config.errors import Away, BadConfiguration
from scoring.errors import RuleSetError


@dataclass(frozen=True, slots=True)
class Finding:
    """The result for one part: well or not, and what to do."""

    name: str
    ok: bool
    detail: str


class Unwell(Exception):
    """A part is not as it should be; the message says what to do."""


#: Our own errors, whose messages are for people.
_TOLD = (Unwell, BadConfiguration, RuleSetError)


async def examined(name: str, part: Callable[[], Awaitable[str]]) -> Finding:
    """Return what was found of a part, which says what is well or raises what is not."""
    try:
        return await judged(name, part)
    except Away as error:
        return Finding(name, False, error.told()[:500])


async def judged(name: str, part: Callable[[], Awaitable[str]]) -> Finding:
    """Return the same; raises Away, where nothing can be found."""
    try:
        return Finding(name, True, await part())
    except Away:
        raise
    except _TOLD as error:
        return Finding(name, False, str(error))
    except Exception as error:  # noqa: BLE001  any error is a finding
        return Finding(name, False, f"{type(error).__name__}: {error}"[:500])
