"""The units are valid and closed, and `up` tells systemd how it stands."""

import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.store.base.engine import Database
from tests.acceptance.command import commanding
from tests.conftest import SETTINGS
from tests.deploy.place import DEPLOY

UNITS = DEPLOY / "systemd"
SERVICES = ["credit-gateway.service", "credit-gateway@.service"]
PATIENCE = 60


def placed(folder: Path) -> None:
    """Copy the units as they are installed, with a program that is there."""
    for unit in UNITS.glob("credit-gateway*"):
        words = unit.read_text("utf-8").replace(
            "/opt/credit-gateway/bin/credit-gateway", "/bin/true"
        )
        (folder / unit.name).write_text(words)
    shutil.copy(folder / SERVICES[1], folder / "credit-gateway@web.service")


def test_the_units_are_valid(tmp_path: Path) -> None:
    placed(tmp_path)
    units = ["credit-gateway.service", "credit-gateway@web.service", "credit-gateway.target"]

    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit) for unit in units)],
        check=False,
        capture_output=True,
        text=True,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
    )

    ours = [line for line in ran.stderr.splitlines() if "credit-gateway" in line]
    assert ours == []


@pytest.mark.parametrize("unit", SERVICES)
def test_the_units_are_closed(tmp_path: Path, unit: str) -> None:
    placed(tmp_path)
    name = unit.replace("@.", "@web.")

    ran = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(tmp_path / name)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr


def test_up_tells_that_it_is_ready_goes_on_and_stops(database: Database, tmp_path: Path) -> None:
    command = commanding(database, tmp_path, SETTINGS)
    place = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(place))
        manager.settimeout(PATIENCE)
        roles = ("--roles", "deliver,schedule")
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", "--config", str(command.config), "up", *roles],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={
                **command.environment,
                "NOTIFY_SOCKET": str(place),
                "WATCHDOG_USEC": "400000",
            },
            cwd=tmp_path,
        )
        try:
            first = manager.recv(4096).decode()
            alive = [manager.recv(4096).decode() for _ in range(3)]
            process.send_signal(signal.SIGTERM)
            said = ""
            while "STOPPING=1" not in said:
                said = manager.recv(4096).decode()
            ended = process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()

    assert "READY=1" in (first, *alive)
    assert any("WATCHDOG=1" in words for words in alive)
    assert ended == 0
