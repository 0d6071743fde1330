"""The settings of notices to people 通知."""

from collections import Counter
from datetime import time, timedelta

from pydantic import Field, model_validator

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
