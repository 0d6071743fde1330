"""From a configured destination to its connector."""

import os

import connectors
from connectors.protocol import Connector
from gateway.config.clock import Clock
from gateway.config.errors import BadConfiguration
from gateway.config.secrets import resolve
from schemas.destination import Destination


def build_connector(destination: Destination, clock: Clock) -> Connector:
    """The connector of a destination, with its secrets put in.

    Raises:
        BadConfiguration: a secret is not there, or the connector refuses its settings.
    """
    try:
        settings = resolve(destination.settings, os.environ)
        return connectors.build(destination.connector, settings, clock)
    except (BadConfiguration, connectors.UnknownKind, connectors.BadSettings) as error:
        lines = [f"destinations {destination.name} {line}" for line in str(error).splitlines()]
        raise BadConfiguration("\n".join(lines)) from None
