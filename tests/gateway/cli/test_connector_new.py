"""`connector new` refuses names that would write modules and classes that Python does not take."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app


@pytest.mark.parametrize("name", ["none", "true", "false", "class", "async", "match", "exception"])
def test_a_word_of_python_is_no_name(tmp_path: Path, name: str) -> None:
    ran = CliRunner().invoke(app, ["connector", "new", name, "--out", str(tmp_path)])

    assert ran.exit_code == 2
    assert f"名字 {name}：是 Python 自己的词" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_has_such_a_word_in_it_is_one(tmp_path: Path) -> None:
    ran = CliRunner().invoke(app, ["connector", "new", "none-such", "--out", str(tmp_path)])

    assert ran.exit_code == 0
    [module] = (tmp_path / "credit-gateway-none-such").glob("*.py")
    compile(module.read_text("utf-8"), module.name, "exec")
