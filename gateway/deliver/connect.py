"""The connector of a configured destination: build it, and whether a person stands in its place."""

import os
from contextlib import suppress

import connectors
from connectors.protocol import Connector
from gateway.config.clock import Clock
from gateway.config.errors import BadConfiguration
from gateway.config.secrets import resolve
from schemas.destination import Destination


def is_by_person(destination: Destination) -> bool:
    """Whether a person carries files to a destination, so that nobody calls it.

    An unknown kind is not: `build_connector` says what is wrong with it.
    """
    with suppress(connectors.UnknownKind):
        return connectors.find(destination.connector).by_person
    return False


def build_connector(destination: Destination, clock: Clock) -> Connector:
    """Build the connector of a destination, with its secrets resolved from the environment.

    Raises:
        BadConfiguration: a secret is missing, or the connector refuses its settings.
    """
    try:
        settings = resolve(destination.settings, os.environ)
        return connectors.build(destination.connector, settings, clock)
    except (BadConfiguration, connectors.UnknownKind, connectors.BadSettings) as error:
        lines = [f"destinations {destination.name} {line}" for line in str(error).splitlines()]
        raise BadConfiguration("\n".join(lines)) from None
