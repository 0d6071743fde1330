"""Configuration of `platform-soap`. [B] marks values that are not in any document we have read."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.shared.guomi_settings import HeaderName
from connectors.shared.http_settings import HeaderSecret, HttpClientSettings
from connectors.shared.layout import RowLayout, kind_of
from connectors.shared.layout_checks import fitting, keep_apart
from schemas.base import Schema
from schemas.codes import Verb
from schemas.destination import TakenTable


class SoapTable(RowLayout):
    """目录: the platform's table for one record kind, and its columns that the connector uses."""

    code: str = Field(title="目录编码")
    version_id: str = Field(title="版本ID")
    document_column: str = Field(title="文书号列")
    subject_columns: tuple[str, ...] = Field(min_length=1, title="相对人代码列，取第一个非空者")
    status_column: str | None = Field(default=None, title="当前状态列")

    def beside(self) -> Iterator[tuple[str, str]]:
        """Yield the fixed columns, and that of the status."""
        yield from super().beside()
        if self.status_column is not None:
            yield "status_column", self.status_column


PENALTY_TABLE = SoapTable(
    code="XZCF",
    version_id="1",
    document_column="CF_WSH",
    subject_columns=("CF_XDR_SHXYM", "CF_XDR_ZJHM"),
    status_column="CF_ZT",
)
LICENCE_TABLE = SoapTable(
    code="XZXK",
    version_id="1",
    document_column="XK_WSH",
    subject_columns=("XK_XDR_SHXYM", "XK_XDR_ZJHM"),
    status_column="XK_ZT",
)


class SoapVerb(Schema):
    """How a verb is sent: the method, and the status written into the row (None: unchanged)."""

    method: Literal["execute", "repairData"] = "execute"
    status: str | None = None


class PlatformSoapSettings(HttpClientSettings):
    """Configuration of a `platform-soap` destination (数据上报接口标准规范 V1.0).

    Where natural persons get a table of their own later, what corrects or withdraws earlier rows of
    them goes there, too, and those rows stay where they are: let the platform move them.
    """

    batch_size: int = Field(default=500, ge=1, le=5000, title="每批条数")
    call_timeout: timedelta = Field(
        default=timedelta(seconds=60), gt=timedelta(0), title="单次调用时限"
    )
    department_code: str = Field(min_length=1, title="部门编码")
    tables: Annotated[dict[TakenTable, SoapTable], AfterValidator(fitting)] = Field(
        default={"penalty": PENALTY_TABLE, "licence": LICENCE_TABLE}, title="目录，按记录种类"
    )
    #: [B] The document names both methods but no verbs. CF_ZT: 0 in force, 1 revoked, 2 repaired.
    verbs: dict[Verb, SoapVerb] = Field(
        default={
            Verb.NEW: SoapVerb(),
            Verb.CORRECT: SoapVerb(),
            Verb.WITHDRAW: SoapVerb(method="repairData", status="1"),
            Verb.REPAIR: SoapVerb(method="repairData", status="2"),
            Verb.REVIVE: SoapVerb(method="repairData", status="0"),
        },
        title="动作与方法、状态的对应",
    )
    namespace: str = Field(default="http://service.upload.interfaces/", title="命名空间 [B]")
    parameter: str = Field(default="arg0", title="参数名 [B]")
    row_code_field: str = Field(default="errorCode", title="退回行里的代码列 [B]")
    row_message_field: str = Field(default="errorMsg", title="退回行里的说明列 [B]")
    batch_number_field: str | None = Field(default=None, title="批次号字段 [B]")
    #: For these verbs, 20001 重复数据 can only mean that the same row is already stored.
    repeat_is_success: frozenset[Verb] = Field(
        default=frozenset({Verb.NEW}), title="重复数据视为成功的动作"
    )
    receipts_url: str | None = Field(default=None, title="回执接口地址")
    times_of_china: bool = Field(default=False, title="没有时区的时间是北京时间")
    key_column: str | None = Field(default=None, title="携带本方标识的列 [B]")
    api_key: HeaderSecret | None = Field(default=None, title="接口密钥")
    api_key_header: HeaderName = Field(default="X-Api-Key", title="接口密钥的请求头")

    @model_validator(mode="after")
    def _receipts_can_be_matched(self) -> Self:
        if self.receipts_url is not None and self.key_column is None:
            raise ValueError("写了 receipts_url 就要写 key_column：回执按本方标识对应")
        return self

    @model_validator(mode="after")
    def _key_has_a_column_of_its_own(self) -> Self:
        if self.key_column is not None:
            for table, layout in self.tables.items():
                key = "key_column", self.key_column
                keep_apart(f"tables.{table}", layout, kind_of(table), key)
        return self
