"""Hold back a mass change 批量变更 of what a destination shows, for a person to look at (pure).

A wrong file, or a source that was emptied, would else withdraw or change at every platform what is
right there, and a withdrawal from a platform is published at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import NamedTuple

from schemas.codes import Verb
from schemas.delivery import MASS_CHANGE, DeliveryState, ItemKind
from schemas.destination import Destination
from schemas.obligation import Obligation, PastDelivery, Route

#: Fewer changes in a day are none in mass, however little a destination shows.
LEAST = 20
_USUAL_SHARE = Destination.model_fields["change_share"].default
#: What changes what is shown. A repair is decided by a letter each; what became secret is
#: withdrawn at once, whatever else goes on (`BatchChange.urgent`).
_CHANGES = frozenset({Verb.CORRECT, Verb.WITHDRAW})
#: What would be sent without a person.
_GOING = frozenset({DeliveryState.READY, DeliveryState.WAITING})

Past = Mapping[int, Sequence[PastDelivery]]


class BatchChange(NamedTuple):
    """What a batch decided, beside what was there: `urgent` are versions that must not wait."""

    owed: Sequence[Obligation]
    past: Past
    urgent: AbstractSet[int]


class Guard:
    """Know the share of what each destination shows that may change in a day."""

    def __init__(self, destinations: Iterable[Destination]) -> None:
        self._shares: dict[str, float | None] = {one.name: one.change_share for one in destinations}

    def share(self, destination: str) -> float | None:
        """Return the share; None: whatever changes. A dropped destination has the usual one."""
        return self._shares.get(destination, _USUAL_SHARE)

    def changes(self, change: BatchChange, since: datetime) -> dict[str, int]:
        """Return how many decisions change at each guarded destination that was told of them.

        One that has changed there `since` already is counted no more: 0 if no other changes.
        """
        chains: dict[tuple[str, int], bool] = {}
        for one, route in _routes(change):
            if self.share(route.destination) is not None:
                mine = _at(change.past, one, route)
                again = any(each.verb in _CHANGES and _is_since(each, since) for each in mine)
                chains[route.destination, one.chain_id] = not again
        counts = Counter({destination: 0 for destination, _ in chains})
        counts.update(destination for (destination, _), is_new in chains.items() if is_new)
        return dict(counts)

    def least(self, destination: str) -> int:
        """Return the number of changes in a day below which nobody looks at their share."""
        return LEAST if self.share(destination) else 1

    def exceeds(self, destination: str, changes: int, told: int) -> bool:
        """Whether so many changes in a day are too many, of as many decisions shown."""
        share = self.share(destination)
        return share is not None and changes >= self.least(destination) and changes > share * told


def held_back(change: BatchChange, reasons: Mapping[str, str]) -> list[Obligation]:
    """Return the obligations with the changes of these destinations parked, with their reasons."""
    parked = {(id(one), id(route)) for one, route in _routes(change)}
    return [
        one._replace(
            routes=tuple(
                route._replace(state=DeliveryState.PARKED, reason=reasons[route.destination])
                if route.destination in reasons and (id(one), id(route)) in parked
                else route
                for route in one.routes
            )
        )
        for one in change.owed
    ]


def reason(changes: int, told: int) -> str:
    """Return why a mass change waits, and what its person does."""
    return (
        f"{MASS_CHANGE}：今天已有 {changes} 件更正或撤回，对方共有 {told} 件；"
        "核对无误的用 deliveries retry 报送，弄错的用 deliveries withdraw 不再报送"
    )


def _routes(change: BatchChange) -> Iterable[tuple[Obligation, Route]]:
    """Yield what changes what its destination was told of a decision, and would be sent."""
    for one in change.owed:
        if one.item_kind is not ItemKind.RECORD_VERSION or one.verb not in _CHANGES:
            continue
        if one.item_id in change.urgent:
            continue
        for route in one.routes:
            told = any(each.is_told for each in _at(change.past, one, route))
            if route.state in _GOING and told:
                yield one, route


def _at(past: Past, one: Obligation, route: Route) -> list[PastDelivery]:
    return [each for each in past.get(one.chain_id, ()) if each.destination == route.destination]


def _is_since(each: PastDelivery, since: datetime) -> bool:
    return each.created_at is None or each.created_at >= since
