"""`credit-gateway demo` runs to its end, twice in the same folder, with its own servers."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.embedded.postgres import EmbeddedPostgres
from tests.acceptance.command import Command

#: Ten of the fifteen published decisions, and five faulty rows of the sample month.
REFUSED = 10 + 5


@pytest.fixture
def state() -> Iterator[Path]:
    """A short folder for the servers of the demo."""
    folder = Path(tempfile.mkdtemp(prefix="cg-"))
    yield folder
    shutil.rmtree(EmbeddedPostgres(folder).runtime, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def test_the_demo_prints_the_whole_report_in_every_run(state: Path, tmp_path: Path) -> None:
    command = Command(tmp_path, {})

    first, second = (command("demo", "--state", state, patience=300) for _ in range(2))

    for ran in (first, second):
        assert ran.code == 0, ran.err
        for section in ("接收", "拒收", "等级变动", "报送结果", "已公开的", "差异", "台账"):
            assert section in ran.out
        assert "Traceback" not in ran.err
        assert len(refused(ran.out)) == REFUSED
        assert f"拒收 {REFUSED} 条" in ran.out
    assert counts(first.out) == counts(second.out)
    assert list(tmp_path.iterdir()) == []


def refused(text: str) -> list[str]:
    """Return the rows of the table of refusals: those with a topic, partition and offset."""
    lines = text.splitlines()
    start = next(number for number, each in enumerate(lines) if each.startswith("拒收"))
    end = next(number for number in range(start, len(lines)) if lines[number].startswith("└"))
    return [line for line in lines[start:end] if re.search(r"double-publicity\.\w+/\d#\d+", line)]


def counts(text: str) -> list[str]:
    """Return the sentences with the numbers of published, repeated and refused messages."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith("共发布")]
