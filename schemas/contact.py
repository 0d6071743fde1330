"""Contact 联系人 as configured: who is told what needs a person, how, and when not."""

from datetime import time
from enum import StrEnum
from typing import Self

from pydantic import Field, SecretStr, model_validator

from schemas.base import Schema
from schemas.recipient import MailBox


class ContactRole(StrEnum):
    """What a contact answers for."""

    CLERK = "clerk"  #: 经办人员
    OPERATOR = "operator"  #: 运维人员
    LEADER = "leader"  #: 负责人


class Quiet(Schema):
    """The hours in which only what is urgent is told 免打扰; they may go over midnight."""

    begin: time
    end: time

    def holds(self, at: time) -> bool:
        """Whether a time of the day in China lies in them."""
        if self.begin <= self.end:
            return self.begin <= at < self.end
        return at >= self.begin or at < self.end


class Contact(Schema):
    """A person or a group that is told, by mail or by addresses of the library apprise."""

    name: str = Field(min_length=1, max_length=60)
    roles: frozenset[ContactRole] = Field(min_length=1)
    authorities: tuple[str, ...] = ()  #: only what is theirs; none: of all
    mail: MailBox | None = None
    #: Such as wecombot://key (企业微信), dingtalk://token (钉钉), feishu://token (飞书), jsons://host.
    urls: tuple[SecretStr, ...] = ()
    step: int = Field(default=1, ge=1, le=9)  #: 1 at once; each further one after `escalate_after`
    quiet: Quiet | None = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.mail is None and not self.urls:
            raise ValueError(f"{self.name}：没有写怎样通知，写 mail 或 urls")
        return self
