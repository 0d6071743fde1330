"""The connector `excel-template`: a platform that has only a page where a person uploads a file."""

from connectors.excel_template.connector import ExcelTemplate
from connectors.excel_template.settings import ExcelTemplateSettings

__all__ = ["ExcelTemplate", "ExcelTemplateSettings"]
