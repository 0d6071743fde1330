"""What is wrong with an item, said so that a clerk (经办人) can mend it."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator

from schemas.base import Schema
from schemas.identifiers import masked

#: Characters kept of the name of a field and of a message: they may repeat what was given.
_LONGEST_FIELD, _LONGEST_MESSAGE = 128, 500


class Rule(StrEnum):
    """The closed list of rules that input can break; metrics and the problems workbook use it."""

    REQUIRED = "required"  #: 必填项为空
    FORMAT = "format"  #: 格式不对
    LENGTH = "length"  #: 超过长度
    CODE_LIST = "code_list"  #: 不在代码表
    CHECK_DIGIT = "check_digit"  #: 校验位不符
    FUTURE = "future"  #: 日期晚于今天
    ORDER = "order"  #: 日期先后颠倒
    SIZE = "size"  #: 记录过大
    BYTES = "bytes"  #: 字节不能解析
    PRECISION = "precision"  #: 写成了数字，后几位已丢失
    GARBLED = "garbled"  #: 乱码，原来的字已丢失
    FORMULA = "formula"  #: 公式没有结果，或结果是错误
    AMOUNT = "amount"  #: 金额与处罚内容、处罚种类对不上
    STORABLE = "storable"  #: 含有不能存储的字符
    KIND = "kind"  #: 记录种类不认识
    CONFLICT = "conflict"  #: 与已有信息冲突
    STANDING = "standing"  #: 所依据的决定还没有、已撤回，或时间还没有到
    DATABASE = "database"  #: 数据库不接受
    INTERNAL = "internal"  #: 程序出错


class Problem(Schema):
    """One finding: the field (wire column or name), the rule, and in Chinese what to do.

    It is stored and printed, so that identity numbers in it are masked and long texts are cut.
    """

    field: Annotated[str, AfterValidator(lambda text: masked(text)[:_LONGEST_FIELD])]
    rule: Rule
    message: Annotated[str, AfterValidator(lambda text: masked(text)[:_LONGEST_MESSAGE])]
    fix: str
