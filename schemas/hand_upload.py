"""Hand upload 人工上报: a file that a person carries to a destination, and what becomes of it."""

from enum import StrEnum
from itertools import combinations
from typing import Annotated, NamedTuple, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.base import Schema

#: Where an item is done that the file cannot express: a person does it on the platform's page.
ON_THE_PAGE = "平台页面"

_Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class UploadState(StrEnum):
    """What a person has said of a hand upload."""

    OPEN = "open"  #: 在人手里: nobody has said yet what became of it
    DONE = "done"  #: 已上报: it was uploaded
    UNDONE = "undone"  #: 未上报: it was not, or the platform refused the whole file


class FilledFile(NamedTuple):
    """A file for a person to carry, and the place of each item in it, in their order.

    A place is `sheet!row`, or `ON_THE_PAGE`; None if the item has to wait for a later file. Without
    any row there is no content. `columns` are the standard columns that the file has.
    """

    content: bytes | None
    places: tuple[str | None, ...]
    columns: frozenset[str] = frozenset()


class AnswerColumns(Schema):
    """The columns of a list of results that a platform exports, the first that there is [B].

    Of results every column counts: what one refused is refused, whatever another says.
    """

    number: tuple[_Text, ...] = Field(
        default=("文书号", "文号", "决定书文号", "决定文书号", "处罚决定书文号", "许可决定书文号"),
        title="文书号的列名；标准的列名和代码总是认识的",
    )
    code: tuple[_Text, ...] = Field(
        default=("统一社会信用代码", "社会信用代码", "行政相对人代码", "证件号码"),
        title="行政相对人代码的列名，同号的各行以此区分；标准的列名和代码总是认识的",
    )
    status: tuple[_Text, ...] = Field(
        default=(
            "审核状态",
            "处理状态",
            "数据状态",
            "上报结果",
            "处理结果",
            "校验结果",
            "导入结果",
        ),
        min_length=1,
        title="结果的列名",
    )
    reason: tuple[_Text, ...] = Field(
        default=("失败原因", "错误原因", "退回原因", "错误描述", "审核意见", "原因"),
        title="原因的列名",
    )
    time: tuple[_Text, ...] = Field(
        default=("入库时间", "审核时间", "处理时间"), title="平台时间的列名"
    )
    accepted: frozenset[_Text] = Field(
        default=frozenset({"成功", "通过", "审核通过", "已通过", "已入库", "入库成功"}),
        min_length=1,
        title="表示入库的结果",
    )
    passed: frozenset[_Text] = Field(
        default=frozenset({"校验通过"}), title="只说过了一步、还说不上入库的结果"
    )
    rejected: frozenset[_Text] = Field(
        default=frozenset(
            {"失败", "不通过", "审核不通过", "未通过", "退回", "已退回", "入库失败", "校验不通过"}
        ),
        min_length=1,
        title="表示退回的结果",
    )

    @model_validator(mode="after")
    def _each_means_one_thing(self) -> Self:
        pairs = combinations((self.accepted, self.passed, self.rejected), 2)
        if twice := sorted(set().union(*(one & other for one, other in pairs))):
            raise ValueError(f"accepted、passed、rejected 都有 {'、'.join(twice)}；只写在一处")
        return self
