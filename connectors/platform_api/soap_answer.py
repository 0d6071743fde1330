"""Read the answer of a SOAP service, however the service writes it.

Services of this kind are many years old. They write GBK and say UTF-8, put blank lines before the
declaration, name the result `return`, `executeReturn` or `out`, keep it in a multiRef, and wrap the
JSON of the interface in strings.
"""

import html
import json
import re
from binascii import a2b_base64, a2b_qp
from collections.abc import Iterator, Mapping
from contextlib import suppress
from email.message import Message
from email.parser import BytesParser
from typing import Any
from xml.etree.ElementTree import Element

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from connectors.errors import OutcomeUnknown
from connectors.shared.http_read import has_too_many_values
from connectors.shared.parts import BatchRefused
from connectors.shared.words import decoded, reason
from connectors.shared.xml_read import UnreadableXml, local, xml_root

_DECLARATION = re.compile(r"<\?xml\b[^>]*\?>", re.IGNORECASE)
_ENCODING = re.compile(rb"<\?xml\b[^>]*\bencoding\s*=\s*[\"']([\w.:-]+)[\"']", re.IGNORECASE)
#: Characters that XML 1.0 does not allow; some services write them all the same.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: Bytes of the head of a part.
_HEAD = 8 * 1024
#: Faults of these kinds say that our request is wrong: nothing was stored.
_OUR_FAULT = frozenset({"client", "sender", "versionmismatch", "mustunderstand"})


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
            if has_too_many_values(value):
                raise ValueError
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


def parse(body: bytes, content_type: str = "") -> SoapAnswer:
    """Parse an answer.

    Raises:
        BatchRefused: a fault says that our request, or a row of it, is wrong.
        OutcomeUnknown: any other fault, or the answer cannot be read.
    """
    body, content_type = _root_part(body, content_type)
    text = xml_text(body, content_type).lstrip("\ufeff \t\r\n")
    declaration = _DECLARATION.match(text)
    text = _NOT_XML.sub("", text[declaration.end() :] if declaration else text).strip()
    try:
        root = xml_root(text)
    except UnreadableXml as exc:
        found = _json(text)
        if found is None:
            raise OutcomeUnknown("应答不是 XML") from exc
        return _answer(found)
    _raise_fault(root)
    body_ = next((one for one in root.iter() if local(one.tag) == "Body"), root)
    results = list(_results(body_))
    if not results:
        raise OutcomeUnknown("应答里没有约定的结果")
    if any(one != results[0] for one in results):
        raise OutcomeUnknown("应答里有几个不同的结果")
    return _answer(results[0])


def _root_part(body: bytes, content_type: str) -> tuple[bytes, str]:
    """Return the first part of an answer in several parts (MTOM, SOAP with attachments).

    A part that has parts of its own is not opened: that would read it once for each level.
    """
    if not content_type.lower().startswith("multipart/"):
        return body, content_type
    outer = Message()
    outer["content-type"] = " ".join(content_type[:1000].split())
    with suppress(TypeError, ValueError):  # parts of RFC 2231 that contradict each other
        mark = b"\n--" + (outer.get_boundary() or "").encode()
        _, found, parts = (b"\n" + body).partition(mark)
        if mark != b"\n--" and found:
            head, _, content = parts.partition(mark)[0].replace(b"\r\n", b"\n").partition(b"\n\n")
            part = BytesParser().parsebytes(head[:_HEAD].lstrip(), headersonly=True)
            packing = str(part["content-transfer-encoding"] or "")
            return _unpacked(content, packing), str(part["content-type"] or "")
    return body, content_type


def _unpacked(content: bytes, packing: str) -> bytes:
    match packing.strip().lower():
        case "base64":
            return a2b_base64(content + b"==")  # what stands behind the end is left out
        case "quoted-printable":
            return a2b_qp(content)
        case _:
            return content


def xml_text(body: bytes, content_type: str) -> str:
    """Return the text of an XML document: in UTF-8 if it is, else as declared, else in GB18030."""
    if body[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return body.decode("utf-16", errors="replace")
    if body[:1] == b"\x00" or body[1:2] == b"\x00":
        return body.decode("utf-16-be" if body[:1] == b"\x00" else "utf-16-le", errors="replace")
    declared = _ENCODING.search(body[:400])
    named = f"; charset={declared[1].decode('ascii')}" if declared else ""
    return decoded(body, content_type if "charset" in content_type.lower() else f"text/xml{named}")


def _answer(found: Mapping[str, Any]) -> SoapAnswer:
    try:
        return SoapAnswer.model_validate(found)
    except (ValidationError, ValueError, RecursionError) as exc:
        raise OutcomeUnknown("应答不是约定的格式") from exc


def _results(root: Element) -> Iterator[Mapping[str, Any]]:
    """Yield what may be the result: the JSON in any element, or elements named by its fields."""
    for element in root.iter():
        if len(element) == 0 and (found := _json(element.text or "")) is not None:
            yield found
        fields = {local(child.tag): child.text for child in element}
        if "errorCode" in fields:
            yield fields


def _json(text: str) -> Mapping[str, Any] | None:
    """Return the JSON object with an `errorCode` in a text; None if it has none.

    It may be the JSON of a string with the JSON, or escaped twice.
    """
    text = text.strip().lstrip("\ufeff")
    for _ in range(3):
        if not text.startswith(("{", '"', "&")) or has_too_many_values(text):
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = html.unescape(text)
        if isinstance(found, dict):
            return found if "errorCode" in found else None
        if not isinstance(found, str) or found == text:
            return None
        text = found.strip()
    return None


def _raise_fault(root: Element) -> None:
    """Raise what a Fault says, of SOAP 1.1 or 1.2; nothing if there is none."""
    fault = next((one for one in root.iter() if local(one.tag) == "Fault"), None)
    if fault is None:
        return
    code = _within(fault, "faultcode") or _within(fault, "Code", "Value")
    told = _within(fault, "faultstring") or _within(fault, "Reason", "Text")
    said = reason(f"对方报错 {code}：{told or '没有说明'}")
    kind = code.rpartition(":")[2].partition(".")[0].lower()
    raise BatchRefused(said) if kind in _OUR_FAULT else OutcomeUnknown(said)


def _within(element: Element, *path: str) -> str:
    """Return the text of a child, or of a child's child; the detail and sub-codes are not meant."""
    for name in path:
        found = next((child for child in element if local(child.tag) == name), None)
        if found is None:
            return ""
        element = found
    return (element.text or "").strip()
