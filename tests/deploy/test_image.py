"""`make image`: the image is built of Debian's packages and the locked wheels, and runs closed.

No registry is needed. It takes minutes and root, so that `make test` leaves it out.
"""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap import pip_settings
from gateway.embedded.kafka import EmbeddedKafka
from gateway.embedded.postgres import EmbeddedPostgres
from tests.conftest import SETTINGS
from tests.deploy.place import DEPLOY
from tests.folders import server_folder

pytestmark = pytest.mark.image

BASE, IMAGE = "localhost/credit-gateway-base", "localhost/credit-gateway:test"
STATE = "/var/lib/credit-gateway"
PATIENCE = 90
CLOSED = (
    *("--read-only", "--read-only-tmpfs=false", "--cap-drop=ALL", "--no-healthcheck"),
    *("--security-opt=no-new-privileges", "--network=host"),
)
#: Ways of running a container: as the machine does by itself, and where limits cannot be raised
#: and crun does not know the control groups.
WAYS = (
    ("podman", "run"),
    (
        *("podman", "--runtime=runc", "--cgroup-manager=cgroupfs", "run"),
        *("--ulimit=nofile=1024:1024", "--ulimit=nproc=1000:1000"),
    ),
)


def ran(*words: str, patience: int = 900) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=patience)
    assert done.returncode == 0, (words, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def secrets_of_pip(folder: Path) -> Iterator[str]:
    """Yield the options that give pip's settings and CA to the build, and to nothing else."""
    settings = pip_settings(shutil.which("python3") or "python3", dict(os.environ))
    lines = ["[global]"]
    for name in ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout"):
        if settings.get(name):
            lines.append(f"{name} = {settings[name]}")
    if settings.get("cert"):
        lines.append("cert = /run/secrets/ca")
        yield f"--secret=id=ca,src={settings['cert']}"
    (folder / "pip.conf").write_text("\n".join(lines) + "\n")
    yield f"--secret=id=pip,src={folder}/pip.conf"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image, built anew; the base is kept from one run to the next."""
    if subprocess.run(["buildah", "inspect", BASE], capture_output=True, check=False).returncode:
        ran(str(DEPLOY / "container/base.sh"), BASE)
    ran(
        *("buildah", "build", "--isolation=chroot", "--format=docker", "--network=host"),
        *(f"--build-arg=BASE={BASE}", *secrets_of_pip(tmp_path_factory.mktemp("pip"))),
        *(f"--file={DEPLOY}/container/Containerfile", f"--tag={IMAGE}", str(DEPLOY.parent)),
    )
    return IMAGE


@pytest.fixture(scope="module")
def way(image: str) -> tuple[str, ...]:
    """The first way in which a container runs on this machine; if none does, each one's error."""
    refused = []
    for words in WAYS:
        tried = subprocess.run(
            [*words, "--rm", *CLOSED, "--entrypoint=true", image],
            check=False,
            capture_output=True,
            text=True,
        )
        if tried.returncode == 0:
            return words
        refused.append(f"{' '.join(words)}: {tried.stderr.strip()}")
    pytest.fail("no container runs here: " + "; ".join(refused))


def inside(way: tuple[str, ...], *words: str) -> str:
    return ran(*way, "--rm", *CLOSED, "--entrypoint=sh", IMAGE, "-c", " ".join(words))


def test_the_image_says_how_it_is_run(image: str) -> None:
    config = json.loads(ran("buildah", "inspect", "--type=image", image))["Docker"]["config"]

    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["credit-gateway"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert config["Volumes"] == {STATE: {}}
    assert config["Labels"]["org.opencontainers.image.version"]


def test_the_command_answers(way: tuple[str, ...]) -> None:
    told = ran(*way, "--rm", *CLOSED, IMAGE, "--help")

    assert "doctor" in told
    assert "运行网关" in told


def test_there_are_no_tools_and_only_the_state_can_be_written(way: tuple[str, ...]) -> None:
    programs = "for one in pip pip3 gcc cc hatchling pytest git; do command -v $one; done;"
    folders = "for one in / /tmp /etc /opt; do touch $one/x 2>/dev/null && echo $one; done;"
    secrets = "ls -d /run/secrets /etc/pip.conf 2>/dev/null;"

    assert inside(way, programs, folders, secrets, f"touch {STATE}/x && id -u") == "10001\n"


def test_no_layer_has_the_index_or_its_settings(way: tuple[str, ...]) -> None:
    settings = pip_settings(shutil.which("python3") or "python3", dict(os.environ))
    index = settings.get("index-url", "")

    history = json.dumps(json.loads(ran("buildah", "inspect", "--type=image", IMAGE)))
    assert not index or index not in history
    assert (
        inside(way, "find / -xdev -name 'pip*.conf' -not -path '/proc/*' 2>/dev/null; true") == ""
    )


def test_it_works_on_a_database_and_a_bus_examines_itself_and_stops(
    way: tuple[str, ...], tmp_path: Path
) -> None:
    with server_folder() as folder:
        postgres, kafka = EmbeddedPostgres(folder), EmbeddedKafka(folder)
        postgres.start()
        kafka.start()
        try:
            postgres.runtime.chmod(0o711)  # its socket is for the user of the image, too
            lives(way, tmp_path, postgres, kafka)
        finally:
            kafka.stop()
            postgres.stop()


def lives(
    way: tuple[str, ...], folder: Path, postgres: EmbeddedPostgres, kafka: EmbeddedKafka
) -> None:
    """Run all roles in a container; ask it as its health check does, and stop it."""
    config = folder / "gateway.yaml"
    config.write_text(f"state: {STATE}\nhttp: {{port: 8080}}\n")
    folder.chmod(0o755)
    name = f"credit-gateway-test-{os.getpid()}"
    given = (
        *("--volume", f"{config}:/etc/credit-gateway/gateway.yaml:ro"),
        *("--volume", f"{postgres.runtime}:{postgres.runtime}"),
        f"--env=CREDIT_GATEWAY_DATABASE_URL={postgres.url}",
        f"--env=CREDIT_GATEWAY_MASTER_KEY={SETTINGS['master_key']}",
        f"--env=KAFKA_BOOTSTRAP_SERVERS={kafka.bootstrap}",
    )
    asked = json.loads(ran("buildah", "inspect", "--type=image", IMAGE))["Docker"]["config"]
    runtime = way[: way.index("run")]
    ran(*way, "--detach", f"--name={name}", *CLOSED, *given, IMAGE)
    try:
        healthy(runtime, name, asked["Healthcheck"]["Test"][1:])
        doctor = ["credit-gateway", "--config", "/etc/credit-gateway/gateway.yaml", "doctor"]
        told = ran(*runtime, "exec", name, *doctor)
        began = time.monotonic()
        ran(*runtime, "stop", "--time=60", name)
        ended = json.loads(ran("podman", "inspect", name))[0]["State"]["ExitCode"]
    finally:
        subprocess.run([*runtime, "rm", "--force", name], check=False, capture_output=True)

    assert re.search(r"正常 数据库：可以连接", told)
    assert re.search(r"正常 运行状态：各部分都在工作", told)
    assert (ended, time.monotonic() - began < 60) == (0, True)


def healthy(runtime: tuple[str, ...], name: str, test: list[str]) -> None:
    end = time.monotonic() + PATIENCE
    said = ""
    while time.monotonic() < end:
        tried = subprocess.run(
            [*runtime, "exec", name, *test], check=False, capture_output=True, text=True
        )
        if tried.returncode == 0:
            return
        said = tried.stderr
        time.sleep(1)
    logs = subprocess.run([*runtime, "logs", name], check=False, capture_output=True, text=True)
    raise AssertionError(said[-1000:] + logs.stdout[-2000:] + logs.stderr[-2000:])
