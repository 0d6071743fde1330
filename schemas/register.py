"""Source register 案件登记 as configured: where the case system says what was decided."""

from datetime import timedelta
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator

from schemas.base import Schema
from schemas.codes import RecordKind
from schemas.destination import Wait
from schemas.kinds import KINDS


class RegisterQuery(Schema):
    """A query of the case system's database; `:first` and `:end` are the decision dates.

    `:first` is the first date and `:end` the day behind the last one. Each row of the answer has
    the names of the standard's columns, in Chinese or as codes.
    """

    url: SecretStr  #: as SQLAlchemy writes it, such as mysql+pymysql://…
    query: str = Field(min_length=1)


class Register(Schema):
    """One register: a file, a query or a topic that has one row for each decision.

    A later row of a decision whose verb is 更正 or 撤回 takes the place of those before it.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    title: str
    file: str | None = Field(default=None, min_length=1)
    sql: RegisterQuery | None = None
    topic: str | None = Field(default=None, min_length=1)
    kind: RecordKind | None = None  #: of rows that do not show it themselves
    #: Whose decisions it has; empty: those of every authority.
    authorities: tuple[str, ...] = ()
    #: It has a part of the decisions only: what it lacks is no difference.
    partial: bool = False
    #: What came here so recently may not be in the register yet.
    settle: Wait = timedelta(days=1)

    @field_validator("kind", mode="before")
    @classmethod
    def _reported(cls, kind: object) -> object:
        # Before the list of all kinds is offered, of which a register has but these.
        if kind is not None and str(kind) not in KINDS.reported:
            known = "、".join(f"{one}（{KINDS[one].title}）" for one in sorted(KINDS.reported))
            raise ValueError(f"应为 {known}，不是“{kind}”")
        return kind

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [one for one in (self.file, self.sql, self.topic) if one is not None]
        if len(given) != 1:
            raise ValueError("file、sql、topic 写且只写一个")
        return self
