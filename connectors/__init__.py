"""Connectors 报送通道: the registry of connector kinds, and `build`, which makes a connector.

Other packages can add a kind with an entry point of the group `credit_gateway.connectors`. The
name of the entry point is the kind, and its object is a `ConnectorKind`. A package that cannot be
imported is a fault of the destinations that use it, and of nothing else.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
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
from connectors.protocol import Abilities, CarriedByPerson, Connector, OnUnknown
from connectors.shared import Clock
from connectors.shared.tls import TlsFileError
from schemas.base import Schema
from schemas.faults import Place, placed

__all__ = [
    "CONNECTORS",
    "GROUP",
    "BadSettings",
    "ConnectorKind",
    "PluggedIn",
    "UnknownKind",
    "UnusablePackage",
    "build",
    "find",
    "kind_by_person",
    "kind_of",
    "plugged_in",
    "tables_of",
]

#: The entry point group for connectors of other packages.
GROUP = "credit_gateway.connectors"

S = TypeVar("S", bound=Schema)


class UnknownKind(ValueError):
    """There is no connector of this kind; the message lists the existing kinds."""


class UnusablePackage(ValueError):
    """A kind of another package cannot be used; the message names package, cause and fix."""


class BadSettings(ValueError):
    """The settings of a connector are invalid; the message names each field but shows no value."""

    def __init__(self, faults: Sequence[tuple[Place, str]]) -> None:
        """Make it of the faults: their places within the settings, and what is wrong there."""
        super().__init__("\n".join(text for _, text in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class ConnectorKind:
    """One kind of destination: its settings model and its constructor. Make it with `kind_of`.

    `by_person`: nobody calls it, a person carries a file there; made with `kind_by_person`.
    `tables`: the record kinds that it has a table for by its settings, where an item of another
    one would be rejected; without it, or where it returns None, every kind can be sent.
    """

    settings: type[Schema]
    make: Callable[[Any, Clock], Connector]
    abilities: Abilities
    by_person: bool = False
    tables: Callable[[Any], Collection[str] | None] | None = None

    @property
    def batch_size(self) -> int | None:
        """How many items go into a call unless the settings say otherwise; None: unknown."""
        field = self.settings.model_fields.get("batch_size")
        return field.default if field and isinstance(field.default, int) else None


def kind_of(
    settings: type[S],
    make: Callable[[S, Clock], Connector],
    abilities: Abilities = Abilities(),  # noqa: B008  it is frozen
    tables: Callable[[S], Collection[str] | None] | None = None,
) -> ConnectorKind:
    """Make a ConnectorKind; `make` must take this settings model and return a `Connector`."""
    return ConnectorKind(settings, make, abilities, tables=tables)


#: A destination that answers no questions: it only takes.
_ONE_WAY = Abilities(on_unknown=OnUnknown.RESEND, has_receipts=False, has_listing=False)
#: One to which a person carries files.
_BY_PERSON = Abilities(on_unknown=OnUnknown.PERSON, has_receipts=False, has_listing=False)
#: One that is asked for an item; whether it gives receipts is in the settings.
_ASKED = Abilities(on_unknown=OnUnknown.LOOK_UP, has_listing=False)


def kind_by_person(
    settings: type[S],
    make: Callable[[S, Clock], CarriedByPerson],
    tables: Callable[[S], Collection[str] | None] | None = None,
) -> ConnectorKind:
    """Make the ConnectorKind of destinations to which a person carries files."""
    return ConnectorKind(settings, make, _BY_PERSON, by_person=True, tables=tables)


def _own_tables(
    settings: ExchangeDatabaseSettings | FileDropSettings | PlatformSoapSettings,
) -> Collection[str]:
    return settings.tables


def _sheets(settings: ExcelTemplateSettings) -> Collection[str] | None:
    return None if settings.template is None else settings.sheets


CONNECTORS: dict[str, ConnectorKind] = {
    "bank-webhook": kind_of(BankWebhookSettings, BankWebhook, _ONE_WAY),
    "excel-template": kind_by_person(ExcelTemplateSettings, ExcelTemplate, _sheets),
    "exchange-database": kind_of(ExchangeDatabaseSettings, ExchangeDatabase, _ASKED, _own_tables),
    "file-drop": kind_of(FileDropSettings, FileDrop, _ASKED, _own_tables),
    "kafka-topic": kind_of(
        KafkaTopicSettings,
        KafkaTopic,
        Abilities(on_unknown=OnUnknown.RESEND, has_listing=False),
    ),
    "mail-drop": kind_of(MailDropSettings, MailDrop, _ONE_WAY),
    "memory": kind_of(
        MemorySettings, MemoryConnector, Abilities(has_receipts=True, has_listing=True)
    ),
    "platform-json": kind_of(
        PlatformJsonSettings,
        PlatformJson,
        Abilities(on_unknown=OnUnknown.LOOK_UP, has_receipts=True, has_listing=True),
    ),
    "platform-soap": kind_of(
        PlatformSoapSettings,
        PlatformSoap,
        Abilities(on_unknown=OnUnknown.RESEND, has_listing=False),
        _own_tables,
    ),
}


@dataclass(frozen=True, slots=True)
class PluggedIn:
    """A kind of another package, by its entry point; nothing of it is imported before `load`."""

    name: str
    entry: EntryPoint

    @property
    def package(self) -> str:
        """The name and version of its package."""
        made = self.entry.dist
        return self.entry.value if made is None else f"{made.name} {made.version}"

    def load(self) -> ConnectorKind:
        """Import the package.

        Raises:
            UnusablePackage: it cannot be imported, or has something else under this name.
        """
        if self.name in CONNECTORS:
            raise self._unusable("与自带的通道同名，没有使用", "改它的入口点的名字")
        try:
            loaded = self.entry.load()
        except Exception as error:
            said = f"{type(error).__name__}：{error}"
            fix = "装上它缺的，换一个与本版本相配的版本，或卸载它"
            raise self._unusable(f"载入失败（{said}）", fix) from error
        if not isinstance(loaded, ConnectorKind):
            fault = f"{self.entry.value} 不是 ConnectorKind"
            raise self._unusable(fault, "入口点应指向 kind_of(…) 的结果")
        return loaded

    def _unusable(self, fault: str, fix: str) -> UnusablePackage:
        return UnusablePackage(f"通道 {self.name}（{self.package}）{fault}；{fix}")


def plugged_in() -> list[PluggedIn]:
    """Return the kinds of other packages, by name."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
    return [PluggedIn(entry.name, entry) for entry in found]


