"""Read YAML that people write: configuration, rule sets, policies and their cases."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from schemas.faults import Place


def parse_yaml(content: str, name: str, refusal: type[ValueError]) -> Mapping[str, Any]:
    """Return a YAML mapping; empty for empty text. Repeated keys are refused.

    Raises:
        refusal: names the file, the line, the fault and the fix.
    """
    try:
        data = YAML(typ="safe").load(content)
    except DuplicateKeyError as error:
        raise refusal(f"{name}{_place(error)}的键重复；只留一个") from error
    except MarkedYAMLError as error:
        fix = "查看缩进（只用空格）、冒号和引号"
        raise refusal(f"{name}{_place(error)}不是有效的 YAML：{_why(error)}{fix}") from error
    except (YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        raise refusal(f"{name} 不是有效的 YAML：{error}；查看日期和特殊字符") from error
    if data is None:
        return {}
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise refusal(f"{name} 应为“键: 值”的形式，键为文字")
    return data


def _why(error: MarkedYAMLError) -> str:
    problem = str(error.problem)
    return next((f"{said}；" for part, said in _WHY.items() if part in problem), "")


#: Parts of what ruamel.yaml says.
_WHY = {
    "cannot start any token": "有不能用在开头的字符，如制表符、@ 或 `",
    "did not find expected ',' or": "[ 或 { 没有配对",
    "mapping values are not allowed": "冒号的位置不对，或上一行少了冒号",
    "could not find expected ':'": "少了冒号",
    "expected <block end>": "缩进与上面的行不一致",
    "did not find expected": "缩进不一致，或引号、括号没有配对",
    "unexpected end of stream": "引号没有配对",
    "undefined alias": "* 开头的文字要加引号",
}


def _place(error: MarkedYAMLError) -> str:
    return f" 第{error.problem_mark.line + 1}行" if error.problem_mark else ""


@dataclass(frozen=True, slots=True)
class YamlText:
    """What was parsed: the name of the file, for messages, and its text.

    All are equal: where settings are written makes no difference to them.
    """

    name: str = field(compare=False)
    content: str = field(default="", compare=False)

    def at(self, place: Place) -> str:
        """Return the file and the line of a place, as `gateway.yaml 第12行`.

        A place that is not written has the line of what it is missing in.
        """
        node = YAML(typ="safe").compose(self.content) if self.content else None
        if node is None:
            return self.name
        line = node.start_mark.line
        for step in place:
            found = _entry(node, step)
            if found is not None:
                line, node = found
        return f"{self.name} 第{line + 1}行"


def _entry(node: Node, step: int | str) -> tuple[int, Node] | None:
    """Return the line of an entry, which for a mapping is that of its key, and the entry."""
    if isinstance(node, MappingNode):
        entries = ((key, value) for key, value in node.value if key.value == str(step))
        return next(((key.start_mark.line, value) for key, value in entries), None)
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    return None
