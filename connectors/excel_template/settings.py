"""Configuration of `excel-template`. [B] marks values that differ from platform to platform."""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.excel_template.losses import refuse_losses
from connectors.excel_template.template import (
    LAST_ROW,
    TemplateSheet,
    WorkbookFile,
    open_template,
)
from connectors.shared.layout import Layout, Name, kind_of
from connectors.shared.layout_checks import fitting_sheets
from schemas.base import Schema
from schemas.destination import TakenTable
from schemas.hand_upload import AnswerColumns


class FilledSheet(Layout):
    """The sheet of one record kind; what is not written is found in the template [B]."""

    sheet: Name | None = Field(default=None, title="工作表，不写的为模板的第一张")
    header_row: int | None = Field(default=None, ge=1, le=100, title="列名所在的行，不写的自动找")
    first_row: int | None = Field(
        default=None,
        ge=2,
        le=LAST_ROW,
        title="从哪一行起填，那一行起原有的示例会被换掉；不写的接在模板最后一行文字之后",
    )


class ExcelTemplateSettings(Schema):
    """Configuration of an `excel-template` destination: a person uploads what is filled here.

    Where natural persons get a sheet of their own later, what corrects or withdraws earlier rows of
    them goes there, too, and those rows stay where they are: let the platform move them.
    """

    template: str | None = Field(
        default=None, min_length=1, title="平台的模板（xlsx）；不写的按标准列名新建"
    )
    sheets: Annotated[dict[TakenTable, FilledSheet], AfterValidator(fitting_sheets)] = Field(
        default={}, title="工作表，按记录种类"
    )
    max_rows: int = Field(default=1000, ge=1, le=5000, title="每个文件最多几行")
    answers: AnswerColumns = Field(default=AnswerColumns(), title="平台导出的结果清单")

    @model_validator(mode="after")
    def _can_be_filled(self) -> Self:
        if self.template is not None:
            places(self, opened(self))
        return self


def opened(settings: ExcelTemplateSettings) -> WorkbookFile:
    """Open the template; raises ValueError with the setting and the fix."""
    if settings.template is None:
        raise ValueError("template：没有写")
    if not settings.sheets:
        raise ValueError("sheets：写了 template 就要写每种记录填在哪张工作表，如 penalty: {}")
    return open_template(settings.template)


def places(settings: ExcelTemplateSettings, file: WorkbookFile) -> dict[str, TemplateSheet]:
    """Return where the rows of each kind go; raises ValueError with the setting and the fix."""
    found: dict[str, TemplateSheet] = {}
    for table, layout in settings.sheets.items():
        where = f"sheets.{table}"
        one = TemplateSheet(file, where, layout.sheet)
        other = next((name for name, sheet in found.items() if sheet.part == one.part), None)
        if other is not None:
            raise ValueError(f"{where}.sheet：与 {other} 是同一张工作表“{one.name}”；各用一张")
        one.find(kind_of(table), layout, layout.header_row, layout.first_row)
        refuse_losses(one)
        found[table] = one
    return found
