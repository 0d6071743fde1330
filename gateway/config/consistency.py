"""What destinations and registers say of each other; a fault has the place of what is wrong."""

from collections.abc import Collection, Sequence

from schemas.destination import Destination
from schemas.faults import Place, fault_at
from schemas.register import Register


def check_sides(destinations: Sequence[Destination], registers: Sequence[Register]) -> None:
    """Refuse a name that stands twice, and a second destination with the headline."""
    places: dict[str, list[Place]] = {}
    for number, destination in enumerate(destinations):
        places.setdefault(destination.name, []).append(("destinations", number, "name"))
    for number, register in enumerate(registers):
        place = ("reconcile", "registers", number, "name")
        places.setdefault(register.name, []).append(place)
    for name, found in places.items():
        if len(found) > 1:
            where = "destinations" if found[0][0] == "destinations" else "reconcile registers"
            said = f"{where}：{name} 写了{len(found)}次；每个 name 只能有一个"
            raise fault_at(found[1], said)
    headlines = [number for number, one in enumerate(destinations) if one.headline]
    if len(headlines) > 1:
        named = "、".join(destinations[number].name for number in headlines)
        said = f"destinations headline：{named} 都写了 true；只能有一个"
        raise fault_at(("destinations", headlines[1], "headline"), said)


def check_clocks(
    destinations: Sequence[Destination], clocks: Collection[str], entry_clock: str | None
) -> None:
    """Refuse a destination without a clock, and a clock that does not exist."""
    known = "、".join(clocks)
    for number, destination in enumerate(destinations):
        unknown = set(destination.clocks).difference(clocks)
        if unknown or not destination.clocks:
            wrong = f"没有时限 {'、'.join(sorted(unknown))}" if unknown else "至少要有一个时限"
            raise fault_at(
                ("destinations", number, "clocks"),
                f"destinations {destination.name} clocks：{wrong}；可用：{known}",
            )
    if entry_clock is not None and entry_clock not in clocks:
        said = f"entry_clock：没有时限 {entry_clock}；可用：{known}"
        raise fault_at(("entry_clock",), said)
