"""The settings of what is told outside: notices to people 通知, traces to a collector 链路."""

from collections import Counter
from collections.abc import Mapping
from datetime import time, timedelta

from pydantic import Field, SecretStr, model_validator

from schemas.base import Schema
from schemas.contact import Contact


class NotifySettings(Schema):
    """Who is told what needs a person; without contacts nobody is."""

    contacts: tuple[Contact, ...] = ()
    #: When each is told what this day needs, in China; None: never.
    morning: time | None = time(8, 30)
    #: What lasts so long is told to the next step, and so on.
    escalate_after: timedelta = Field(default=timedelta(hours=2), ge=timedelta(minutes=5))

    @model_validator(mode="after")
    def _each_once(self) -> "NotifySettings":
        for name, times in Counter(one.name for one in self.contacts).items():
            if times > 1:
                raise ValueError(f"contacts：{name} 写了{times}次；每个 name 只能有一个")
        return self


class TracingSettings(Schema):
    """Traces by OpenTelemetry, from intake to receipt; none without an endpoint."""

    #: Of a collector that takes OTLP over HTTP, as https://collector:4318/v1/traces.
    endpoint: str | None = Field(default=None, pattern=r"^https?://")
    headers: Mapping[str, SecretStr] = Field(default_factory=dict)
    share: float = Field(default=1.0, ge=0, le=1)  #: of the records and deliveries
