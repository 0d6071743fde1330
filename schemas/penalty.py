"""AdministrativePenalty 行政处罚: the 2018 layout (发改办财金〔2018〕424号), for all subjects."""

from datetime import date
from typing import ClassVar

from pydantic import field_serializer

from schemas.base import Schema, Wanyuan
from schemas.codes import PENALTY_KINDS, RecordKind, SubjectCategory
from schemas.columns import ColumnType, Required, column


class AdministrativePenalty(Schema):
    """One penalty decision as received; absent or unreadable columns are None."""

    KIND: ClassVar[RecordKind] = RecordKind.PENALTY

    subject_name: str | None = column(
        "CF_XDR_MC", "行政相对人名称", max_length=200, required=Required.ALWAYS
    )
    subject_category: str | None = column(
        "CF_XDR_LB",
        "行政相对人类别",
        type_=ColumnType.CODE,
        max_length=16,
        required=Required.ALWAYS,
        codes=frozenset(SubjectCategory),
    )
    credit_code: str | None = column(
        "CF_XDR_SHXYM",
        "行政相对人代码_1(统一社会信用代码)",
        type_=ColumnType.CREDIT_CODE,
        max_length=18,
        required=Required.CREDIT_CODE_HOLDER,
    )
    registration_number: str | None = column(
        "CF_XDR_GSZC", "行政相对人代码_2(工商注册号)", max_length=50
    )
    organisation_code: str | None = column(
        "CF_XDR_ZZJG", "行政相对人代码_3(组织机构代码)", max_length=9
    )
    tax_number: str | None = column("CF_XDR_SWDJ", "行政相对人代码_4(税务登记号)", max_length=15)
    institution_number: str | None = column(
        "CF_XDR_SYDW", "行政相对人代码_5(事业单位证书号)", max_length=12
    )
    association_number: str | None = column(
        "CF_XDR_SHZZ", "行政相对人代码_6(社会组织登记证号)", max_length=50
    )
    legal_representative: str | None = column("CF_FRDB", "法定代表人", max_length=50)
    representative_id_type: str | None = column("CF_FR_ZJLX", "法定代表人证件类型", max_length=64)
    representative_id: str | None = column(
        "CF_FR_ZJHM", "法定代表人证件号码", type_=ColumnType.IDENTITY, max_length=64
    )
    identity_type: str | None = column(
        "CF_XDR_ZJLX", "证件类型", max_length=64, required=Required.NATURAL_PERSON
    )
    identity_number: str | None = column(
        "CF_XDR_ZJHM",
        "证件号码",
        type_=ColumnType.IDENTITY,
        max_length=64,
        required=Required.NATURAL_PERSON,
    )
    document_number: str | None = column(
        "CF_WSH", "行政处罚决定书文号", max_length=128, required=Required.ALWAYS
    )
    violation_type: str | None = column(
        "CF_WFXW", "违法行为类型", max_length=2000, required=Required.ALWAYS
    )
    violation_facts: str | None = column(
        "CF_SY", "违法事实", max_length=2000, required=Required.ALWAYS
    )
    legal_basis: str | None = column("CF_YJ", "处罚依据", max_length=2048, required=Required.ALWAYS)
    penalty_kinds: tuple[str, ...] | None = column(
        "CF_CFLB",
        "处罚类别",
        type_=ColumnType.PENALTY_KINDS,
        max_length=255,
        required=Required.ALWAYS,
        codes=PENALTY_KINDS,
    )
    penalty_content: str | None = column(
        "CF_NR", "处罚内容", max_length=4000, required=Required.ALWAYS
    )
    fine_wan: Wanyuan | None = column(
        "CF_NR_FK", "罚款金额（万元）", type_=ColumnType.AMOUNT, required=Required.FINE
    )
    confiscated_wan: Wanyuan | None = column(
        "CF_NR_WFFF",
        "没收违法所得、没收非法财物的金额（万元）",
        type_=ColumnType.AMOUNT,
        required=Required.CONFISCATION,
    )
    suspended_permit: str | None = column(
        "CF_NR_ZKDX", "暂扣或吊销证照名称及编号", max_length=200, required=Required.SUSPENSION
    )
    decision_date: date | None = column(
        "CF_JDRQ", "处罚决定日期", type_=ColumnType.DATE, required=Required.ALWAYS
    )
    valid_until: date | None = column(
        "CF_YXQ", "处罚有效期", type_=ColumnType.DATE, required=Required.ALWAYS
    )
    published_until: date | None = column("CF_GSJZQ", "公示截止期", type_=ColumnType.DATE)
    authority: str | None = column("CF_CFJG", "处罚机关", max_length=255, required=Required.ALWAYS)
    authority_code: str | None = column(
        "CF_CFJGDM",
        "处罚机关统一社会信用代码",
        type_=ColumnType.CREDIT_CODE,
        max_length=18,
        required=Required.ALWAYS,
    )
    source: str | None = column("CF_SJLY", "数据来源单位", max_length=200, required=Required.ALWAYS)
    source_code: str | None = column(
        "CF_SJLYDM",
        "数据来源单位统一社会信用代码",
        type_=ColumnType.CREDIT_CODE,
        max_length=18,
        required=Required.ALWAYS,
    )
    remark: str | None = column("BZ", "备注", max_length=512)

    @field_serializer("penalty_kinds")
    def _joined(self, kinds: tuple[str, ...] | None) -> str | None:
        """Write the list as one text, joined by 、 as in decisions."""
        return None if kinds is None else "、".join(kinds)
