"""The image and the compose file are closed; what they say is read here, without a network."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gateway.config.settings import load_settings
from gateway.web.health import LIVE
from tests.deploy.place import DEPLOY

FOLDER = DEPLOY / "container"
COMPOSE = YAML(typ="safe").load((FOLDER / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
#: A name without a registry's host, and a version.
PINNED = re.compile(r"[a-z0-9-]+(/[a-z0-9-]+)?:\d[\w.-]*")
GATEWAYS = [name for name, one in SERVICES.items() if "build" in one]


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Containerfile with their words."""
    text = (FOLDER / "Containerfile").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(one.split()[0], one.partition(" ")[2].strip()) for one in joined.splitlines() if one]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    start = max(place for place, (name, _) in enumerate(found) if name == "FROM")
    return found[start:]


def only(name: str) -> str:
    [words] = [words for one, words in last_stage() if one == name]
    return words


def test_the_image_runs_as_a_user_of_its_own_and_stops_by_a_signal() -> None:
    user, group = only("USER").split(":")

    assert user.isdecimal()
    assert group.isdecimal()
    assert int(user) >= 1000
    assert only("STOPSIGNAL") == "SIGTERM"
    assert json.loads(only("ENTRYPOINT")) == ["credit-gateway"]
    assert json.loads(only("CMD"))[-1] == "up"
    assert LIVE in only("HEALTHCHECK")
    assert json.loads(only("HEALTHCHECK").partition("CMD ")[2])[0] == "python"


def test_the_last_stage_has_no_tools() -> None:
    """The stage that it stands on brings Python; what builds stays in the stage before."""
    runs = [words for name, words in last_stage() if name == "RUN"]
    python = next(words for name, words in instructions() if name == "RUN")

    assert [
        words for words in runs if re.search(r"\b(apt-get|pip|gcc|make|curl|wget)\b", words)
    ] == []
    assert not re.search(r"\b(pip|venv|gcc|build-essential|-dev)\b", python)
    assert [words for name, words in instructions() if name == "ADD"] == []


def test_what_is_installed_is_pinned() -> None:
    froms = [words.split()[0] for name, words in instructions() if name == "FROM"]
    base = next(words for name, words in instructions() if name == "ARG")
    installs = [
        one
        for name, words in instructions()
        if name == "RUN"
        for one in words.split("&&")
        if "pip" in one and " install " in one and "apt-get" not in one
    ]

    assert froms == ["${BASE}", "python", "python"]
    assert PINNED.fullmatch(base.removeprefix("BASE="))
    assert len(installs) == 3
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)


def test_what_is_copied_is_let_through() -> None:
    ignored = (DEPLOY.parent / ".containerignore").read_text("utf-8").splitlines()
    copied = {
        source
        for name, words in instructions()
        if name == "COPY" and "--from" not in words
        for source in shlex.split(words)[:-1]
    }

    let_through = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert copied <= let_through
    assert all((DEPLOY.parent / one).exists() for one in copied)


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_is_closed_watched_and_bounded(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges"]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["mem_limit"]
    assert service["cpus"]
    assert service["pids_limit"]
    assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    assert not any(word in json.dumps(service) for word in ("docker.sock", '"host"'))
    image = re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", service["image"])
    assert PINNED.fullmatch(image)


def test_the_roles_are_all_there_and_each_has_its_own_state() -> None:
    roles = ",".join(SERVICES[name]["command"][-1] for name in GATEWAYS)
    volumes = [SERVICES[name]["volumes"][0].split(":") for name in GATEWAYS]

    assert sorted(roles.split(",")) == ["deliver", "intake", "schedule", "web"]
    assert {place for _, place in volumes} == {"/var/lib/credit-gateway"}
    assert len({volume for volume, _ in volumes}) == len(GATEWAYS)


def test_bus_and_database_are_reached_from_inside_only() -> None:
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    for name in ("kafka", "postgres"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]


def test_secrets_are_files_and_none_is_committed() -> None:
    given = [key for one in SERVICES.values() for key in one.get("environment", ())]

    assert all(set(one) == {"file"} for one in COMPOSE["secrets"].values())
    assert [key for key in given if key.endswith(("PASSWORD", "KEY", "SECRET"))] == []
    assert "deploy/container/secrets/" in (DEPLOY.parent / ".gitignore").read_text("utf-8")


def test_the_settings_of_the_processes_can_be_read(tmp_path: Path) -> None:
    words = (FOLDER / "gateway.yaml").read_text("utf-8").replace("/run/secrets", str(tmp_path))
    for name in COMPOSE["secrets"]:
        (tmp_path / name).write_text("x" * 40)
    (tmp_path / "gateway.yaml").write_text(words)

    settings = load_settings(tmp_path / "gateway.yaml")

    assert settings.http.port == settings.http.health_port == 8080
    assert settings.kafka_bootstrap == "kafka:9092"
