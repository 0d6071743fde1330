"""The table of commands: all are listed and importable, and imported only when called."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.cli.registry import COMMANDS, NAME

CALLS = [(group, name) for group, commands in COMMANDS.items() for name in commands]


def ran(*arguments: str, columns: int = 200) -> str:
    return CliRunner(env={"COLUMNS": str(columns)}).invoke(app, arguments).stdout


@pytest.mark.parametrize("group", COMMANDS)
def test_help_lists_every_command_with_its_description(group: str) -> None:
    listed = ran(*[] if group == NAME else [group], "--help")

    for name, (_, line) in COMMANDS[group].items():
        assert f" {name} " in listed
        assert line in listed


@pytest.mark.parametrize(("group", "name"), CALLS)
def test_a_command_has_its_own_help(group: str, name: str) -> None:
    listed = ran(*[] if group == NAME else [group], name, "--help")

    assert COMMANDS[group][name][1] in listed
    assert "用法：" in listed
    assert not any(word in listed for word in ("Options", "Show", "default:", "required"))


@pytest.mark.parametrize(("group", "name"), [*CALLS, *((group, None) for group in COMMANDS)])
def test_help_is_not_cut_in_a_terminal_of_eighty_columns(group: str, name: str | None) -> None:
    path = [one for one in (group, name) if one not in {NAME, None}]

    assert "…" not in ran(*map(str, path), "--help", columns=80)


@pytest.mark.parametrize(
    "arguments", [["--help"], ["rules", "--help"], ["code", "x"], ["due", "2026-09-28"]]
)
def test_commands_without_a_database_import_no_heavy_package(arguments: list[str]) -> None:
    heavy = ["aiokafka", "alembic", "fastapi", "httpx", "polars", "sqlalchemy", "xlsxwriter"]
    program = (
        "import sys\nfrom gateway.cli import app\n"
        f"try:\n    app({arguments})\nfinally:\n"
        f"    print([one for one in {heavy} if one in sys.modules], file=sys.stderr)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)

    assert done.stderr.decode().strip() == "[]"
