"""Programs that tests need and that no wheel brings: install them, or say which are missing.

`make test` runs this first, `make image` with the word `image`. It installs with apt-get where it
is root on Debian.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: Program → Debian package.
PROGRAMS = {
    "mariadbd": "mariadb-server-core",
    "my_print_defaults": "mariadb-client-core",
    "pgbouncer": "pgbouncer",
    "proftpd": "proftpd-mod-crypto",
    "soffice": "libreoffice-calc-nogui",
    "chromium": "chromium",
    "prometheus": "prometheus",
    "systemd-analyze": "systemd",
}
#: Those of `make image`.
IMAGE_PROGRAMS = {
    "buildah": "buildah",
    "podman": "podman",
    "runc": "runc",
    "mmdebstrap": "mmdebstrap",
}
#: Renders the manifests of Kubernetes where no kubectl does; Go builds it.
KUSTOMIZE = "sigs.k8s.io/kustomize/kustomize/v5@v5.5.0"


def kustomize() -> list[str]:
    """Return the command that renders a folder of manifests; empty if there is none."""
    ours = Path(sys.prefix) / "bin/kustomize"
    if ours.exists() or shutil.which("kustomize"):
        return [str(ours) if ours.exists() else "kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else []


def build_kustomize() -> bool:
    """Build kustomize into the environment; return whether there is a Go that does it."""
    if not shutil.which("go"):
        return False
    environment = {**os.environ, "GOBIN": str(Path(sys.prefix) / "bin")}
    return (
        subprocess.run(["go", "install", KUSTOMIZE], check=False, env=environment).returncode == 0
    )


def missing(programs: Mapping[str, str]) -> dict[str, str]:
    """Return the programs that are not there, with their packages."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    return {one: package for one, package in programs.items() if not shutil.which(one, path=places)}


def install(packages: list[str]) -> None:
    """Install Debian packages; their services are not started."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    options = ["-y", "-q", "--no-install-recommends"]
    for arguments in (["update", "-q"], ["install", *options, *packages]):
        subprocess.run(
            ["apt-get", *arguments],
            check=True,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )


def main() -> int:
    """Make everything be there; return 1 where that is not possible."""
    programs = IMAGE_PROGRAMS if sys.argv[1:] == ["image"] else PROGRAMS
    lacking = missing(programs)
    if lacking and os.geteuid() == 0 and shutil.which("apt-get"):
        install(list(lacking.values()))
        lacking = missing(programs)
    if programs is PROGRAMS and not kustomize() and not build_kustomize():
        sys.stderr.write(
            "测试需要 kubectl 或 kustomize：请先安装，或安装 Go，由测试自行编译。"
            "（the tests need kubectl or kustomize: install one, or Go)\n"
        )
        return 1
    for program, package in lacking.items():
        sys.stderr.write(
            f"测试需要 {program}：请先安装（Debian：apt-get install {package}）。"
            f"（the tests need {program}: install it first）\n"
        )
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
