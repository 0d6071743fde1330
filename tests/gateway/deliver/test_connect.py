"""A destination that cannot be used is reported with the line of the configuration."""

from pathlib import Path
from typing import Any

import pytest

from gateway.config.clock import system_clock
from gateway.config.errors import BadConfiguration
from gateway.config.settings import load_settings, make_settings
from gateway.deliver.connect import build_connector, build_connectors
from tests.connectors.templates import template as bureau_template

HEAD = """\
destinations:
  - {name: other, title: 其他, connector: memory, takes: [penalty]}
  - name: bureau
    title: 样例平台
    takes: [penalty]
"""


def fault(folder: Path, text: str) -> str:
    """Return what is said of the second destination, without the folder."""
    file = folder / "gateway.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    settings = load_settings(file)
    with pytest.raises(BadConfiguration) as caught:
        build_connector(settings, settings.destinations[1], system_clock)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("    connector: telex\n", ["gateway.yaml 第6行：destinations bureau 没有通道 telex"]),
        (
            "    connector: platform-json\n"
            "    settings:\n"
            "      url: https://x.example\n"
            "      api_key:\n"
            "        env: NO_SUCH_KEY\n",
            ["gateway.yaml 第9行：destinations bureau 没有环境变量 NO_SUCH_KEY"],
        ),
        (
            "    connector: platform-json\n"
            "    settings:\n"
            "      colour: red\n"
            "      url: ftp://x\n"
            "      wrapper:\n"
            "        path: 1\n",
            [
                "gateway.yaml 第9行：destinations bureau platform-json：url：应为 http",
                "gateway.yaml 第11行：destinations bureau platform-json：wrapper.path：应为文字",
                "gateway.yaml 第8行：destinations bureau platform-json：colour：不认识的键",
            ],
        ),
        (
            "    connector: platform-json\n    settings: {batch_size: 5}\n",
            ["gateway.yaml 第7行：destinations bureau platform-json：url：没有写"],
        ),
        (
            "    connector: platform-json\n",
            ["gateway.yaml 第3行：destinations bureau platform-json：url：没有写"],
        ),
        (
            "    connector: platform-json\n"
            "    settings:\n"
            "      url: https://x.example\n"
            "      ca_file: /nowhere/ca.pem\n",
            ["gateway.yaml 第9行：destinations bureau platform-json：settings ca_file：/nowhere"],
        ),
        (
            "    connector: exchange-database\n"
            "    settings:\n"
            "      url: sqlite://\n"
            "      tables:\n"
            "        penalty:\n"
            "          name: t\n"
            "          key_column: k\n"
            "          columns:\n"
            "            CF_WSH: wsh\n"
            "            CF_XDR_SHXMY: code\n"
            "          left_out:\n"
            "            - BZ\n"
            "            - CF_XX\n"
            "        penalties: {name: t, key_column: k}\n",
            [
                "第15行：destinations bureau exchange-database：tables.penalty.columns.CF_XDR_SH",
                "第18行：destinations bureau exchange-database：tables.penalty.left_out.1：没有列",
                "第19行：destinations bureau exchange-database：tables.penalties.[key]：不认识",
            ],
        ),
    ],
)
def test_each_fault_has_its_line(tmp_path: Path, text: str, said: list[str]) -> None:
    lines = fault(tmp_path, text).splitlines()

    assert len(lines) == len(said)
    assert [words for words, line in zip(said, lines, strict=True) if words not in line] == []


def test_an_unknown_column_is_told_with_the_one_that_is_meant(tmp_path: Path) -> None:
    text = "    connector: file-drop\n    settings: {tables: {penalty: {columns: {CF_WHS: a}}}}\n"

    assert "没有列 CF_WHS；是否应为 CF_WSH？" in fault(tmp_path, text)


def test_destinations_of_the_environment_are_told_by_the_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = '[{"name": "a", "title": "a", "connector": "telex", "takes": ["penalty"]}]'
    monkeypatch.setenv("CREDIT_GATEWAY_DESTINATIONS", given)
    settings = load_settings(None)

    with pytest.raises(
        BadConfiguration, match="环境变量 CREDIT_GATEWAY_DESTINATIONS：destinations a"
    ):
        build_connector(settings, settings.destinations[0], system_clock)


