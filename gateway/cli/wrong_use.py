"""Errors of use 用法错误 in Chinese; typer speaks English."""

import re
from collections.abc import Sequence
from typing import Any

from typer.exceptions import TyperException

#: The class of an error of typer, or the beginning of its message → what it means.
_CLASSES = {
    "NoSuchOption": "没有选项 {name}",
    "MissingParameter": "缺少 {name}",
    "BadOptionUsage": "选项 {name} 后面要写值，或者不该写值",
}
_BEGINNINGS = {
    "No such command": "没有这个命令：{rest}",
    "Got unexpected extra argument": "多出的参数：{rest}",
    "Missing command": "缺少命令",
}
#: A part of a message about a value → what it means.
_PARTS = {
    "is a directory.": "应为文件，不是目录",
    "is a file.": "应为目录，不是文件",
    "is not readable.": "文件没有读的权限",
    "does not exist.": "没有这个文件或目录",
    "valid integer": "应为整数",
}
_LEAST, _MOST = (
    re.compile(rf"(?:{words} than or equal to|range x{sign}=?) *(-?\d+)")
    for words, sign in (("greater", ">"), ("less", "<"))
)


def is_help(error: TyperException) -> bool:
    """Whether it only shows the help of a group that was called without a command."""
    return type(error).__name__ == "NoArgsIsHelpError"


def told(error: TyperException, command: str) -> str:
    """Return what is wrong with a command line, and where its help is."""
    return f"{_words(error)}；用法见 {command} --help"


def _words(error: Any) -> str:
    parameter = getattr(error, "param", None)
    name = getattr(error, "option_name", None) or _name(parameter)
    message, _, meant = str(error.message or "").partition(" Did you mean")
    if (known := _CLASSES.get(type(error).__name__)) is not None:
        return known.format(name=name) + _nearly(getattr(error, "possibilities", None) or ())
    for beginning, words in _BEGINNINGS.items():
        if message.startswith(beginning):
            rest = message.removeprefix(beginning).strip("(s) .'")
            return words.format(rest=rest) + _nearly(re.findall("'([^']+)'", meant))
    return f"{name}：{_wrong_value(message)}" if message.isascii() else message


def _nearly(names: Sequence[str]) -> str:
    return f"；是否指 {'、'.join(names)}" if names else ""


def _wrong_value(message: str) -> str:
    _, listed, allowed = message.partition("is not one of ")
    if listed:
        return f"应为 {allowed.rstrip('.').replace(chr(39), '')} 之一"
    known = (words for part, words in _PARTS.items() if part in message)
    return next(known, "") or _beyond(message) or f"写法不对（{message}）"


def _beyond(message: str) -> str | None:
    bounds = ((_LEAST, "应不小于"), (_MOST, "应不大于"))
    return next((f"{words} {m[1]}" for p, words in bounds if (m := p.search(message))), None)


def _name(parameter: Any) -> str:
    """Return an option as it is written, or an argument by its name for people."""
    if parameter is None:
        return ""
    written: list[str] = [one for one in parameter.opts if one.startswith("-")]
    return written[0] if written else str(getattr(parameter, "help", None) or parameter.name)
