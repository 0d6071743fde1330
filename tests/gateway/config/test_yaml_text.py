"""Which YAML is refused, with file, line and fix in the message."""

import pytest

from gateway.config.yaml_text import parse_yaml
from scoring.errors import RuleSetError


def test_a_file_with_only_comments_is_an_empty_mapping() -> None:
    assert parse_yaml("# nothing yet\n", "town.yaml", RuleSetError) == {}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a: 1\na: 2\n", "town.yaml 第2行的键重复"),
        ("[]", "town.yaml 应为“键: 值”的形式"),
        ("a: 1\nb: [", "town.yaml 第3行不是有效的 YAML"),
        ("a: 2026-13-01", "town.yaml 不是有效的 YAML：month"),
        ("1: a", "town.yaml 应为“键: 值”的形式，键为文字"),
        ("text", "town.yaml 应为“键: 值”的形式"),
    ],
)
def test_invalid_yaml_is_refused_with_its_place(content: str, words: str) -> None:
    with pytest.raises(RuleSetError, match=words):
        parse_yaml(content, "town.yaml", RuleSetError)
