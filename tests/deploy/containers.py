"""Containers of the image as compose.yaml runs its services, on this machine's own servers."""

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import environ, getpid
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bootstrap import pip_settings
from tests.deploy.place import DEPLOY

BASE, IMAGE = "localhost/credit-gateway-base", "localhost/credit-gateway:test"
SERVICES = YAML(typ="safe").load((DEPLOY / "container/compose.yaml").read_text("utf-8"))["services"]
CONFIG = "/etc/credit-gateway/gateway.yaml"
PATIENCE = 120
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
    """Return what a command prints; it must end well."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=patience)
    assert done.returncode == 0, (words, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout


def pip_secrets(folder: Path) -> Iterator[str]:
    """Yield the options that give pip's settings and CA to the build, and to nothing else."""
    settings = pip_settings(shutil.which("python3") or "python3", dict(environ))
    lines = ["[global]"]
    for name in ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout"):
        if settings.get(name):
            lines.append(f"{name} = {settings[name]}")
    if settings.get("cert"):
        lines.append("cert = /run/secrets/ca")
        yield f"--secret=id=ca,src={settings['cert']}"
    (folder / "pip.conf").write_text("\n".join(lines) + "\n")
    yield f"--secret=id=pip,src={folder}/pip.conf"


def closed(service: dict[str, Any]) -> list[str]:
    """Return what compose.yaml says of a service, as options of podman."""
    return [
        *(["--read-only", "--read-only-tmpfs=false"] if service["read_only"] else []),
        *(f"--cap-drop={one}" for one in service["cap_drop"]),
        *(f"--security-opt={one}" for one in service["security_opt"]),
        f"--memory={service['mem_limit']}",
        f"--cpus={service['cpus']}",
        f"--pids-limit={service['pids_limit']}",
        "--no-healthcheck",  # podman wants systemd for it; the tests ask themselves
    ]


@dataclass(frozen=True, slots=True)
class Containers:
    """Starts containers in the way that this machine allows."""

    way: tuple[str, ...]

    def once(self, *words: str, entrypoint: str = "credit-gateway") -> str:
        """Return what a container prints that ends by itself."""
        options = [*closed(SERVICES["web"]), "--rm", "--network=none", f"--entrypoint={entrypoint}"]
        return ran(*self.way, *options, IMAGE, *words)

    @contextmanager
    def service(self, name: str, *options: str) -> Iterator["Container"]:
        """Run a service of compose.yaml for the block."""
        service = SERVICES[name]
        made = Container(self.way[: self.way.index("run")], f"credit-gateway-{getpid()}-{name}")
        command = [*closed(service), *options, IMAGE, *service["command"]]
        ran(*self.way, "--detach", f"--name={made.name}", *command)
        try:
            made.wait(service["healthcheck"]["test"][1:])
            yield made
        finally:
            subprocess.run(
                [*made.runtime, "rm", "-f", "-v", made.name], check=False, capture_output=True
            )


@dataclass(frozen=True, slots=True)
class Container:
    """One that runs."""

    runtime: tuple[str, ...]
    name: str

    def execute(self, *words: str) -> str:
        """Return what a command in it prints."""
        return ran(*self.runtime, "exec", self.name, *words)

    def wait(self, test: list[str]) -> None:
        """Wait until its health check is content."""
        words = [*self.runtime, "exec", self.name, *test]
        end = time.monotonic() + PATIENCE
        while subprocess.run(words, check=False, capture_output=True).returncode:
            if time.monotonic() > end:
                logs = [*self.runtime, "logs", self.name]
                told = subprocess.run(logs, check=False, capture_output=True, text=True)
                raise AssertionError(told.stdout[-2000:] + told.stderr[-2000:])
            time.sleep(1)

    def stop(self) -> int:
        """Stop it by its signal; return its exit code."""
        ran(*self.runtime, "stop", "--time=120", self.name)
        return int(json.loads(ran("podman", "inspect", self.name))[0]["State"]["ExitCode"])
