"""What we publish: the payloads of topics and webhooks."""

from datetime import date

from pydantic import Field

from schemas.base import AwareDatetime, Schema


class RuleSetName(Schema):
    """Which rule set a grade came from; a draft's results are 试算."""

    name: str
    version: str
    status: str = Field(description="draft (试算), in_force, superseded, or external")


class GradeChanged(Schema):
    """等级变动 as banks and platforms get it: enterprises only, never a natural person."""

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
    recorded_at: AwareDatetime
