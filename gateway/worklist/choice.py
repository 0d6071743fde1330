"""Which deliveries a person asks for, by the names that people use; what is unknown is refused."""

from collections.abc import Sequence
from dataclasses import replace

from gateway.store.base.engine import Connection
from gateway.store.deliver import destinations as destination_store
from gateway.store.deliver.worklist import Wanted
from gateway.store.record import authorities
from gateway.titles import STATES
from schemas.destination import Destination
from schemas.identifiers import masked

_BY_TITLE = {title: state.value for state, title in STATES.items()}
STATE_NAMES = "、".join(f"{state}（{title}）" for state, title in STATES.items())


class UnknownName(LookupError):
    """A filter names nothing that is known: an empty answer would read as "nothing is open"."""


def state_value(given: str) -> str:
    """Return the name of the state that a Chinese title stands for; any other text as it is."""
    return _BY_TITLE.get(given, given)


async def chosen(
    connection: Connection, destinations: Sequence[Destination], asked: Wanted
) -> Wanted:
    """Return what is asked for, with the names as they are stored.

    Raises:
        UnknownName: there is no such destination, or no decision of such an authority.
    """
    destination, authority = asked.destination, asked.authority
    if destination is not None:
        destination = await _destination(connection, destinations, destination)
    if authority is not None:
        authority = await _authority(connection, authority)
    return replace(asked, destination=destination, authority=authority)


async def _destination(
    connection: Connection, destinations: Sequence[Destination], given: str
) -> str:
    names = [one.name for one in destinations if one.title == given]
    if any(one.name == given for one in destinations):
        return given
    if len(names) == 1:
        return names[0]
    if await destination_store.is_known(connection, given):  # dropped, but something may be owed
        return given
    known = "、".join(f"{one.name}（{one.title}）" for one in destinations)
    raise UnknownName(f"没有报送对象 {given}；现有：{known or '无'}")


async def _authority(connection: Connection, given: str) -> str:
    name = await authorities.named(connection, given)
    if name is not None:
        return name
    near = "、".join(map(masked, await authorities.names_with(connection, given)))
    raise UnknownName(f"没有收到过机关“{given}”的决定{near and f'；是否指 {near}'}")
