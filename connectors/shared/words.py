"""What a destination said, for people: a sentence in Chinese, and beside it its own words."""

import html
import re
from collections.abc import Iterable
from contextvars import ContextVar
from email.message import Message
from functools import lru_cache

from schemas.identifiers import masked

#: A reason given by a destination is cut to this many characters.
MAX_REASON = 300
#: Of a page or a long answer the beginning says what is wrong.
_QUOTED = 200
#: Characters of a secret that are compared; whatever follows them in a word is hidden too. A search
#: takes as many steps as there are characters in the text, times these.
_COMPARED = 64
#: Characters of a text that are searched, and of a secret in its longest spelling.
_SEARCHED, _LONGEST_SPELT = 3000, _COMPARED * 12
#: Bytes that are decoded to find the words.
_READ = 8 * 1024

_TITLES = {
    301: "地址已改",
    302: "要求转到别的地址",
    307: "要求转到别的地址",
    308: "地址已改",
    400: "请求有误",
    401: "密钥或登录无效",
    403: "没有权限",
    404: "没有这个地址",
    405: "地址不接受这种请求",
    408: "等待超时",
    409: "冲突",
    410: "不再接收",
    413: "内容过大",
    415: "格式不被接受",
    422: "内容不合要求",
    429: "请求过于频繁",
    500: "内部错误",
    502: "网关连不上后端",
    503: "暂停服务",
    504: "网关等待超时",
}
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^<>]*>", re.DOTALL | re.IGNORECASE)
_META = re.compile(rb"charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


#: Secrets of the present call, which its answer may quote back and nobody may read.
SECRETS: ContextVar[tuple[str, ...]] = ContextVar("secrets", default=())
#: Values of so many characters of headers, the URL and the login are secrets, which the words of
#: others may not tell.
LEAST_SECRET = 6


def reason(text: str) -> str:
    """Return a destination's text fit to be stored: shortened, without secrets, and masked."""
    return masked(without_secrets(text[:_SEARCHED])[: _SEARCHED - _LONGEST_SPELT])[:MAX_REASON]


def status_words(status: int, body: bytes, content_type: str) -> str:
    """Return a sentence about an answer with its status and its own words."""
    title = _TITLES.get(status)
    sentence = f"对方返回 HTTP {status}" + (f"（{title}）" if title else "")
    words = quoted(body, content_type)
    return reason(f"{sentence}：{words}" if words else sentence)


def quoted(body: bytes, content_type: str) -> str:
    """Return the words of an answer without markup, on one line, cut."""
    text = decoded(body[: 2 * _READ], content_type, whole=len(body) <= 2 * _READ)
    text = without_secrets(text)[:_READ]  # before the cut, which would leave half of one
    if "<" in text:
        text = html.unescape(_TAG.sub(" ", text))
    text = without_secrets(text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    text = masked(text)  # before the cut, which would make a number unrecognisable
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def without_secrets(text: str) -> str:
    """Return a text without the secrets of the present call, however the other side writes them."""
    for secret in sorted(SECRETS.get(), key=len, reverse=True):  # one may begin with another
        text = _spelt(secret).sub("…", text)
    return text


@lru_cache(maxsize=256)
def _spelt(secret: str) -> re.Pattern[str]:
    """Return what finds a text as it is, in JSON, in a URL and in HTML, also where these mix."""
    rest = r"[^\s\"'<>]*" if len(secret) > _COMPARED else ""
    return re.compile("".join(map(_letter, secret[:_COMPARED])) + rest, re.IGNORECASE)


def _letter(letter: str) -> str:
    if letter.isascii() and letter.isalnum():
        return letter
    number, octets = ord(letter), letter.encode()
    halves = letter.encode("utf-16-be").hex()
    in_json = "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))
    spelt = {letter, f"\\{letter}", in_json, f"&#{number};", f"&#x{number:x};"}
    spelt |= {"".join(f"%{octet:02x}" for octet in octets), html.escape(letter)}
    spelt |= {"+"} if letter == " " else set()
    return f"(?:{'|'.join(map(re.escape, sorted(spelt, key=len, reverse=True)))})"


def decoded(body: bytes, content_type: str, *, whole: bool = True) -> str:
    """Return the text of an answer: in UTF-8 if it is, else as declared, else in GB18030.

    A declaration is often wrong; that a text of another encoding is valid UTF-8 is not. Where the
    body is not `whole`, it may end within a character.
    """
    declared = [charset(content_type), *(found[1].decode("ascii") for found in _meta(body))]
    for encoding in ("utf-8-sig", *filter(None, declared), "gb18030"):
        try:
            return _text(body, encoding, whole=whole)
        except (LookupError, ValueError):  # also of codecs that are none of text
            continue
    return body.decode("gb18030", errors="replace")


def _text(body: bytes, encoding: str, *, whole: bool) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        if whole or error.start < len(body) - 4:
            raise
        return body[: error.start].decode(encoding)


def charset(content_type: str) -> str | None:
    """Return the charset of a Content-Type; None if it names none."""
    message = Message()
    message["content-type"] = content_type[:200]
    try:
        found = message.get_param("charset")
    except (TypeError, ValueError):  # parts of RFC 2231 that contradict each other
        return None
    return found if isinstance(found, str) else None


def _meta(body: bytes) -> Iterable[re.Match[bytes]]:
    found = _META.search(body[:1024])
    return [found] if found else []
