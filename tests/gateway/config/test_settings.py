"""Which configuration is refused, with the place in the message, and what takes precedence."""

from pathlib import Path
from typing import Any

import pytest

from gateway.config.errors import BadConfiguration
from gateway.config.settings import load_settings, make_settings
from schemas.verdict import Exclusion

ROOT = Path(__file__).parents[3]
DESTINATION: dict[str, Any] = {
    "name": "platform",
    "title": "样例平台",
    "connector": "memory",
    "takes": ["penalty"],
}


def written(folder: Path, text: str) -> Path:
    path = folder / "gateway.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_apply() -> None:
    settings = load_settings(None)

    assert (settings.database_url, settings.kafka_bootstrap, settings.destinations) == (
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"takes": []}, "至少写一种"),
        ({"regions": ["郑州"]}, "regions"),
        ({"requires": ["CF_XDR_SHXMY"]}, "没有列 CF_XDR_SHXMY"),
        ({"not_required": ["CF_NOPE"]}, "没有列 CF_NOPE"),
        ({"regions": ["４１"]}, "regions"),
        ({"retry_floor": -1}, "retry_floor"),
        ({"rates": [{"calls": 0, "within": "PT1S"}]}, "rates.0.calls"),
        (
            {
                "quiet_hours": [
                    {"starts": "00:00", "ends": "12:00"},
                    {"starts": "12:00", "ends": "00:00"},
                ]
            },
            "合起来是全天",
        ),
    ],
)
def test_a_destination_that_would_quietly_get_the_wrong_records_is_refused(
    change: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadConfiguration, match=words):
        make_settings({"destinations": [DESTINATION | change]}, "gateway.yaml")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CREDIT_GATEWAY_DATABSE_URL", "CREDIT_GATEWAY_DATABASE_URL"),
        ("CREDIT_GATEWAY_KAFKA_BOOTSTRAP", "KAFKA_BOOTSTRAP_SERVERS"),
        ("CREDIT_GATEWAY_HTTP_API_KEYS", "CREDIT_GATEWAY_HTTP__API_KEYS"),
        ("CREDIT_GATEWAY_HTTP_PORT", "CREDIT_GATEWAY_HTTP__PORT"),
        ("CREDIT_GATEWAY_HTPP__PORT", "CREDIT_GATEWAY_HTTP__PORT"),
    ],
)
def test_a_misspelt_variable_is_named_with_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    monkeypatch.setenv(name, "x")

    with pytest.raises(BadConfiguration, match=f"{name} 没有用处；是否应为 {meant}"):
        load_settings(None)


def test_a_variable_of_a_secret_may_have_our_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_GATEWAY_BANK_KEY", "x")

    assert load_settings(None).destinations == ()


@pytest.mark.parametrize(
    "key", ["_env_file", "_cli_parse_args", "_build_sources", "__pydantic_self__"]
)
def test_a_key_that_is_no_setting_is_refused(key: str) -> None:
    with pytest.raises(BadConfiguration, match=f"{key}：不认识的键"):
        make_settings({key: True}, "gateway.yaml")


def test_an_empty_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "")) == load_settings(None)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("statee: var\n", "statee：不认识的键；改正键名或删去"),
        ("http:\n  prot: 1\n", "http.prot：不认识的键"),
        ("state: a\nstate: b\n", "gateway.yaml 第2行的键重复"),
        ("- a\n", "gateway.yaml 应为“键: 值”的形式"),
        ("a: [\n", "gateway.yaml 第2行不是有效的 YAML"),
        ("http:\n  port: 99999\n", "http.port：应不大于 65535"),
        ("http: 8080\n", "http：应为“键: 值”"),
        ("clocks:\n  - {name: x, days: 0, counts: working}\n", "clocks.0.days：应大于 0"),
        ("clocks:\n  - {name: x, days: 1, counts: moons}\n", "clocks.0.counts：不认识的值；应为"),
        ("kafka:\n  batch_size: many\n", "kafka.batch_size：应为整数"),
        ("ledger: {freeze_day: 9, due_day: 4}\n", "ledger：freeze_day 9 晚于 due_day 4，"),
        *(
            (
                f"reconcile: {{registers: [{{name: r, title: r, file: f, kind: {kind}}}]}}\n",
                f"reconcile.registers.0.kind：应为 licence（.*）、penalty（.*），不是“{kind}”",
            )
            for kind in ("fine", "event")
        ),
        ("destinations:\n  - {name: p}\n", "destinations.0.title：没有写；补上"),
    ],
)
def test_an_invalid_file_is_refused_with_the_place_of_the_fault(
    tmp_path: Path, text: str, named: str
) -> None:
    with pytest.raises(BadConfiguration, match=named):
        load_settings(written(tmp_path, text))


