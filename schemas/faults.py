"""Turn the errors of pydantic, of the system and of JSON into Chinese sentences."""

import errno
import re
from json import JSONDecodeError

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

#: Where something stands in nested data: keys of mappings and numbers of lists.
Place = tuple[int | str, ...]


def faults(error: ValidationError) -> list[str]:
    """Return each error with its place, as `facts.0.id：没有写；补上`, without the given value."""
    return [placed(fault) for fault in error.errors(include_input=False, include_url=False)]


def placed(fault: ErrorDetails) -> str:
    """Return one error with its place."""
    where = ".".join(map(str, fault["loc"]))
    return f"{where}：{words(fault)}" if where else words(fault)


def fault_at(place: Place, said: str) -> PydanticCustomError:
    """Return a fault that a validator of a whole model found at a place within it."""
    return PydanticCustomError("fault_at", "{said}", {"said": said, "place": place})


def place_of(fault: ErrorDetails) -> Place:
    """Return the place of one error, also where a validator of the whole model found it."""
    return (*fault["loc"], *fault.get("ctx", {}).get("place", ()))


def words(fault: ErrorDetails) -> str:
    """Return what is wrong and the fix; pydantic's own words for types that do not occur here."""
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "json_invalid":
        return f"不是有效的 JSON：{_json_place(fault['msg'])}"
    said = _WORDS.get(kind) or _WORDS.get(kind.partition("_")[0])
    if said is None:
        return fault["msg"]
    return said.format_map(context).replace(" or ", "、").replace("', '", "'、'")


#: By pydantic's type of error, else by the first word of it.
_WORDS = {
    "missing": "没有写；补上",
    "extra_forbidden": "不认识的键；改正键名或删去",
    "value_error": "{error}",
    "enum": "不认识的值；应为 {expected}",
    "literal_error": "不认识的值；应为 {expected}",
    "string": "应为文字；加引号",
    "string_too_short": "是空的；填写",
    "string_pattern_mismatch": "写法不对；应合 {pattern}",
    "decimal": '应为数；写成文字，如 "0.5"',
    "decimal_max_digits": "最多 {max_digits} 位数字",
    "decimal_max_places": "小数最多 {decimal_places} 位",
    "decimal_whole_digits": "整数部分最多 {whole_digits} 位",
    "finite": "应为有限的数",
    "json": "不是有效的 JSON",
    "int": "应为整数",
    "bool": "应为 true 或 false",
    "date": "应为日期；写成 2026-01-01",
    "time": "应为时刻或时长；时刻写成 09:00，时长写成 PT30S 或秒数",
    "tuple": "应为列表；写成 [ … ]",
    "list": "应为列表；写成 [ … ]",
    "frozen": "应为列表；写成 [ … ]",
    "path": "应为路径",
    "float": "应为数",
    "dict": "应为“键: 值”",
    "mapping": "应为“键: 值”",
    "model": "应为“键: 值”",
    "too_short": "至少要有 {min_length} 项",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
}


def of_system(error: OSError) -> str:
    """Return what the system says of a file or connection; its own words for what hardly occurs."""
    number = error.errno or 0
    if number < 0:  # of getaddrinfo
        return "主机名解析不出来"
    return _OF_SYSTEM.get(number) or error.strerror or str(error)


#: What the system says of a connection, by errno.
NETWORK = {
    errno.ECONNREFUSED: "对方没有在该端口接受连接",
    errno.ECONNRESET: "连接被对方重置",
    errno.EPIPE: "连接被对方关闭",
    errno.EHOSTUNREACH: "网络不通",
    errno.ENETUNREACH: "网络不通",
    errno.ETIMEDOUT: "没有回音",
    errno.EADDRNOTAVAIL: "本机没有这个地址，或不能从它发出",
}
#: Errnos of a connection that our own side does not let out.
NOT_LET_OUT = frozenset(
    {
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EADDRNOTAVAIL,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EACCES,
        errno.EPERM,
    }
)
_OF_SYSTEM = {
    errno.ENOENT: "没有这个文件或目录",
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许",
    errno.EISDIR: "是目录，不是文件",
    errno.ENOTDIR: "路径中有一段不是目录",
    errno.EEXIST: "已经有了",
    errno.ENOSPC: "磁盘已满",
    errno.EDQUOT: "超出磁盘配额",
    errno.EROFS: "所在的磁盘是只读的",
    errno.ENAMETOOLONG: "名字太长",
    errno.EMFILE: "打开的文件太多",
    errno.EIO: "磁盘读写出错",
} | NETWORK


def of_json(error: Exception) -> str:
    """Return where and why a text is no JSON."""
    if isinstance(error, RecursionError):
        return "括号套得太深"
    if not isinstance(error, JSONDecodeError):
        return str(error)
    why = next((said for part, said in _OF_JSON.items() if part in error.msg), "写错了")
    return f"第{error.lineno}行第{error.colno}个字符处{why}"


_OF_JSON = {
    "Expecting value": "缺少值",
    "Expecting ',' delimiter": "缺少逗号",
    "Expecting ':' delimiter": "缺少冒号",
    "Expecting property name": "应为带双引号的字段名",
    "Illegal trailing comma": "多了逗号",
    "Unterminated string": "开始的引号没有配对",
    "Invalid control character": "有换行之类的控制字符",
    "Invalid \\": "反斜杠后面写错了",
    "Extra data": "开始有多余的内容",
}
_PLACE = re.compile(r"at line (\d+) column (\d+)")


def _json_place(message: str) -> str:
    """Return the place of an error of pydantic's JSON parser."""
    place = _PLACE.search(message)
    return f"第{place[1]}行第{place[2]}个字符处写错了" if place else "写错了"
