"""The SOAP 1.1 envelope of a call of InterfaceUploadService."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:u={space}>'
    "<soapenv:Header/><soapenv:Body><u:{method}><{parameter}>{text}</{parameter}></u:{method}>"
    "</soapenv:Body></soapenv:Envelope>"
)

#: Characters that XML 1.0 does not allow and that JSON does not escape.
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")


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
