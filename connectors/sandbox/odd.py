"""Odd answers that real platforms give, by name; ARCHITECTURE.md lists them for their engineers."""

import html
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

ODDITIES: dict[str, Oddity] = {
    "json-bom": Oddity("json", True, lambda r: replace(r, body=b"\xef\xbb\xbf" + r.body)),
    "json-gbk": Oddity("json", True, lambda r: _text(r, str, "gbk")),
    "json-nan": Oddity("json", True, lambda r: replace(r, body=b'{"score":NaN,' + r.body[1:])),
    "json-page": Oddity("json", False, _instead(200, _PAGE, "text/html; charset=gbk")),
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
    "soap-page": Oddity("soap", False, _instead(200, _PAGE, "text/html; charset=gbk")),
}