def test_every_wrong_destination_is_named_at_once() -> None:
    """Who starts it mends them in one go, and not one after each start."""
    good = {"name": "good", "title": "", "connector": "memory", "takes": ["penalty"]}
    nowhere = good | {"name": "nowhere", "connector": "pigeon"}
    blind = good | {"name": "blind", "connector": "mail-drop", "settings": {}}
    found = make_settings({"destinations": [nowhere, good, blind]}, "test")

    with pytest.raises(BadConfiguration) as error:
        build_connectors(found, system_clock)

    assert "destinations nowhere" in str(error.value)
    assert "destinations blind mail-drop" in str(error.value)
    assert "destinations good" not in str(error.value)


@pytest.mark.parametrize(
    ("connector", "by", "said"),
    [
        ("platform-soap", "listing", "accepted_by：listing 不能用，它没有公示清单"),
        ("platform-soap", "receipt", "accepted_by：receipt 不能用，它没有回执"),
        ("excel-template", "answer", "accepted_by：answer 不能用，它是人工上传的，没有应答"),
    ],
)
def test_what_a_connector_cannot_give_is_no_acceptance(connector: str, by: str, said: str) -> None:
    settings: dict[str, dict[str, Any]] = {
        "platform-soap": {"url": "https://p.example", "department_code": "1"}
    }
    one: dict[str, Any] = {"name": "one", "title": "", "connector": connector, "takes": ["penalty"]}
    one |= {"accepted_by": by, "settings": settings.get(connector, {})}
    found = make_settings({"destinations": [one]}, "test")

    with pytest.raises(BadConfiguration, match=said):
        build_connectors(found, system_clock)


def _unusable(one: dict[str, Any]) -> list[str]:
    """Return what the start says of a destination, a line for each fault."""
    found = make_settings({"destinations": [{"name": "one", "title": "", **one}]}, "test")
    try:
        build_connectors(found, system_clock)
    except BadConfiguration as error:
        return str(error).splitlines()
    return []


_FILES = {"protocol": "ftps", "host": "h", "username": "u", "password": "p"}
_STAGING = {"name": "t", "key_column": "k"}


@pytest.mark.parametrize(
    ("connector", "settings", "lacking"),
    [
        ("platform-soap", {"url": "https://p.example", "department_code": "1"}, ["grade_change"]),
        (
            "exchange-database",
            {"url": "postgresql+psycopg://u@h/d", "tables": {"penalty": _STAGING}},
            ["grade_change", "licence"],
        ),
        (
            "file-drop",
            {**_FILES, "tables": {"penalty/persons": {"code": "001501"}}},
            ["grade_change", "licence", "penalty"],
        ),
        ("excel-template", {}, []),
        ("excel-template", {"sheets": {"penalty": {}}}, []),
        ("memory", {}, []),
        ("kafka-topic", {"bootstrap_servers": "x:1", "topic": "t", "tables": {"penalty": {}}}, []),
    ],
)
def test_a_kind_that_is_taken_and_has_no_table_is_told_at_the_start(
    connector: str, settings: dict[str, Any], lacking: list[str]
) -> None:
    takes = ["penalty", "licence", "grade_change"]
    lines = _unusable({"connector": connector, "takes": takes, "settings": settings})

    assert len(lines) == len(lacking)
    for kind, line in zip(lacking, lines, strict=True):
        assert f"destinations one takes：{kind} 在 settings 里没有它的表" in line
        assert f"写上 {kind} 的表，或从 takes 去掉它" in line


def test_a_table_of_natural_persons_is_none_of_the_others() -> None:
    tables = {"penalty/persons": {"code": "001501"}}
    one = {"connector": "file-drop", "takes": ["penalty"], "settings": {**_FILES, "tables": tables}}

    [line] = _unusable(one)

    assert "只有自然人的 penalty/persons" in line


def test_a_template_without_a_sheet_for_a_kind_is_told_at_the_start(tmp_path: Path) -> None:
    template = str(bureau_template(tmp_path))
    settings = {"template": template, "sheets": {"penalty": {"columns": {"CF_NR": "处罚内容"}}}}
    one = {"connector": "excel-template", "settings": settings}

    assert _unusable({**one, "takes": ["penalty"]}) == []
    [line] = _unusable({**one, "takes": ["penalty", "licence"]})
    assert "takes：licence 在 settings 里没有它的表" in line


def test_a_missing_table_has_the_line_of_what_is_taken(tmp_path: Path) -> None:
    text = (
        "    connector: exchange-database\n"
        "    settings:\n"
        "      url: postgresql+psycopg://u@h/d\n"
        "      tables: {licence: {name: t, key_column: k}}\n"
    )

    assert "gateway.yaml 第5行：destinations bureau takes：penalty" in fault(tmp_path, text)
