"""Hold back a mass change 批量变更 of what a destination shows, for a person to look at (pure).

A wrong file, or a source that was emptied, would else withdraw or change at every platform what is
right there, and a withdrawal from a platform is published at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from schemas.delivery import DeliveryState, ItemKind
from schemas.destination import Destination
from schemas.obligation import Obligation, PastDelivery, Route

#: Fewer changes in a day are none in mass, however little a destination shows.
LEAST = 20
#: The begin of the reason that such a delivery is parked with.
MASS_CHANGE = "批量变更待确认"
_USUAL_SHARE = Destination.model_fields["change_share"].default

Past = Mapping[int, Sequence[PastDelivery]]


class Guard:
    """Know the share of what each destination shows that may change in a day."""

    def __init__(self, destinations: Iterable[Destination]) -> None:
        self._shares: dict[str, float | None] = {one.name: one.change_share for one in destinations}

    def share(self, destination: str) -> float | None:
        """Return the share; None: whatever changes. A dropped destination has the usual one."""
        return self._shares.get(destination, _USUAL_SHARE)

    def changes(self, owed: Iterable[Obligation], past: Past) -> dict[str, int]:
        """Return how many decisions that a guarded destination was told of change there."""
        chains = {
            (route.destination, one.chain_id)
            for one in owed
            for route in one.routes
            if _is_change(one, route, past) and self.share(route.destination) is not None
        }
        return dict(Counter(destination for destination, _ in chains))

    def exceeds(self, destination: str, changes: int, told: int) -> bool:
        """Whether so many changes in a day are too many, of as many decisions told."""
        share = self.share(destination)
        return share is not None and changes >= LEAST and changes > share * told


def held_back(
    owed: Iterable[Obligation], past: Past, reasons: Mapping[str, str]
) -> list[Obligation]:
    """Return the obligations with the changes of these destinations parked, with their reasons."""
    return [one._replace(routes=_parked(one, past, reasons)) for one in owed]


def reason(changes: int, told: int) -> str:
    """Return why a mass change waits, and what its person does."""
    return (
        f"{MASS_CHANGE}：今天已有 {changes} 件更正或撤回，对方共有 {told} 件；"
        "核对无误的用 deliveries retry 报送，弄错的用 deliveries withdraw 不再报送"
    )


def _parked(one: Obligation, past: Past, reasons: Mapping[str, str]) -> Sequence[Route]:
    return tuple(
        route._replace(state=DeliveryState.PARKED, reason=reasons[route.destination])
        if route.destination in reasons and _is_change(one, route, past)
        else route
        for route in one.routes
    )


def _is_change(one: Obligation, route: Route, past: Past) -> bool:
    """Whether a delivery changes what its destination was told of the decision."""
    if one.item_kind is not ItemKind.RECORD_VERSION or route.state is DeliveryState.SUPERSEDED:
        return False
    mine = past.get(one.chain_id, ())
    return any(each.destination == route.destination and each.is_told for each in mine)
