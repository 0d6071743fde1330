"""A destination that cannot be used is reported with the line of the configuration."""

from pathlib import Path
from typing import Any

import pytest

from gateway.config.clock import system_clock
from gateway.config.errors import BadConfiguration
from gateway.config.settings import load_settings, make_settings
from gateway.deliver.connect import build_connector, build_connectors

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
