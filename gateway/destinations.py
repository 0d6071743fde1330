"""The configured destinations and their connectors; configuration is the truth about them."""

import hashlib
import os
from collections.abc import Sequence

import orjson

import connectors
from connectors.protocol import Connector
from gateway.clock import Clock
from gateway.secrets import resolve
from schemas.destination import Destination


def config_hash(destination: Destination) -> str:
    """The hash by which a changed configuration is seen; secrets are references and stay out."""
    content = orjson.dumps(destination.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()


def hashes(destinations: Sequence[Destination]) -> dict[str, str]:
    """Name → configuration hash, for the mirror in the store."""
    return {destination.name: config_hash(destination) for destination in destinations}


def build_connector(destination: Destination, clock: Clock) -> Connector:
    """The connector of a destination, with its secrets put in.

    Raises:
        SecretMissing, connectors.BadSettings: named by the destination.
    """
    settings = resolve(destination.settings, os.environ)
    return connectors.build(destination.connector, settings, clock)
