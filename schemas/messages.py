"""What we publish: the payloads of topics and webhooks."""

from datetime import date

from pydantic import Field

from schemas.base import AwareDatetime, Schema


class RuleSetName(Schema):
    """Which rule set a grade came from; a draft's results are 试算."""

    name: str
    version: str
    status: str = Field(description="draft (试算), in_force, superseded, or external")


class MeasureName(Schema):
    """A measure 监管措施 or notice 告知 that a grade change begins, ends or calls for."""

    policy: str
    id: str
    title: str
    source: str = Field(description="document and article")
    tell: tuple[str, ...] = Field(default=(), description="who has to hear of it")
    note: str | None = Field(default=None, description="how a gap of the text is read")
    verified: bool = Field(description="false: not read in the source")


class PublishedGrade(Schema):
    """The last published grade 公布等级, which stands until the next publication."""

    period_end: date
    published_on: date
    grade: str | None
    listings: tuple[str, ...] = Field(default=(), description="lists 名单, such as a blacklist")


class GradeChanged(Schema):
    """等级变动 as banks and platforms get it: enterprises only, never a natural person.

    With the cause `published`, a grade of a period was published or a list changed: the live grade
    stays (`from_grade` is `to_grade`), and `published` is new.
    """

    number: int = Field(description="gap-free, in the order of publishing; a reader's cursor")
    subject_code: str
    subject_name: str | None
    from_grade: str | None
    to_grade: str | None
    direction: str
    cause: str
    reasons: tuple[str, ...]
    score: str | None
    trial: bool = Field(description="true: the rule set is a draft (试算), no legal effect")
    rule_set: RuleSetName
    effective_on: date
    published: PublishedGrade | None = None
    measures_begin: tuple[MeasureName, ...] = ()
    measures_end: tuple[MeasureName, ...] = ()
    notices: tuple[MeasureName, ...] = ()
    recorded_at: AwareDatetime
