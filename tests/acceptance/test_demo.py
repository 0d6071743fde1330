"""`credit-gateway demo` runs to its end, twice in the same folder, with its own servers."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from ruamel.yaml import YAML

from gateway.embedded.server import FileLock
from tests.acceptance.command import Command, Ran
from tests.folders import server_folder

#: Ten of the fifteen published decisions, and five faulty rows of the sample month.
REFUSED = 10 + 5
#: Days on which coercive measures went to the platform that collects files.
COERCION_FILES = 6


@pytest.fixture
def state() -> Iterator[Path]:
    """The folder of the servers of the demo."""
    with server_folder() as folder:
        yield folder


def test_the_demo_prints_the_whole_report_in_every_run_also_after_a_killed_one(
    state: Path, tmp_path: Path
) -> None:
    command = Command(tmp_path, {})

    left = kill_one_that_starts(state)
    first, second = command("demo", "--state", state, patience=300), kept_and_stopped(state)

    for ran in (first, second):
        assert ran.code == 0, ran.err
        for section in (
            "接收",
            "拒收",
            "等级变动",
            "报送结果",
            "已公开的",
            "工作清单",
            "差异",
            "台账",
        ):
            assert section in ran.out
        assert "Traceback" not in ran.err
        assert len(refused(ran.out)) == REFUSED
        assert f"拒收 {REFUSED} 条" in ran.out
        assert "尚未送达（有效入库）" not in ran.out
        assert_the_ledger_agrees(ran.out)
        assert own_kind(ran.out) == {
            "信用郑州（沙箱）": (6, 6, 6),
            "省平台（报文，沙箱）": (6, 6, 6),
        }
        assert re.search("│ 行政强制 +│ 6 +│ 6 ", ran.out)
        assert connectors(state) == {"platform-json", "platform-soap", "file-drop", "bank-webhook"}
        assert len(list((state / "province-files" / "in").glob("001503_*.xml"))) == COERCION_FILES
    assert counts(first.out) == counts(second.out)
    assert "Prometheus" not in first.out
    assert re.search(r"CreditGatewayBreakerOpen +│ credit-zhengzhou .* 10-14 .* 10-16 ", second.out)
    assert list(tmp_path.iterdir()) == []
    assert left
    assert of_folder(state) == []


def kept_and_stopped(state: Path) -> Ran:
    """Run a demo that is kept running, with a Prometheus beside it, and stop it by Ctrl-C."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "gateway", "demo", "--keep", "--state", str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    said: list[str] = []
    while "在这里按 Ctrl-C 停止" not in "".join(said[-1:]):
        said.append(demo.stdout.readline())
        assert said[-1], said
    address = re.search(r"Prometheus：(http://127\.0\.0\.1:\d+/\S*alerts)", "".join(said))
    assert address is not None
    assert httpx.get(address[1]).is_success
    demo.send_signal(signal.SIGINT)
    out, err = demo.communicate(timeout=60)
    return Ran(demo.returncode, "".join(said) + out, err)


def assert_the_ledger_agrees(text: str) -> None:
    """No more was accepted than reported, and no more was reported than there is."""
    found = re.findall(r"应报 (\d+)，已报 (\d+)，有效入库 (\d+)", text)
    assert found
    for owed, reported, accepted in (map(int, each) for each in found):
        assert owed >= reported >= accepted > 0


def own_kind(text: str) -> dict[str, tuple[int, ...]]:
    """Return the figures of the configured kind, by the title of the destination."""
    line = r"(\S+?)（行政强制，另列）：应报 (\d+)，已报 (\d+)，有效入库 (\d+)"
    return {title: tuple(map(int, found)) for title, *found in re.findall(line, text)}


def connectors(state: Path) -> set[str]:
    """Return the kinds of destinations of the demo, which its configuration names."""
    content = YAML(typ="safe").load((state / "gateway.yaml").read_text(encoding="utf-8"))
    return {one["connector"] for one in content["destinations"]}


def refused(text: str) -> list[str]:
    """Return the rows of the table of refusals: those with a topic, partition and offset."""
    lines = text.splitlines()
    start = next(number for number, each in enumerate(lines) if each.startswith("拒收"))
    end = next(number for number in range(start, len(lines)) if lines[number].startswith("└"))
    return [line for line in lines[start:end] if re.search(r"double-publicity\.\w+/\d#\d+", line)]


def counts(text: str) -> list[str]:
    """Return the sentences with the numbers of published, repeated and refused messages."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith("共发布")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
@pytest.mark.parametrize("moment", ["postgres.lock", "kafka.lock", "kafka.pid"])
def test_a_demo_that_is_stopped_while_it_starts_leaves_no_server(
    state: Path, number: signal.Signals, moment: str
) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-m", "gateway", "demo", "--state", str(state)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    wait_for(state / moment)

    demo.send_signal(number)
    _, said = demo.communicate(timeout=60)

    assert (demo.returncode, said.decode()) == (130, "错误：已中断\n")
    assert of_folder(state) == []


def test_a_second_demo_in_the_folder_is_refused_and_disturbs_nothing(
    state: Path, tmp_path: Path
) -> None:
    owner = FileLock(state / ".demo")
    assert owner.acquire()
    (state / "kept").touch()

    ran = Command(tmp_path, {})("demo", "--state", state)

    assert (ran.code, ran.err) == (
        1,
        "错误：另一个演示正在运行（make demo KEEP=1）；请先停止它。\n",
    )
    assert (state / "kept").exists()
    owner.release()


def test_without_the_jars_of_kafka_the_demo_says_what_to_do(state: Path, tmp_path: Path) -> None:
    nowhere = {"JGO_CACHE_DIR": str(tmp_path / "file" / "cache")}
    (tmp_path / "file").touch()

    ran = Command(tmp_path, nowhere)("demo", "--state", state)

    assert ran.code == 3
    assert "Traceback" not in ran.err
    assert "JGO_CACHE_DIR" in ran.err
    assert of_folder(state) == []


def kill_one_that_starts(state: Path) -> list[psutil.Process]:
    """Kill a demo while it starts; return the servers that it leaves."""
    demo = subprocess.Popen(
        [sys.executable, "-m", "gateway", "demo", "--state", str(state)], stdout=subprocess.DEVNULL
    )
    wait_for(state / "kafka.pid")
    demo.kill()
    demo.wait()
    return of_folder(state)


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, path
        time.sleep(0.01)


def of_folder(state: Path) -> list[psutil.Process]:
    """Return the processes that have the folder on their command line."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(state) in " ".join(process.info["cmdline"] or ())
    ]
