"""Connectors 报送通道: the registry of connector kinds, and `build`, which makes a connector.

Other packages can add a kind with an entry point of the group `credit_gateway.connectors`. The
name of the entry point is the kind, and its object is a `ConnectorKind`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, TypeVar

from pydantic import ValidationError

from connectors.bank_webhook import BankWebhook, BankWebhookSettings
from connectors.excel_template import ExcelTemplate, ExcelTemplateSettings
from connectors.exchange_database import ExchangeDatabase, ExchangeDatabaseSettings
from connectors.file_drop import FileDrop, FileDropSettings
from connectors.kafka_topic import KafkaTopic, KafkaTopicSettings
from connectors.mail_drop import MailDrop, MailDropSettings
from connectors.memory import MemoryConnector, MemorySettings
from connectors.platform_api import (
    PlatformJson,
    PlatformJsonSettings,
    PlatformSoap,
    PlatformSoapSettings,
)
from connectors.protocol import CarriedByPerson, Connector
from connectors.shared import Clock
from connectors.shared.tls import TlsFileError
from schemas.base import Schema
from schemas.faults import faults

__all__ = [
    "CONNECTORS",
    "GROUP",
    "BadSettings",
    "ConnectorKind",
    "UnknownKind",
    "build",
    "find",
    "kind_by_person",
    "kind_of",
    "kinds",
]

#: The entry point group for connectors of other packages.
GROUP = "credit_gateway.connectors"

S = TypeVar("S", bound=Schema)


class UnknownKind(ValueError):
    """There is no connector of this kind; the message lists the existing kinds."""


class BadSettings(ValueError):
    """The settings of a connector are invalid; the message names each field but shows no value."""


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """One kind of destination: its settings model and its constructor. Make it with `kind_of`.

    `by_person`: nobody calls it, a person carries a file there; made with `kind_by_person`.
    """

    settings: type[Schema]
    make: Callable[[Any, Clock], Connector]
    by_person: bool = False


def kind_of(settings: type[S], make: Callable[[S, Clock], Connector]) -> ConnectorKind:
    """Make a ConnectorKind; `make` must take this settings model and return a `Connector`."""
    return ConnectorKind(settings, make)


def kind_by_person(settings: type[S], make: Callable[[S, Clock], CarriedByPerson]) -> ConnectorKind:
    """Make the ConnectorKind of destinations to which a person carries files."""
    return ConnectorKind(settings, make, by_person=True)


CONNECTORS: dict[str, ConnectorKind] = {
    "bank-webhook": kind_of(BankWebhookSettings, BankWebhook),
    "excel-template": kind_by_person(ExcelTemplateSettings, ExcelTemplate),
    "exchange-database": kind_of(ExchangeDatabaseSettings, ExchangeDatabase),
    "file-drop": kind_of(FileDropSettings, FileDrop),
    "kafka-topic": kind_of(KafkaTopicSettings, KafkaTopic),
    "mail-drop": kind_of(MailDropSettings, MailDrop),
    "memory": kind_of(MemorySettings, MemoryConnector),
    "platform-json": kind_of(PlatformJsonSettings, PlatformJson),
    "platform-soap": kind_of(PlatformSoapSettings, PlatformSoap),
}


def kinds() -> dict[str, ConnectorKind]:
    """Return every kind, built in or from entry points; a built-in kind wins over an equal name."""
    found = {entry.name: entry for entry in entry_points(group=GROUP)}
    theirs = {name: entry.load() for name, entry in found.items() if name not in CONNECTORS}
    return {**theirs, **CONNECTORS}


def find(kind: str) -> ConnectorKind:
    """Return a kind by its name; raises UnknownKind for one that does not exist."""
    found = CONNECTORS.get(kind) or kinds().get(kind)
    if found is None:
        raise UnknownKind(f"没有通道 {kind}；现有：{'、'.join(sorted(kinds()))}")
    return found


def build(kind: str, settings: Mapping[str, Any], clock: Clock) -> Connector:
    """Build a connector; it opens no connection before its first call.

    Raises UnknownKind for a kind that does not exist, and BadSettings for invalid settings.
    """
    found = find(kind)
    try:
        read = found.settings.model_validate(dict(settings))
    except ValidationError as exc:
        raise BadSettings("\n".join(f"{kind}：{fault}" for fault in faults(exc))) from None
    try:
        return found.make(read, clock)
    except TlsFileError as error:
        raise BadSettings(f"{kind}：settings {error}") from None
