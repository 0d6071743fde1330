"""AdministrativeLicence 行政许可: the 2018 layout (发改办财金〔2018〕424号).

Lengths are unverified [B]: no original of the annex could be read (ARCHITECTURE.md, "Column
layouts of 2018").
"""

from datetime import date
from typing import ClassVar

from schemas.base import Schema
from schemas.codes import LicenceKind, RecordKind, SubjectCategory
from schemas.columns import ColumnType, Required, column

#: 有效期至 2099/12/31 means 长期 (without end).
LONG_TERM = date(2099, 12, 31)


class AdministrativeLicence(Schema):
    """One licence decision as received; absent or unreadable columns are None."""

    KIND: ClassVar[RecordKind] = RecordKind.LICENCE

    subject_name: str | None = column(
        "XK_XDR_MC", "行政相对人名称", max_length=200, required=Required.ALWAYS
    )
    subject_category: str | None = column(
        "XK_XDR_LB",
        "行政相对人类别",
        type_=ColumnType.CODE,
        max_length=16,
        required=Required.ALWAYS,
        codes=frozenset(SubjectCategory),
    )
    credit_code: str | None = column(
        "XK_XDR_SHXYM",
        "行政相对人代码_1(统一社会信用代码)",
        type_=ColumnType.CREDIT_CODE,
        max_length=18,
        required=Required.CREDIT_CODE_HOLDER,
    )
    registration_number: str | None = column(
        "XK_XDR_GSZC", "行政相对人代码_2(工商注册号)", max_length=50
    )
    organisation_code: str | None = column(
        "XK_XDR_ZZJG", "行政相对人代码_3(组织机构代码)", max_length=9
    )
    tax_number: str | None = column("XK_XDR_SWDJ", "行政相对人代码_4(税务登记号)", max_length=15)
    institution_number: str | None = column(
        "XK_XDR_SYDW", "行政相对人代码_5(事业单位证书号)", max_length=12
    )
    association_number: str | None = column(
        "XK_XDR_SHZZ", "行政相对人代码_6(社会组织登记证号)", max_length=50
    )
    legal_representative: str | None = column("XK_FRDB", "法定代表人", max_length=50)
    representative_id_type: str | None = column("XK_FR_ZJLX", "法定代表人证件类型", max_length=64)
    representative_id: str | None = column(
        "XK_FR_ZJHM", "法定代表人证件号码", type_=ColumnType.IDENTITY, max_length=64
    )
    identity_type: str | None = column(
        "XK_XDR_ZJLX", "证件类型", max_length=64, required=Required.NATURAL_PERSON
    )
    identity_number: str | None = column(
        "XK_XDR_ZJHM",
        "证件号码",
        type_=ColumnType.IDENTITY,
        max_length=64,
        required=Required.NATURAL_PERSON,
    )
    document_name: str | None = column(
        "XK_XKWS", "行政许可决定文书名称", max_length=64, required=Required.ALWAYS
    )
    document_number: str | None = column(
        "XK_WSH", "行政许可决定文书号", max_length=64, required=Required.ALWAYS
    )
    licence_kind: str | None = column(
        "XK_XKLB",
        "许可类别",
        type_=ColumnType.CODE,
        max_length=256,
        required=Required.ALWAYS,
        codes=frozenset(LicenceKind),
    )
    certificate_name: str | None = column("XK_XKZS", "许可证书名称", max_length=64)
    licence_number: str | None = column("XK_XKBH", "许可编号", max_length=64)
    content: str | None = column("XK_NR", "许可内容", max_length=4000, required=Required.ALWAYS)
    decision_date: date | None = column(
        "XK_JDRQ", "许可决定日期", type_=ColumnType.DATE, required=Required.ALWAYS
    )
    valid_from: date | None = column(
        "XK_YXQZ", "有效期自", type_=ColumnType.DATE, required=Required.ALWAYS
    )
    valid_until: date | None = column(
        "XK_YXQZI", "有效期至", type_=ColumnType.DATE, required=Required.ALWAYS
    )
    authority: str | None = column("XK_XKJG", "许可机关", max_length=200, required=Required.ALWAYS)
    authority_code: str | None = column(
        "XK_XKJGDM",
        "许可机关统一社会信用代码",
        type_=ColumnType.CREDIT_CODE,
        max_length=18,
        required=Required.ALWAYS,
    )
    status: str | None = column(
        "XK_ZT", "当前状态", type_=ColumnType.CODE, max_length=1, codes=frozenset({"1", "2"})
    )
    source: str | None = column("XK_LYDW", "数据来源单位", max_length=200, required=Required.ALWAYS)
    source_code: str | None = column(
        "XK_LYDWDM",
        "数据来源单位统一社会信用代码",
        type_=ColumnType.CREDIT_CODE,
        max_length=18,
        required=Required.ALWAYS,
    )
    remark: str | None = column("BZ", "备注", max_length=512)
