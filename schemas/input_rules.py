"""What a bureau may set about the input that it accepts (pure)."""

from collections.abc import Mapping
from enum import StrEnum
from itertools import chain

from pydantic import Field, field_validator

from schemas.base import NonBlank, Schema
from schemas.column_names import is_unit_unclear
from schemas.columns import ColumnType, columns_of
from schemas.kinds import KINDS


class Deletes(StrEnum):
    """What a row that was deleted in the source database means (Debezium's op d)."""

    REFUSE = "refuse"  #: nothing: a decision does not end because its row is gone
    WITHDRAW = "withdraw"  #: the decision is withdrawn 撤回


class Comparison(StrEnum):
    """Columns that are compared with each other 比对; what does not fit is a warning."""

    AMOUNT_IN_WORDS = "amount_in_words"  #: the fine against the amounts in 处罚内容
    PUBLISHED_UNTIL = "published_until"  #: 公示截止期 before the decision, or years after it
    WARNING_WITH_AMOUNT = "warning_with_amount"  #: only 警告 or 通报批评, but an amount
    AMOUNT_WITHOUT_KIND = "amount_without_kind"  #: an amount, but no kind of penalty that has one
    VALID_BEFORE_DECISION = "valid_before_decision"  #: 有效期自 before the decision
    OBJECTION = "objection"  #: 当前状态 of the old layout is 异议


class InputRules(Schema):
    """How the columns of decisions are read, from all doors."""

    #: Words that stand for an empty cell 占位符.
    placeholders: tuple[NonBlank, ...] = (
        "/", "／", "\\", "＼", "-", "--", "---", "－", "—", "——", "–", "无", "空", "暂无", "null",
        "NULL", "Null", "nil", "none", "None", "N/A", "n/a", "NA", "(null)", "(空)", "（空）",
        "nan", "NaN", "NAN", "NaT", "<NA>", "\\N",
    )  # fmt: skip
    #: Names of columns beside those of the standard: wire column → names.
    columns: Mapping[str, tuple[NonBlank, ...]] = Field(default_factory=dict)
    deletes: Deletes = Deletes.REFUSE
    #: Comparisons that hold a record back like any problem; the others only warn.
    hold: frozenset[Comparison] = frozenset()
    #: A larger record is refused, from whichever door; of its bytes only the start is kept.
    max_record_bytes: int = Field(default=8 * 2**20, ge=2**16, lt=2**28)

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        known = {one.wire: one for kind in KINDS.values() for one in columns_of(kind.model)}
        if strange := sorted(columns.keys() - known.keys()):
            raise ValueError(f"没有列 {'、'.join(strange)}；写列的代码，如 CF_WSH: [决定书编号]")
        amounts = (
            names for wire, names in columns.items() if known[wire].type is ColumnType.AMOUNT
        )
        for name in chain.from_iterable(amounts):
            if is_unit_unclear(name):
                words = f"“{name}”里有“元”，看不准金额的单位"
                raise ValueError(f"{words}；列名改成只写一个单位，写在最后，如 罚款（元）")
        return columns
