"""`connector new`: what it writes works as it stands, and nothing is overwritten."""

import shutil
import sys
from pathlib import Path

import orjson
import pytest

from tests.acceptance.connector_package import BIN, NAME, ROOT, install, new, ran

#: The longest name that there may be.
LONGEST = "abcdefghij-bcdefghijk-abcdefgh"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as `connector new` writes it."""
    return new(tmp_path_factory.mktemp("package"), NAME)


@pytest.mark.parametrize("name", [NAME, LONGEST])
def test_a_new_package_has_no_fault_for_the_linters(tmp_path: Path, name: str) -> None:
    made = new(tmp_path, name)
    ours = ("--config", ROOT / "pyproject.toml")
    types = ("--config-file", ROOT / "pyproject.toml", "--follow-imports", "silent")

    checks = [
        ran(BIN / "ruff", "check", *ours, ".", folder=made),
        ran(BIN / "ruff", "check", ".", folder=made),
        ran(BIN / "ruff", "format", "--check", ".", folder=made),
        ran(BIN / "mypy", *types, *made.rglob("*.py"), folder=made),
    ]

    assert [one.stdout for one in checks if one.returncode != 0] == []


def test_a_new_package_passes_its_own_tests(package: Path) -> None:
    done = ran(BIN / "pytest", "-q", "-p", "no:cacheprovider", folder=package)

    assert done.returncode == 0, done.stdout
    assert "failed" not in done.stdout
    assert "found-out" in ran(BIN / "pytest", "--collect-only", "-q", folder=package).stdout


def test_a_package_that_breaks_a_promise_fails_its_own_tests(package: Path, tmp_path: Path) -> None:
    broken = shutil.copytree(package, tmp_path / "broken")
    module = broken / "credit_gateway_city_sample.py"
    code = module.read_text().replace(
        '"Idempotency-Key": item.key', '"Idempotency-Key": str(id(item))'
    )
    module.write_text(code)

    done = ran(BIN / "pytest", "-q", "-p", "no:cacheprovider", folder=broken)

    assert done.returncode == 1
    assert "test_after_a_lost_answer_a_resend_has_one_effect" in done.stdout


def test_nothing_is_overwritten_and_no_name_is_taken_twice(package: Path, tmp_path: Path) -> None:
    install(package, tmp_path)
    there = package.parent
    command = (sys.executable, "-m", "gateway", "connector", "new")
    page = package / "README.md"
    before = page.read_text()

    again = ran(*command, NAME, folder=there)
    installed = ran(*command, NAME, "--out", package, folder=there, path=tmp_path)
    built_in = ran(*command, "memory", folder=there)
    wrong = ran(*command, "City_1", folder=there)
    nowhere = ran(*command, "other", "--out", "nowhere", folder=there)

    assert "已经有了，不会覆盖；换一个名字" in again.stderr
    assert f"已经有包 credit-gateway-{NAME} 0.1.0 的通道 {NAME}" in installed.stderr
    assert "已经有自带的通道 memory" in built_in.stderr
    assert "应以小写字母开头" in wrong.stderr
    assert "--out nowhere：没有这个目录；先建立它" in nowhere.stderr
    assert {one.returncode for one in (again, installed, built_in, wrong, nowhere)} == {2}
    assert page.read_text() == before


def test_what_was_written_is_told_to_people_and_programs(tmp_path: Path) -> None:
    command = (sys.executable, "-m", "gateway", "connector", "new")

    text = ran(*command, "one", folder=tmp_path)
    rows = ran(*command, "two", "--format", "json", folder=tmp_path)

    assert "connector test" in text.stdout
    written = [orjson.loads(line) for line in rows.stdout.splitlines()]
    assert {row["name"] for row in written} == {"two"}
    files = {tmp_path / row["file"] for row in written}
    assert files == {one for one in (tmp_path / "credit-gateway-two").rglob("*") if one.is_file()}
