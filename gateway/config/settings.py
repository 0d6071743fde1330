"""The configuration: one YAML file and environment variables; secrets only by reference.

Environment variables (`CREDIT_GATEWAY_DATABASE_URL` and so on) take precedence over the file.
`KAFKA_BOOTSTRAP_SERVERS` names a cluster to use instead of the embedded broker.
"""

import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import (
    AliasChoices,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from gateway.config.account_settings import (
    LedgerSettings,
    ReconcileSettings,
    RetentionSettings,
)
from gateway.config.consistency import check_clocks, check_sides
from gateway.config.errors import BadConfiguration
from gateway.config.http_settings import HttpSettings
from gateway.config.secrets import SecretMissing, resolve
from gateway.config.telling_settings import NotifySettings, TracingSettings
from gateway.config.yaml_text import YamlText, parse_yaml
from schemas.base import Schema
from schemas.codes import RecordKind, SubjectKind
from schemas.configured import ConfiguredKind, adopt
from schemas.connection import KafkaConnection
from schemas.destination import (
    BUILT_IN_TIME_LIMITS,
    ENTRY_TIME_LIMITS,
    FOLLOW_UP_TIME_LIMITS,
    Destination,
    TimeLimit,
)
from schemas.faults import Place, of_system, place_of, placed
from schemas.input_rules import InputRules
from schemas.verdict import Exclusion, Scope

_PREFIX = "CREDIT_GATEWAY_"


class RuleSetBinding(Schema):
    """The subjects that a rule set scores: their kinds, and prefixes of region digits 3–8."""

    rule_set: str
    kinds: frozenset[SubjectKind] = frozenset({SubjectKind.ENTERPRISE})
    regions: tuple[str, ...] = ("",)
    measures: tuple[str, ...] = ()  #: measure policies for its grades
    participants_only: bool = False  #: whoever is not in the register is not evaluated


class ScoringSettings(Schema):
    """Who is scored by which rule set; no alert for regions in `not_scored`."""

    bindings: tuple[RuleSetBinding, ...] = ()
    not_scored: tuple[str, ...] = ()
    rule_set_folders: tuple[Path, ...] = ()
    measure_folders: tuple[Path, ...] = ()
    publicity_folders: tuple[Path, ...] = ()
    #: The share of subjects that may change grade on a new text without a further confirmation.
    activation_share: Decimal = Field(default=Decimal("0.3"), ge=0, le=1)


class OnMissing(StrEnum):
    """What intake does at messages that the bus deleted before they were read."""

    CONTINUE = "continue"  #: note them, and go on behind them
    STOP = "stop"  #: note them, and wait for a person


class KafkaSettings(KafkaConnection):
    """The bus: how it is reached, input topics by kind, the consumer group, the batch size."""

    cluster: str = "main"
    group: str = "credit-gateway"
    topics: Mapping[str, RecordKind] = Field(
        default_factory=lambda: {
            "double-publicity.penalty": RecordKind.PENALTY,
            "double-publicity.licence": RecordKind.LICENCE,
            "environmental-credit.event": RecordKind.EVENT,
            "environmental-credit.grade": RecordKind.GRADE,
            "environmental-credit.participant": RecordKind.PARTICIPANT,
        }
    )
    #: The topic on which sources are told what became of what they sent; None: they are not told.
    returns: str | None = Field(default=None, min_length=1, max_length=249)
    batch_size: int = Field(default=1000, ge=1, le=10_000)
    max_poll_interval_ms: int = Field(default=300_000, ge=1_000)
    #: After so long new topics and partitions are seen, and those that were made again.
    metadata_max_age_ms: int = Field(default=30_000, ge=1_000)
    on_missing: OnMissing = OnMissing.CONTINUE
    #: A name of this process within the group: a quick restart then moves no partitions.
    instance: str | None = Field(default=None, min_length=1, max_length=249)
    #: The rack of this host: replicas in it are read from.
    rack: str | None = Field(default=None, min_length=1)


class FileLimits(Schema):
    """Limits of files from outside."""

    max_xlsx_rows: int = Field(default=100_000, gt=0)
    max_unpacked_bytes: int = Field(default=512 * 2**20, gt=0)
    max_line_bytes: int = Field(default=2**20, gt=0, lt=2**31)
    #: Memory of the process that reads a workbook.
    max_reader_bytes: int = Field(default=300 * 2**20, ge=64 * 2**20)


class Settings(BaseSettings):
    """All settings."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    #: The kinds of records beside those built in; what follows is read with them.
    kinds: tuple[ConfiguredKind, ...] = ()
    state: Path = Path("var")
    database_url: SecretStr | None = None
    master_key: SecretStr | None = Field(default=None, min_length=32)
    kafka_bootstrap: str | None = Field(
        default=None,
        validation_alias=AliasChoices("kafka_bootstrap", "KAFKA_BOOTSTRAP_SERVERS"),
    )
    kafka: KafkaSettings = KafkaSettings()
    http: HttpSettings = HttpSettings()
    files: FileLimits = FileLimits()
    input: InputRules = InputRules()
    scoring: ScoringSettings = ScoringSettings()
    scope: Mapping[Exclusion, str] = Field(default_factory=dict)
    retention: RetentionSettings = RetentionSettings()
    clocks: tuple[TimeLimit, ...] = ()
    #: The clock of entry 录入期限, of which the ledger tells the rate; None: it tells none.
    entry_clock: str | None = None
    ledger: LedgerSettings = LedgerSettings()
    reconcile: ReconcileSettings = ReconcileSettings()
    notify: NotifySettings = NotifySettings()
    tracing: TracingSettings = TracingSettings()
    destinations: tuple[Destination, ...] = ()
    _written: YamlText = PrivateAttr(default=YamlText("环境变量"))

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment first, then the file, and nothing else."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @field_validator("kinds")
    @classmethod
    def _adopted(cls, kinds: tuple[ConfiguredKind, ...]) -> tuple[ConfiguredKind, ...]:
        """Make them those of the process: topics, columns and destinations name them."""
        adopt(kinds)
        return kinds

    @model_validator(mode="after")
    def _consistent(self) -> "Settings":
        check_sides(self.destinations, self.reconcile.registers)
        check_clocks(self.destinations, self.all_clocks, self.entry_clock)
        return self

    def written_at(self, place: Place) -> str:
        """Return for messages where a setting is written: the variable, or the file and line."""
        return _variable(place) or self._written.at(place)

    @property
    def all_clocks(self) -> dict[str, TimeLimit]:
        """The built-in clocks and the configured ones, which replace those of the same name."""
        built_in = (*BUILT_IN_TIME_LIMITS, *ENTRY_TIME_LIMITS, *FOLLOW_UP_TIME_LIMITS)
        return {clock.name: clock for clock in (*built_in, *self.clocks)}

    @property
    def exclusion_scope(self) -> Scope:
        """The scope of exclusions of Henan, with the configured column names."""
        rules = dict(Scope().rules)
        for reason, column in self.scope.items():
            rules[reason] = (column, rules[reason][1])
        return Scope(rules)


def load_settings(path: Path | None) -> Settings:
    """Read the settings from a file; without one, from the environment and the defaults.

    Raises:
        BadConfiguration: unreadable, not YAML, a repeated or unknown key, or a wrong value.
    """
    if path is None:
        return make_settings({}, "环境变量")
    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        said = of_system(error)
        raise BadConfiguration(f"{path} 读不出来：{said}；改正 --config 的路径") from error
    except UnicodeDecodeError as error:
        raise BadConfiguration(f"{path} 应为 UTF-8 编码：{error}") from error
    written = YamlText(str(path), content)
    return make_settings(parse_yaml(content, written.name, BadConfiguration), written)


def make_settings(content: Mapping[str, Any], written: YamlText | str) -> Settings:
    """Make settings from parsed YAML; its text, or at least its name, is for error messages.

    Raises:
        BadConfiguration: an unknown key or a wrong value, in the content or the environment; a
            secret that it refers to is missing.
    """
    written = YamlText(written) if isinstance(written, str) else written
    # pydantic-settings would take these as options of its own.
    if foreign := sorted(key for key in map(str, content) if key.startswith("_")):
        raise BadConfiguration(
            f"{written.at((foreign[0],))}：{'、'.join(foreign)}：不认识的键；改正键名或删去"
        )
    if misspelt := [words for name in sorted(os.environ) if (words := _misspelt(name))]:
        raise BadConfiguration("\n".join(misspelt))
    try:
        # The secrets of destinations are resolved when their connectors are built.
        others = {key: value for key, value in content.items() if key != "destinations"}
        settings = Settings(**{**content, **resolve(others, os.environ)})
    except SecretMissing as missing:
        raise BadConfiguration(f"{written.at(missing.place)}：{missing}") from None
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        lines = [
            f"{_variable(fault['loc']) or written.at(place_of(fault))}：{placed(fault)}"
            for fault in found
        ]
        raise BadConfiguration("\n".join(lines)) from None
    except SettingsError as error:
        given = "、".join(sorted(name for name in os.environ if name.startswith(_PREFIX)))
        fix = """列表写成 '["…"]'"""
        raise BadConfiguration(f"环境变量 {given} 中有一个应写成 JSON，{fix}：{error}") from None
    settings._written = written  # noqa: SLF001  its own maker
    return settings


def _misspelt(name: str) -> str | None:
    """Return what is wrong with a variable that nothing reads but is nearly one of ours.

    Others with our prefix may be secrets to which the file refers.
    """
    given = name.removeprefix(_PREFIX).lower()
    field = given.partition("__")[0]
    if not name.startswith(_PREFIX) or (field in Settings.model_fields and field not in _ALIASES):
        return None
    known = {one.replace("__", "_"): one for one in (*Settings.model_fields, *_nested())}
    near = get_close_matches(given.replace("__", "_"), known, n=1, cutoff=0.8)
    meant = [_ALIASES.get(known[one], f"{_PREFIX}{known[one].upper()}") for one in near]
    return f"环境变量 {name} 没有用处；是否应为 {meant[0]}？改名或删去" if meant else None


def _nested() -> Iterator[str]:
    """Yield the settings within settings, as `http__port`."""
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Schema):
            yield from (f"{name}__{inner}" for inner in field.annotation.model_fields)


#: Settings whose variable has another name.
_ALIASES = {"kafka_bootstrap": "KAFKA_BOOTSTRAP_SERVERS"}


def _variable(place: tuple[int | str, ...]) -> str | None:
    """Return the environment variable that contains the fault, if one is set."""
    steps = [str(step).upper() for step in place]
    names = [_PREFIX + "__".join(steps[:count]) for count in range(len(steps), 0, -1)]
    return next((f"环境变量 {name}" for name in names if name in os.environ), None)
