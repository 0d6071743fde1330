"""Assessment 评价结果 and grade change 等级变动: what scoring says about a subject.

These are structs, not pydantic models, because the engine makes tens of thousands a second. Points
and scores are decimal texts ("-0.5").
"""

from datetime import date
from enum import StrEnum

from schemas.value import Value


class NotEvaluated(StrEnum):
    """Why there is no grade; most are problems of our data or configuration."""

    CRIMINAL_SUSPECT = "criminal_suspect"  #: 涉嫌犯罪，不参评
    NO_RULE_SET = "no_rule_set"  #: 没有适用的评价办法
    NO_TARIFF = "no_tariff"  #: 评价办法没有公开评分表，等级由外部评定
    WRONG_KIND = "wrong_kind"  #: 评价办法不适用于该类对象
    UNKNOWN_ITEM = "unknown_item"  #: 评价办法里没有该评价项
    ITEM_OF_OTHER_KIND = "item_of_other_kind"  #: 评价项属于另一类对象
    MISSING_AMOUNT = "missing_amount"  #: 罚款没有金额
    MISSING_PRINCIPAL_POINTS = "missing_principal_points"  #: 缺委托单位扣分
    MISSING_STATED_POINTS = "missing_stated_points"  #: 缺决定所载分值或指标得分
    BEYOND_INDICATOR_SCALE = "beyond_indicator_scale"  #: 指标得分超过100分
    MISSING_DEPARTMENT = "missing_department"  #: 缺产生信息的部门
    CONFLICTING_EXCEPTIONS = "conflicting_exceptions"  #: 两个例外结果不一
    UNKNOWN_GRADE = "unknown_grade"  #: 外部评定的等级不在评价办法里
    RECEIVED_GRADE_NOT_USED = "received_grade_not_used"  #: 评价办法不采用外部评定的等级
    UNKNOWN_SITE = "unknown_site"  #: 信息所属厂址不在厂址清单里
    SITES_SCORED_APART = "sites_scored_apart"  #: 厂址分别参评，不合并计分
    NOT_PARTICIPANT = "not_participant"  #: 不在参评单位名录
    EARLIER_KIND = "earlier_kind"  #: 参评类别变了，先前的信息不能与现在的合并计分
    BRANCH = "branch"  #: 分支机构，并入法人评价
    ENGINE_ERROR = "engine_error"  #: 评价程序出错


class RuleSetRef(Value, frozen=True):
    """Which rule set gave a result; `version` is the hash of its text."""

    name: str
    version: str
    status: str


class Deduction(Value, frozen=True):
    """One row that counts 扣分项: item, signed points, fact, article, quoted text, values.

    The effect of a limit is a row too: its item is `per_decision`, `lowest` or `highest`; the last
    two have the subject in place of a fact. Rows of several sites are weighted by their share.
    """

    item: str
    points: str
    fact: str
    article: str
    text: str
    values: dict[str, str]


class Veto(Value, frozen=True):
    """One veto 直接评定, or promotion 直接升级, that is active."""

    item: str
    fact: str
    article: str


class Unmapped(Value, frozen=True):
    """A penalty word or event type without a tariff row: 0 points, shown to a person."""

    fact: str
    type: str


class GradeOrigin(Value, frozen=True):
    """The fact that brought a grade computed elsewhere: which, by whom, and since when."""

    fact: str
    issued_by: str
    effective_on: date


class Assessment(Value, frozen=True):
    """The result for one subject on one day; score and grade are None where not evaluated.

    `not_evaluated` is a `NotEvaluated` value, with `:` and what it is about where that helps.
    `changes_on` is the first day on which the result will differ by itself, if any. Where a grade
    computed elsewhere wins, `received` says so, and score and grade are its own.
    """

    id: str
    as_of: date
    rule_set: RuleSetRef | None
    score: str | None
    grade: str | None
    veto: bool
    vetoes: tuple[Veto, ...]
    deductions: tuple[Deduction, ...]
    unmapped: tuple[Unmapped, ...]
    notes: tuple[str, ...]
    not_evaluated: str | None
    changes_on: date | None
    promotions: tuple[Veto, ...] = ()
    received: GradeOrigin | None = None


class PublishedResult(Value, frozen=True):
    """公布等级: the result of a period as it was published; `listings` are the lists 名单 by it."""

    period_end: date
    published_on: date
    grade: str | None
    listings: tuple[str, ...] = ()


class GradeChange(Value, frozen=True):
    """等级变动 of one subject: from, to (None: no grade), and the reasons in the trace's words."""

    from_grade: str | None
    to_grade: str | None
    direction: str
    reasons: tuple[str, ...]
