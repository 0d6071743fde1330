"""The connector of a configured destination: build it, and whether a person stands in its place."""

import os
from collections.abc import Collection
from contextlib import suppress

import connectors
from connectors.protocol import Connector, Limits
from gateway.config.clock import Clock
from gateway.config.errors import BadConfiguration
from gateway.config.secrets import SecretMissing, resolve
from gateway.config.settings import Settings
from schemas.destination import PERSONS, AcceptedBy, Destination
from schemas.faults import Place


def is_by_person(destination: Destination) -> bool:
    """Whether a person carries files to a destination, so that nobody calls it.

    One that cannot be used is not: `build_connector` says what is wrong with it.
    """
    with suppress(connectors.UnknownKind, connectors.UnusablePackage):
        return connectors.find(destination.connector).by_person
    return False


def build_connector(settings: Settings, destination: Destination, clock: Clock) -> Connector:
    """Build the connector of a destination, with its secrets resolved from the environment.

    Raises:
        BadConfiguration: a secret is missing, there is no such connector, or it refuses its
            settings; each line names the file and the line.
    """
    faults: list[tuple[Place, str]]
    try:
        own = resolve(destination.settings, os.environ)
        built = connectors.build(destination.connector, own, clock)
        faults = _unable(destination, built.limits)
        faults += _without_table(destination, connectors.tables_of(destination.connector, own))
        if not faults:
            return built
    except SecretMissing as missing:
        faults = [(("settings", *missing.place), str(missing))]
    except (connectors.UnknownKind, connectors.UnusablePackage) as error:
        faults = [(("connector",), str(error))]
    except connectors.BadSettings as error:
        faults = [(("settings", *place), words) for place, words in error.faults]
    number = [one.name for one in settings.destinations].index(destination.name)
    lines = [
        f"{settings.written_at(('destinations', number, *place))}："
        f"destinations {destination.name} {words}"
        for place, words in faults
    ]
    raise BadConfiguration("\n".join(lines))


def _unable(destination: Destination, limits: Limits) -> list[tuple[Place, str]]:
    """Return why nothing would ever be accepted by what the destination accepts by."""
    words = {
        AcceptedBy.ANSWER: "是人工上传的，没有应答" if is_by_person(destination) else None,
        AcceptedBy.RECEIPT: None if limits.has_receipts else "没有回执",
        AcceptedBy.LISTING: None if limits.has_listing else "没有公示清单",
    }
    by = destination.accepted_by
    if by is None or (said := words[by]) is None:
        return []
    return [(("accepted_by",), f"accepted_by：{by} 不能用，它{said}；去掉这一行，或改成别的")]


def _without_table(
    destination: Destination, tables: Collection[str] | None
) -> list[tuple[Place, str]]:
    """Return the kinds that it takes and would reject, each item of them, for want of a table."""
    if tables is None:
        return []
    faults: list[tuple[Place, str]] = []
    for kind in sorted(destination.takes.difference(tables)):
        own = f"{kind}/{PERSONS}"
        but = f"，只有自然人的 {own}" if own in tables else ""
        said = (
            f"takes：{kind} 在 settings 里没有它的表{but}，每一条都会被退回；"
            f"在 settings 里写上 {kind} 的表，或从 takes 去掉它"
        )
        faults.append((("takes",), said))
    return faults


def build_connectors(settings: Settings, clock: Clock) -> list[Connector]:
    """Build the connectors of all destinations, in their order.

    Raises:
        BadConfiguration: as `build_connector`, with the lines of every wrong destination.
    """
    built: list[Connector] = []
    wrong: list[str] = []
    for destination in settings.destinations:
        try:
            built.append(build_connector(settings, destination, clock))
        except BadConfiguration as error:
            wrong.append(str(error))
    if wrong:
        raise BadConfiguration("\n".join(wrong))
    return built


async def limits_of(settings: Settings, destination: Destination, clock: Clock) -> Limits:
    """Return what the connector of a destination can do; raises as `build_connector`."""
    connector = build_connector(settings, destination, clock)
    await connector.close()
    return connector.limits