DESTINATIONS = """\
destinations:
  - name: platform
    title: 样例平台
    connector: memory
    takes: [penalty]
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "    requires:\n      - CF_WSH\n      - CF_WHS\n",
            "第8行：destinations.0.requires.1：没有列",
        ),
        ("    clocks: [calendar-8]\n", "第6行：destinations platform clocks：没有时限 calendar-8"),
        ("    colour: red\n", "第6行：destinations.0.colour：不认识的键"),
        ("  - name: bank\n    connector: memory\n", "第6行：destinations.1.title：没有写"),
        (
            "  - {name: platform, title: b, connector: memory, takes: [penalty]}\n",
            "第6行：destinations：platform 写了2次",
        ),
        (
            "    headline: true\n"
            "  - name: b\n    title: b\n    connector: memory\n    takes: [licence]\n"
            "    headline: true\n",
            "第11行：destinations headline：platform、b 都写了 true",
        ),
        ("http:\n  api_keys:\n    - {env: NO_SUCH_KEY}\n", "第8行：没有环境变量 NO_SUCH_KEY"),
        ("_secrets: 1\n", "第6行：_secrets：不认识的键"),
        ("entry_clock: entry-6\n", "第6行：entry_clock：没有时限 entry-6"),
        ("reconcile:\n  registers:\n    - &r {name: 登记, title: t}\n    - *r\n", "第8行："),
    ],
)
def test_a_fault_has_the_line_where_it_is_written(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadConfiguration, match=rf"gateway\.yaml {said}"):
        load_settings(written(tmp_path, DESTINATIONS + text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfiguration, match=r"missing\.yaml"):
        load_settings(tmp_path / "missing.yaml")


@pytest.mark.parametrize("content", ["state: 样例".encode("gb18030"), b"since: 2026-13-01"])
def test_a_file_with_wrong_encoding_or_an_impossible_date_is_named(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_bytes(content)

    with pytest.raises(BadConfiguration, match=r"gateway\.yaml"):
        load_settings(path)


@pytest.mark.parametrize(
    ("destinations", "words"),
    [
        ([DESTINATION, DESTINATION], "platform 写了2次"),
        (
            [{**DESTINATION, "clocks": ["calendar-8"]}],
            "没有时限 calendar-8；可用：calendar-7",
        ),
        ([{**DESTINATION, "clocks": []}], "至少要有一个时限"),
        ([{**DESTINATION, "name": "Platform!"}], "name：写法不对；应合"),
        (
            [
                {**DESTINATION, "headline": True},
                {**DESTINATION, "name": "other", "headline": True},
            ],
            "platform、other 都写了 true；只能有一个",
        ),
    ],
)
def test_inconsistent_destinations_are_refused(destinations: list[Any], words: str) -> None:
    with pytest.raises(BadConfiguration, match=words):
        make_settings({"destinations": destinations}, "test")


def test_the_environment_takes_precedence_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDIT_GATEWAY_STATE", "/from/environment")
    monkeypatch.setenv("CREDIT_GATEWAY_HTTP__PORT", "1234")

    settings = load_settings(
        written(tmp_path, "state: /from/file\nhttp: {host: 10.0.0.1, behind_proxy: true}\n")
    )

    assert settings.state == Path("/from/environment")
    assert (settings.http.port, settings.http.host) == (1234, "10.0.0.1")


def test_an_invalid_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDIT_GATEWAY_HTTP__PORT", "high")
    with pytest.raises(BadConfiguration, match=r"CREDIT_GATEWAY_HTTP__PORT：http\.port：应为整数"):
        load_settings(None)

    monkeypatch.setenv("CREDIT_GATEWAY_DESTINATIONS", "none")
    with pytest.raises(BadConfiguration, match=r"CREDIT_GATEWAY_DESTINATIONS.*应写成 JSON"):
        load_settings(None)


def test_the_kafka_address_is_read_from_kafkas_own_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092")

    assert load_settings(None).kafka_bootstrap == "kafka:9092"


def test_a_configured_clock_may_replace_a_built_in_one() -> None:
    clock = {"name": "calendar-7", "days": 5, "counts": "calendar"}

    settings = make_settings({"clocks": [clock]}, "test")

    assert settings.all_clocks["calendar-7"].days == 5
    assert "working-7" in settings.all_clocks


def test_the_names_of_exclusion_columns_are_configured_one_by_one() -> None:
    scope = make_settings({"scope": {"state_secret": "SM"}}, "test").exclusion_scope

    assert scope.rules[Exclusion.STATE_SECRET] == ("SM", False)
    assert scope.rules[Exclusion.SIMPLE_PROCEDURE] == ("simple_procedure", True)


def test_the_repr_of_the_settings_shows_no_secret() -> None:
    secrets = {"master_key": "very secret" * 3, "http": {"api_keys": ["very secret"]}}

    settings = make_settings({**secrets, "database_url": "postgresql://u:very secret@h/d"}, "test")

    assert "very secret" not in repr(settings)


def test_every_shipped_example_can_be_loaded() -> None:
    for path in ROOT.glob("*.example.yaml"):
        assert load_settings(path).destinations
