"""`make image`: the image is built of Debian's packages and the locked wheels, and runs closed.

No registry is needed. It takes minutes and root, so that `make test` leaves it out.
"""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from bootstrap import pip_settings
from gateway.embedded.kafka import EmbeddedKafka
from gateway.embedded.postgres import DATABASE, EmbeddedPostgres
from tests.conftest import SETTINGS
from tests.deploy.containers import BASE, CONFIG, IMAGE, WAYS, Containers, pip_secrets, ran
from tests.deploy.place import DEPLOY
from tests.factories import penalty
from tests.folders import server_folder

pytestmark = pytest.mark.image

STATE = "/var/lib/credit-gateway"


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The image, built anew; the base is kept from one run to the next."""
    if subprocess.run(["buildah", "inspect", BASE], capture_output=True, check=False).returncode:
        ran(str(DEPLOY / "container/base.sh"), BASE)
    ran(
        *("buildah", "build", "--isolation=chroot", "--format=docker", "--network=host"),
        *(f"--build-arg=BASE={BASE}", *pip_secrets(tmp_path_factory.mktemp("pip"))),
        *(f"--file={DEPLOY}/container/Containerfile", f"--tag={IMAGE}", str(DEPLOY.parent)),
    )
    return IMAGE


@pytest.fixture(scope="module")
def containers(image: str) -> Containers:
    """The first way in which a container runs on this machine; if none does, each one's error."""
    refused = []
    for way in WAYS:
        try:
            Containers(way).once(entrypoint="true")
        except AssertionError as error:
            refused.append(str(error))
        else:
            return Containers(way)
    pytest.fail("no container runs here: " + "; ".join(refused))


@pytest.fixture
def servers() -> Iterator[tuple[EmbeddedPostgres, EmbeddedKafka]]:
    with server_folder() as folder:
        postgres, kafka = EmbeddedPostgres(folder), EmbeddedKafka(folder)
        with ExitStack() as stack:
            for server in (postgres, kafka):
                server.start()
                stack.callback(server.stop)
            postgres.runtime.chmod(0o711)  # its socket is for the user of the image, too
            yield postgres, kafka


@pytest.fixture
def given(servers: tuple[EmbeddedPostgres, EmbeddedKafka], tmp_path: Path) -> list[str]:
    """What compose.yaml gives to each process of the gateway: the settings and the secrets."""
    postgres, kafka = servers
    secrets = {"database_url": postgres.url, "master_key": SETTINGS["master_key"]}
    for name in ("database_url", "master_key", "api_key", "operator_key"):
        (tmp_path / name).write_text(secrets.get(name, "k" * 32))
    return [
        *(f"--volume={file}:/run/secrets/{file.name}:ro" for file in tmp_path.iterdir()),
        f"--volume={DEPLOY}/container/gateway.yaml:{CONFIG}:ro",
        f"--volume={postgres.runtime}:{postgres.runtime}",
        f"--env=KAFKA_BOOTSTRAP_SERVERS={kafka.bootstrap}",
    ]


def test_the_image_says_how_it_is_run(image: str) -> None:
    config = json.loads(ran("buildah", "inspect", "--type=image", image))["Docker"]["config"]

    assert config["User"] == "10001:10001"
    assert config["Entrypoint"] == ["credit-gateway"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Healthcheck"]["Test"][:2] == ["CMD", "python"]
    assert config["Volumes"] == {STATE: {}}
    assert config["Labels"]["org.opencontainers.image.version"]


def test_the_command_answers(containers: Containers) -> None:
    assert "运行网关" in containers.once("--help")


def test_there_are_no_tools_and_only_the_state_can_be_written(containers: Containers) -> None:
    programs = "for one in pip pip3 gcc cc hatchling pytest git; do command -v $one; done;"
    folders = "for one in / /tmp /etc /opt; do touch $one/x 2>/dev/null && echo $one; done;"
    end = f"touch {STATE}/x && id -u"

    assert containers.once("-c", f"{programs} {folders} {end}", entrypoint="sh") == "10001\n"


def test_the_image_keeps_nothing_of_the_index(containers: Containers) -> None:
    index = pip_settings(shutil.which("python3") or "python3", dict(os.environ)).get("index-url")
    files = "find / -xdev '(' -name 'pip*.conf' -o -path '/run/secrets/*' ')' 2>/dev/null; true"

    assert not index or index not in ran("buildah", "inspect", "--type=image", IMAGE)
    assert containers.once("-c", files, entrypoint="sh") == ""


def test_three_processes_by_role_take_a_decision_in_and_stop(
    containers: Containers,
    servers: tuple[EmbeddedPostgres, EmbeddedKafka],
    given: list[str],
) -> None:
    postgres, kafka = servers
    asyncio.run(publish(kafka.bootstrap))

    # Only intake needs the bus; the others reach the database by its socket.
    with (
        containers.service("web", "--network=none", *given) as web,
        containers.service("deliver", "--network=none", *given) as deliver,
        containers.service("intake", "--network=host", *given) as intake,
    ):
        asyncio.run(recorded(postgres))
        told = intake.execute("credit-gateway", "--config", CONFIG, "doctor")
        ended = [one.stop() for one in (intake, deliver, web)]

    assert "正常 Kafka" in told
    assert "的进程，各部分都在工作" in told
    assert ended == [0, 0, 0]


async def publish(bootstrap: str) -> None:
    """Send a decision, before anybody reads."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        await producer.send_and_wait("double-publicity.penalty", orjson.dumps(penalty()))
    finally:
        await producer.stop()


async def recorded(postgres: EmbeddedPostgres) -> None:
    """Wait until the decision is in the database."""
    connection = await asyncpg.connect(
        host=str(postgres.runtime), user="postgres", database=DATABASE
    )
    try:
        async with asyncio.timeout(90):
            while not await connection.fetchval("select count(*) from decision"):  # noqa: ASYNC110  rows have no event
                await asyncio.sleep(0.5)
    finally:
        await connection.close()
