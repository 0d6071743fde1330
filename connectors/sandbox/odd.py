"""Odd answers that real platforms give, by name; ARCHITECTURE.md lists them for their engineers."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from connectors.sandbox.places import Reply

Change = Callable[[Reply], Reply]

_RESULT = re.compile(r"<return>(.*?)</return>", re.DOTALL)
_DECLARATION = re.compile(r"<\?xml[^>]*\?>")


@dataclass(frozen=True, slots=True)
class Oddity:
    """One odd answer: of which interface, and whether it is read or only told to people."""

    interface: Literal["json", "soap"]
    read: bool
    change: Change


def _text(reply: Reply, change: Callable[[str], str], encoding: str = "utf-8") -> Reply:
    return replace(reply, body=change(reply.body.decode()).encode(encoding))


def _declared(encoding: str, *, true: str | None = None, header: str = "text/xml") -> Change:
    """Return a change of the declaration; `true` is the encoding of the body where it differs."""

    def change(reply: Reply) -> Reply:
        line = f'<?xml version="1.0" encoding="{encoding}"?>' if encoding else ""
        made = _text(reply, lambda text: _DECLARATION.sub(line, text), true or encoding or "gbk")
        return replace(made, content_type=header)

    return change


def _result(shape: str) -> Change:
    """Return a change of the element with the result; `{}` stands for its text."""

    def change(reply: Reply) -> Reply:
        return _text(reply, lambda text: _RESULT.sub(lambda m: shape.replace("{}", m[1]), text))

    return change


def _cdata(reply: Reply) -> Reply:
    def whole(found: re.Match[str]) -> str:
        return f"<return><![CDATA[{html.unescape(found[1])}]]></return>"

    return _text(reply, lambda text: _RESULT.sub(whole, text))


def _escaped_twice(reply: Reply) -> Reply:
    def again(found: re.Match[str]) -> str:
        return f"<return>{html.escape(found[1])}</return>"

    return _text(reply, lambda text: _RESULT.sub(again, text))


def _instead(status: int, body: str, content_type: str) -> Change:
    return lambda reply: replace(
        reply, status=status, body=body.encode("gbk"), content_type=content_type
    )


_FAULT = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault>'
    "<faultcode>e:{}</faultcode><faultstring>数据库连接失败</faultstring></e:Fault></e:Body>"
    "</e:Envelope>"
)
_PAGE = "<html><body>请求被拦截</body></html>"


def _wire(head: str, *, length: int | None = None, reset: bool = False) -> Change:
    """Return a change to raw bytes: `length` is added to the true one; None: no length at all."""

    def change(reply: Reply) -> Reply:
        lines = [head, f"Content-Type: {reply.content_type}"]
        if length is not None:
            lines.append(f"Content-Length: {len(reply.body) + length}")
        body = reply.body[: len(reply.body) // 2] if reset else reply.body
        written = "\r\n".join([*lines, "", ""]).encode("gbk") + body
        return replace(reply, wire=written, reset=reset)

    return change


def _lying(reply: Reply) -> Reply:
    """Say UTF-8 and write GBK, with Chinese words in it."""
    said = b'{"message":"\xd2\xd1\xca\xd5\xb5\xbd",' + reply.body[1:]
    return replace(reply, body=said, content_type="application/json; charset=utf-8")


def _odd_fields(reply: Reply) -> Reply:
    """Write what stands beside the status of a row as platforms do."""
    answer = json.loads(reply.body)
    for row in answer.get("results", []):
        row |= {"reasons": None, "reference": 12345, "platform_at": "2026/10/12 10:00"}
    return replace(reply, body=json.dumps(answer).encode())


#: No encoding has these bytes, and no format begins so.
GARBAGE = b"\x81\x00\xff\xfe\x9f" * 40


def _garbage(reply: Reply) -> Reply:
    return replace(reply, status=200, body=GARBAGE)


_OK = "HTTP/1.1 200 OK"
ODDITIES: dict[str, Oddity] = {
    "json-odd-fields": Oddity("json", True, _odd_fields),
    "wire-short-length": Oddity("json", True, _wire(_OK, length=-6)),
    "wire-long-length": Oddity("json", True, _wire(_OK, length=20)),
    "wire-no-length": Oddity("json", True, _wire(_OK)),
    "wire-gbk-status": Oddity("json", True, _wire("HTTP/1.1 200 成功", length=0)),
    "wire-bad-status": Oddity("json", False, _wire("HTTP/1.1 OK", length=0)),
    "wire-half": Oddity("json", False, _wire(_OK, length=0, reset=True)),
    "json-bom": Oddity("json", True, lambda r: replace(r, body=b"\xef\xbb\xbf" + r.body)),
    "json-gbk": Oddity("json", True, lambda r: _text(r, str, "gbk")),
    "json-nan": Oddity("json", True, lambda r: replace(r, body=b'{"score":NaN,' + r.body[1:])),
    "json-page": Oddity("json", False, _instead(200, _PAGE, "text/html; charset=gbk")),
    "json-garbage": Oddity("json", False, _garbage),
    "json-wrong-encoding": Oddity("json", True, _lying),
    "soap-gbk": Oddity("soap", True, _declared("GBK")),
    "soap-gb2312": Oddity("soap", True, _declared("gb2312")),
    "soap-gbk-in-header-only": Oddity("soap", True, _declared("", header="text/xml; charset=GBK")),
    "soap-gbk-unsaid": Oddity("soap", True, _declared("")),
    "soap-declaration-lies": Oddity("soap", True, _declared("GBK", true="utf-8")),
    "soap-bom": Oddity("soap", True, lambda r: replace(r, body=b"\xef\xbb\xbf" + r.body)),
    "soap-blank-line": Oddity("soap", True, lambda r: replace(r, body=b"\r\n\r\n" + r.body)),
    "soap-execute-return": Oddity("soap", True, _result("<executeReturn>{}</executeReturn>")),
    "soap-execute-result": Oddity("soap", True, _result("<executeResult>{}</executeResult>")),
    "soap-multi-ref": Oddity(
        "soap", True, _result('<return href="#id0"/><multiRef id="id0">{}</multiRef>')
    ),
    "soap-string": Oddity("soap", True, _result("<return><string>{}</string></return>")),
    "soap-cdata": Oddity("soap", True, _cdata),
    "soap-escaped-twice": Oddity("soap", True, _escaped_twice),
    "soap-fault-server": Oddity("soap", False, _instead(200, _FAULT.format("Server"), "text/xml")),
    "soap-fault-client": Oddity("soap", False, _instead(500, _FAULT.format("Client"), "text/xml")),
    "soap-garbage": Oddity("soap", False, _garbage),
    "soap-wrong-encoding": Oddity(
        "soap", True, _declared("UTF-8", true="gbk", header="text/xml; charset=utf-8")
    ),
    "soap-page": Oddity("soap", False, _instead(200, _PAGE, "text/html; charset=gbk")),
}