def find(kind: str) -> ConnectorKind:
    """Return a kind by its name.

    Raises UnknownKind for one that does not exist, and UnusablePackage for one of a package that
    cannot be imported.
    """
    return CONNECTORS.get(kind) or _of_others(kind)


def build(kind: str, settings: Mapping[str, Any], clock: Clock) -> Connector:
    """Build a connector; it opens no connection before its first call.

    Raises UnknownKind for a kind that does not exist, UnusablePackage for one of a package that
    cannot be imported or fails here, and BadSettings for invalid settings.
    """
    found = find(kind)
    try:
        read = found.settings.model_validate(dict(settings))
    except ValidationError as exc:
        raise BadSettings(
            [
                (fault["loc"], f"{kind}：{placed(fault)}")
                for fault in exc.errors(include_input=False, include_url=False)
            ]
        ) from None
    try:
        return found.make(read, clock)
    except TlsFileError as error:
        raise BadSettings([((error.setting,), f"{kind}：settings {error}")]) from None
    except Exception as error:
        if kind in CONNECTORS:
            raise
        said = f"{type(error).__name__}：{error}"
        fix = "改 settings，或换一个与本版本相配的版本"
        raise UnusablePackage(f"通道 {kind} 用这些设置建不起来（{said}）；{fix}") from error


def tables_of(kind: str, settings: Mapping[str, Any]) -> Collection[str] | None:
    """Return what a connector has tables for by settings that `build` takes; None: for all."""
    found = find(kind)
    if found.tables is None:
        return None
    return found.tables(found.settings.model_validate(dict(settings)))


def _of_others(kind: str) -> ConnectorKind:
    others = {one.name: one for one in plugged_in()}
    if kind not in others:
        raise UnknownKind(f"没有通道 {kind}；现有：{'、'.join(sorted({*CONNECTORS, *others}))}")
    return others[kind].load()
