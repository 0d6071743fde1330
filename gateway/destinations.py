"""From a configured destination to its connector."""

import os

import connectors
from connectors.protocol import Connector
from gateway.clock import Clock
from gateway.secrets import resolve
from schemas.destination import Destination


def build_connector(destination: Destination, clock: Clock) -> Connector:
    """The connector of a destination, with its secrets put in.

    Raises:
        SecretMissing, connectors.BadSettings: named by the destination.
    """
    settings = resolve(destination.settings, os.environ)
    return connectors.build(destination.connector, settings, clock)
