"""The SOAP 1.1 envelope of InterfaceUploadService and the answer inside it."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from connectors.errors import OutcomeUnknown

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u={space}>'
    "<soapenv:Header/><soapenv:Body><u:{method}><{parameter}>{text}</{parameter}></u:{method}>"
    "</soapenv:Body></soapenv:Envelope>"
)

#: Characters that XML 1.0 does not allow and that JSON does not escape.
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


class SoapAnswer(BaseModel):
    """The answer of `execute` and `repairData`."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    code: str = Field(alias="errorCode")
    message: str = Field(default="", alias="errorMsg")
    total: int | None = Field(default=None, alias="totalSize")
    succeeded: int | None = Field(default=None, alias="successSize")
    doubtful: int = Field(default=0, alias="failSize")  #: 疑问数据: accepted, to be corrected there
    refused: int | None = Field(default=None, alias="errorSize")
    refused_rows: tuple[dict[str, Any], ...] = Field(default=(), alias="errorBody")

    @field_validator("message", "doubtful", mode="before")
    @classmethod
    def _nothing(cls, value: Any, info: ValidationInfo) -> Any:
        if value is not None:
            return value
        return 0 if info.field_name == "doubtful" else ""

    @field_validator("refused_rows", mode="before")
    @classmethod
    def _rows(cls, value: Any) -> Any:
        """Accept rows as a list, as the JSON text of a list, or empty."""
        if isinstance(value, str) and value.strip():
            return json.loads(value)
        return value or ()

    def adds_up(self, sent: int) -> bool:
        """Return whether the counts agree with each other and with the number of rows sent."""
        if self.succeeded is None or self.refused is None:
            return False
        counts = (self.succeeded, self.doubtful, self.refused)
        return (
            min(counts) >= 0
            and sum(counts) == sent == self.total
            and self.refused == len(self.refused_rows)
        )


def envelope(method: str, payload: Mapping[str, Any], namespace: str, parameter: str) -> bytes:
    """Return the envelope of a call; < > " & are escaped, as the interface requires."""
    text = json.dumps(payload, ensure_ascii=False, default=str, separators=(",", ":"))
    text = _NOT_XML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return _ENVELOPE.format(
        space=quoteattr(namespace),
        method=method,
        parameter=parameter,
        text=escape(text, {'"': "&quot;"}),
    ).encode()


def parse(body: bytes) -> SoapAnswer:
    """Parse an answer; raises OutcomeUnknown if it cannot be read."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as exc:
        raise OutcomeUnknown("应答不是 XML") from exc
    text = next((e.text for e in root.iter() if e.tag.rpartition("}")[2] == "return"), None)
    try:
        return SoapAnswer.model_validate(json.loads(text or ""))
    except (ValidationError, ValueError, RecursionError) as exc:
        raise OutcomeUnknown("应答不是约定的格式") from exc


def payload(
    codes: tuple[str, str, str], rows: Sequence[Mapping[str, Any]], extra: Mapping[str, str]
) -> dict[str, Any]:
    """Return the payload: table, department, version, `extra` fields, and the rows."""
    table, department, version = codes
    return {
        "tableCode": table,
        "departmentCode": department,
        "tableVersionId": version,
        **extra,
        "body": list(rows),
    }
