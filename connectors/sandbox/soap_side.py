"""The SOAP interface of a sandbox platform (InterfaceUploadService; see ARCHITECTURE.md)."""

import json
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.sandbox.book import Book, Entry, document_in
from connectors.sandbox.faults import Faults
from connectors.sandbox.places import Asked, PlatformPlace, Reply
from connectors.sandbox.wsdl import wsdl

_XML = "text/xml; charset=utf-8"
_ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<u:{method}Response xmlns:u="http://service.upload.interfaces/"><return>{text}</return>'
    "</u:{method}Response></soap:Body></soap:Envelope>"
)
_MESSAGES = {
    "200": "操作成功",
    "500": "服务器内部错误",
    "3001": "目录编码不能为空",
    "3002": "目录编码不存在",
    "4001": "部门编码不能为空",
    "4002": "部门不存在",
    "5001": "JSON解析失败",
    "6001": "目录数据结构体不能为空",
    "6002": "目录数据结构体JSON格式不正确",
    "20001": "重复数据，旧数据",
}


def documents(asked: Asked) -> list[str]:
    """Return the document numbers of the rows of a call; none if it cannot be read."""
    try:
        rows = json.loads(_read(asked.body)[1])["body"]
        return [document_in(row) for row in rows]
    except (ParseError, DefusedXmlException, ValueError, KeyError, TypeError, AttributeError):
        return []


def upload(book: Book, asked: Asked, place: PlatformPlace) -> Reply:
    """Answer a call of `execute` or `repairData`; a GET returns the WSDL."""
    if asked.method == "GET":
        address = f"http://{asked.headers.get('host', '')}{asked.path}"
        return Reply(body=wsdl(address).encode(), content_type=_XML)
    try:
        method, text = _read(asked.body)
        call = json.loads(text)
    except (ParseError, DefusedXmlException, ValueError):
        return _reply("execute", {"errorCode": "5001", "errorMsg": _MESSAGES["5001"]})
    code = book.acting.error_code or _fault_of(call, book, place)
    if code:
        return _reply(method, {"errorCode": code, "errorMsg": _MESSAGES.get(code, "")})
    return _reply(method, _taken(book, place, method, call))


def _read(body: bytes) -> tuple[str, str]:
    root = fromstring(body, forbid_dtd=True)
    call = next(e for e in root.iter() if e.tag.rpartition("}")[2] == "Body")[0]
    return call.tag.rpartition("}")[2], call[0].text or ""


def _fault_of(call: dict[str, Any], book: Book, place: PlatformPlace) -> str:
    """Return the error code of a call as a whole; empty if it is valid."""
    table, department = call.get("tableCode"), call.get("departmentCode")
    unknown = bool(place.departments) and department not in place.departments
    faults = {
        "3001": not table,
        "3002": table not in place.tables,
        "4001": not department,
        "4002": unknown,
        "6001": not call.get("body"),
        "6002": not isinstance(call.get("body"), list),
    }
    found = next((code for code, wrong in faults.items() if wrong), "")
    if not found and book.acting.spoils:
        kind = place.tables[call["tableCode"]]
        spoilt = (_entry(book, place, kind, "", row).document for row in call["body"])
        found = "5001" if set(book.acting.spoils).intersection(spoilt) else ""
    return found


def _taken(book: Book, place: PlatformPlace, method: str, call: dict[str, Any]) -> dict[str, Any]:
    kind = place.tables[call["tableCode"]]
    refused = []
    for row in call["body"]:
        entry = _entry(book, place, kind, method, row)
        book.received[entry.key] += 1
        mark = (entry.kind, entry.document, entry.subject, entry.content)
        faults = book.faults_of(entry, "soap")
        reasons = book.refusal(entry, faults)
        if reasons:
            refused.append({**row, "errorCode": "10003", "errorMsg": "；".join(reasons)})
        elif mark not in book.marks:
            book.marks.add(mark)
            book.store(entry, faults)
        elif faults.repeat_code:
            refused.append(_refused(row, faults.repeat_code))
    if book.acting.answer == "twice":
        refused = [_refused(row, "20001") for row in call["body"] for _ in range(2)]
    return _counted(book.acting, len(call["body"]), refused)


def _refused(row: dict[str, Any], code: str) -> dict[str, Any]:
    return {**row, "errorCode": code, "errorMsg": _MESSAGES.get(code, "")}


def _entry(book: Book, place: PlatformPlace, kind: str, method: str, row: dict[str, Any]) -> Entry:
    columns = {name: value for name, value in row.items() if name != place.key_column}
    status = columns.get("CF_ZT" if kind == "penalty" else "XK_ZT")
    verb = "withdraw" if method == "repairData" and status == "1" else method
    entry = Entry("", kind, verb, 0, columns, "submitted", book.now())
    entry.key = str(row.get(place.key_column) or f"{entry.document}|{entry.subject}")
    return entry


def _counted(faults: Faults, total: int, refused: Sequence[dict[str, Any]]) -> dict[str, Any]:
    wrong = 1 if faults.takes("wrong_counts") else 0
    return {
        "errorCode": "200",
        "errorMsg": _MESSAGES["200"],
        "totalSize": total,
        "successSize": total - len(refused) + wrong,
        "failSize": 0,
        "errorSize": len(refused),
        "errorBody": list(refused),
        "tips": "",
    }


def _reply(method: str, answer: dict[str, Any]) -> Reply:
    text = escape(json.dumps(answer, ensure_ascii=False))
    body = _ANSWER.format(method=method, text=text).encode()
    return Reply(body=body, content_type=_XML, handed_over=True)
