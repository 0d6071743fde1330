"""The rule of shards is stable, even, and the same however a code is written."""

import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.shards import BUCKETS, figures, lines, shard_of
from gateway.ledger.row import DecisionStanding, LedgerRow
from gateway.ledger.rows_file import parquet
from gateway.ledger.timeliness import Timeliness
from schemas.codes import RecordKind
from tests.factories import IDENTITY, credit_code

ROOT = Path(__file__).parents[2]


def test_the_shard_of_a_subject_never_changes() -> None:
    """Another rule would send what comes next of a subject to where nothing is known of it."""
    codes = [credit_code(1), credit_code(2), "91110000600037341L", IDENTITY]

    assert [shard_of(code, BUCKETS) for code in codes] == [138, 966, 153, 0]
    assert [shard_of(code, 2) for code in codes] == [0, 1, 0, 0]


@pytest.mark.parametrize(
    "written", ["91110000600037341l", " 9111 0000600037341L", "９111００00600037341L"]
)
def test_the_way_of_writing_a_code_does_not_matter(written: str) -> None:
    assert shard_of(written, BUCKETS) == shard_of("91110000600037341L", BUCKETS)


@given(st.text(max_size=20), st.integers(1, BUCKETS // 2))
def test_twice_as_many_shards_halve_each_one(code: str, shards: int) -> None:
    assert shard_of(code, 2 * shards) // 2 == shard_of(code, shards)


@pytest.mark.parametrize("shards", [2, 4, 7, 32])
def test_shards_are_about_equal(shards: int) -> None:
    numbers = range(0, 1_000_000, 25)

    found = Counter(shard_of(credit_code(number), shards) for number in numbers)

    assert len(found) == shards
    assert max(found.values()) < 1.1 * len(numbers) / shards


def test_a_subject_in_two_shards_is_told(tmp_path: Path) -> None:
    files = []
    for number, company in enumerate((1, 2, 1)):
        files.append(str(tmp_path / f"{number}.parquet"))
        Path(files[-1]).write_bytes(parquet([row(company)]))

    assert figures(files[:2]).is_empty()
    with pytest.raises(SystemExit, match=credit_code(1)):
        figures(files)


def test_figures_are_added_and_rates_are_of_the_sums(tmp_path: Path) -> None:
    files = []
    for company, result in enumerate((Timeliness.TIMELY, Timeliness.LATE, Timeliness.LATE), 1):
        files.append(str(tmp_path / f"{company}.parquet"))
        Path(files[-1]).write_bytes(parquet([row(company, result)]))

    titles, every, penalties = lines(figures(files))

    assert titles.startswith("报送平台,种类,期限,应报,已报,有效入库,无回执,及时,迟报,漏报,")
    assert every == "platform,双公示合计,calendar-7,3,3,3,0,1,2,0,0,0,0,100.00%,100.00%,33.33%"
    assert penalties == every.replace("双公示合计", "行政处罚")


def row(company: int, result: Timeliness | None = None) -> LedgerRow:
    """Return a decision: one that no destination is owed, or one that was accepted then."""
    at = datetime(2026, 10, 12, tzinfo=UTC)
    standing = result and DecisionStanding(
        destination="platform",
        state="accepted",
        due={"calendar-7": at},
        timeliness={"calendar-7": result},
        handed_over_at=at,
        accepted_at=at,
        blind=False,
        attempts=1,
        reasons=(),
    )
    return LedgerRow(
        decision_id=company,
        kind=RecordKind.PENALTY,
        document_number="样环罚〔2026〕1号",
        authority="样例市生态环境局",
        subject_name="样例",
        subject_code=credit_code(company),
        decision_date=date(2026, 10, 9),
        excluded=None,
        withdrawn=False,
        standings={"platform": standing} if standing else {},
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["of", "0", "X"], "分片数应在 1 与 1024 之间，现为 0"),
        (["of", "x", "X"], "分片数应在 1 与 1024 之间，现为 x"),
        (["of", "8", ""], "prints the shard of each subject"),
        (["figures", "nowhere.parquet"], "读不出 ledger --out 写的 Parquet 文件"),
    ],
)
def test_what_cannot_be_answered_is_said_in_a_sentence(arguments: list[str], told: str) -> None:
    ended = subprocess.run(
        [sys.executable, "deploy/shards.py", *arguments],
        check=False, capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert ended.returncode == 1
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr
