"""A failing set-up prints one line that says what to do."""

import ast
import os
import shutil
import sys
from pathlib import Path

import pytest

from bootstrap import Failed, advice, check_python, for_uv, pip_settings
from tests.setup.place import READY, ROOT, Place, Ran, copy
from tests.setup.pythons import distribution

#: A port at which nothing listens.
DEAD = "http://127.0.0.1:9/simple"
#: Give up at the first refusal, and have no other place to look.
AT_ONCE = {"PIP_RETRIES": "0", "UV_HTTP_RETRIES": "0", "PIP_FIND_LINKS": ""}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A copy of the tree without an environment."""
    return copy(tmp_path / "tree")


def test_a_python_without_venv_is_reported_with_the_package_to_install(
    place: Place, tmp_path: Path
) -> None:
    python = distribution(tmp_path / "python", None)

    ran = place.make(READY, f"PYTHON={python}")

    assert_one_line(ran, "apt-get install python3-venv")


def test_a_missing_python_is_reported(place: Place) -> None:
    ran = place.make(READY, "PYTHON=no-such-python")

    assert_one_line(ran, "no-such-python")


def test_a_python_that_is_too_old_is_reported() -> None:
    with pytest.raises(Failed) as told:
        check_python((3, 10))

    assert "Python 3.10 太旧，需要 3.11" in told.value.args[0]
    assert "Python 3.10 is too old" in told.value.args[1]


def test_old_pythons_can_run_the_script_and_report_their_age(place: Place) -> None:
    old = [each for minor in range(6, 11) for each in old_pythons(f"3.{minor}")]
    text = (ROOT / "bootstrap.py").read_text()

    ran = [place.make(READY, f"PYTHON={python}", LANG="C") for python in old]

    assert ast.parse(text, feature_version=(3, 6))
    for each in ran:
        assert_one_line(each, "太旧")


def test_an_index_that_does_not_answer_pip_is_reported(place: Place, quick_python: Path) -> None:
    dead = {**AT_ONCE, "PIP_INDEX_URL": DEAD, "PIP_NO_CACHE_DIR": "1"}

    ran = place.make(READY, f"PYTHON={quick_python}", **dead)

    assert_one_line(ran, "连不上软件包源", "PIP_INDEX_URL", "var/setup.log")
    assert "Connection refused" in (place.root / "var" / "setup.log").read_text()


def test_an_index_that_does_not_answer_uv_is_reported(
    place: Place, tmp_path: Path, quick_python: Path, uv_at_hand: dict[str, str]
) -> None:
    dead = {**AT_ONCE, "UV_DEFAULT_INDEX": DEAD, "UV_CACHE_DIR": str(tmp_path / "empty")}

    ran = place.make(READY, f"PYTHON={quick_python}", **{**dead, **uv_at_hand})

    assert_one_line(ran, "连不上软件包源", "PIP_INDEX_URL", "var/setup.log")


def test_an_index_without_the_file_is_reported(place: Place, quick_python: Path) -> None:
    ran = place.make(READY, f"PYTHON={quick_python}", PIP_NO_INDEX="1", PIP_FIND_LINKS="")

    assert_one_line(ran, "软件包源没有锁定的版本", "var/setup.log")


@pytest.mark.parametrize(
    ("told", "hint"),
    [
        ("ERROR: Could not install packages due to an [Errno 28] No space left on device", "磁盘"),
        ("error: failed to write to file: No space left on device (os error 28)", "磁盘"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "校验值"),
        ("error: Hash mismatch for `polars==2.1.0`", "校验值"),
        ("error: Failed to fetch: `…` Caused by: dns error", "连不上"),
        ("Temporary failure in name resolution … No matching distribution found", "连不上"),
        ("Error: [Errno 13] Permission denied: '/srv/gateway/.venv'", "不能写入"),
        ("Segmentation fault", "日志"),
    ],
)
def test_the_cause_is_found_in_what_a_step_printed(told: str, hint: str) -> None:
    chinese, _ = advice(told)

    assert hint in chinese


def test_the_settings_of_pip_are_passed_to_uv(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "pip.conf").write_text(
        "[global]\nindex-url = https://mirror.example/simple\ntimeout = 60\n"
        "[install]\nextra-index-url =\n    https://one.example\n    https://two.example\n"
        f"find-links = {tmp_path}/wheels {tmp_path}/missing\ntrusted-host = mirror.example\n"
    )
    mine = {"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}

    given = for_uv(mine, pip_settings(sys.executable, mine))

    assert given["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    assert given["UV_INDEX"] == "https://one.example https://two.example"
    assert given["UV_FIND_LINKS"] == f"{tmp_path}/wheels"
    assert given["UV_INSECURE_HOST"] == "mirror.example"
    assert given["UV_HTTP_TIMEOUT"] == "60"
    assert "UV_NO_INDEX" not in given


def test_settings_of_uv_take_precedence_over_those_of_pip() -> None:
    mine = {"PIP_INDEX_URL": "https://pip.example", "UV_INDEX_URL": "https://uv.example"}
    mine |= {"PIP_CERT": "/pip.pem", "SSL_CERT_FILE": "/mine.pem", "PIP_NO_INDEX": "0"}

    given = for_uv(mine, pip_settings(sys.executable, mine))

    assert given == mine | {"UV_INDEX_STRATEGY": "unsafe-best-match"}


def assert_one_line(ran: Ran, *hints: str) -> None:
    """Assert that it failed and printed one line about it with these words."""
    assert ran.code != 0
    assert len(ran.failures) == 1, ran.err
    for hint in hints:
        assert hint in ran.failures[0]
    assert ran.failures[0].startswith("建立环境失败：")
    assert "set-up failed: " in ran.failures[0]


def old_pythons(version: str) -> list[str]:
    """Return the Pythons of this version on the machine; there may be none."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = map(str, pyenv.glob(f"versions/{version}.*/bin/python{version}"))
    return [*found, *filter(None, [shutil.which(f"/usr/bin/python{version}")])]
