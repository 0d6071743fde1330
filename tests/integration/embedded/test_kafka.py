"""The embedded broker: its users, and the state after a kill."""

import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gateway.embedded.kafka import EmbeddedKafka

pytestmark = pytest.mark.integration

#: A process that owns the broker, prints "ready", and waits to be killed.
OWNER = """
import sys, time
from pathlib import Path
from gateway.embedded.kafka import EmbeddedKafka
server = EmbeddedKafka(Path(sys.argv[1]))
server.start()
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def state() -> Iterator[Path]:
    """A long state folder; its broker is stopped after the test."""
    made = Path(tempfile.mkdtemp(prefix="cg-"))
    deep = made / "a-folder-with-a-long-name" / "in-a-folder-with-a-long-name" / "so-it-lies-deep"
    yield deep
    EmbeddedKafka(deep).stop()
    shutil.rmtree(made, ignore_errors=True)


def test_a_broker_of_a_killed_user_is_found_and_can_be_started_again(
    state: Path,
) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(state)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    attached = EmbeddedKafka(state)

    attached.start()
    first = attached.pid()
    stopped = attached.stop()
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    owner.stdout.close()
    heir = EmbeddedKafka(state)
    heir.start()
    adopted = heir.pid()
    broker = psutil.Process(adopted)
    broker.kill()
    psutil.wait_procs([broker], timeout=30)
    heir.stop()
    again = EmbeddedKafka(state)
    again.start()
    restarted, answers = again.pid(), again.accepts()
    again.stop()

    assert not stopped
    assert adopted == first
    assert (restarted != first, answers) == (True, True)
    assert not psutil.pid_exists(restarted)


def test_a_folder_with_any_name_has_its_data_within_it_and_starts_again() -> None:
    made = Path(tempfile.mkdtemp(prefix="cg-"))
    server = EmbeddedKafka(made / "双公示 网关😀")
    try:
        for _ in range(2):
            server.start()
            server.stop()

        assert (server.data / "meta.properties").exists()
        assert [folder.name for folder in made.iterdir()] == ["双公示 网关😀"]
    finally:
        server.stop()
        shutil.rmtree(made, ignore_errors=True)
