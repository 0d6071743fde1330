"""Programs that tests need and that no wheel brings: install them, or say which are missing.

`make test` runs this first, `make image` with the word `image`. It installs with apt-get where it
is root on Debian.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

#: Program → Debian package.
PROGRAMS = {
    "pgbouncer": "pgbouncer",
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
    for program, package in lacking.items():
        sys.stderr.write(
            f"测试需要 {program}：请先安装（Debian：apt-get install {package}）。"
            f"（the tests need {program}: install it first）\n"
        )
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
