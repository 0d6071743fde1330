"""Make `.venv` hold what requirements.lock says, and nothing else.

`make` calls this; without make, `python3 bootstrap.py` does the same. Nothing is resolved: pip
installs uv by its own hash, since pip of any age can do that, and uv installs all the rest by
hash. This file runs before there is any package, and on Pythons that are too old it must live
long enough to say so: only the standard library, no syntax newer than Python 3.6.
"""

import ast
import fcntl
import hashlib
import os
import re
import signal
import ssl
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Dict, List, Tuple
from urllib.parse import unquote, urlsplit

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = Path(".venv")
PYTHON = VENV / "bin" / "python"
READY = VENV / ".ready"
LOG = Path("var") / "setup.log"
LOCK = Path("requirements.lock")
#: What decides how the environment looks; the log is no part of it.
INPUTS = (LOCK, Path("pyproject.toml"), Path("bootstrap.py"))

#: What a log tells of the cause, and what to do: in Chinese and in English. The first one counts.
CAUSES = (
    (r"No space left on device|Disk quota exceeded",
     "磁盘空间不足：请腾出 1 GB 后再试", "no room on disk; free 1 GB and try again"),
    (r"do not match the hashes|hash mismatch",
     "下载的文件与 requirements.lock 的校验值不符：请换一个镜像（PIP_INDEX_URL）再试",
     "a download is not what requirements.lock says; take another mirror (PIP_INDEX_URL)"),
    (r"NewConnectionError|ConnectTimeout|Read timed out|ProxyError|SSLError|name resolution"
     r"|CERTIFICATE_VERIFY|Connection (?:refused|reset|aborted)|Network is unreachable"
     r"|error sending request|dns error|Network connectivity is disabled"
     r"|operation timed out|HTTP error|Failed to (?:fetch|download)",
     "连不上软件包源：请检查网络和代理，或用 PIP_INDEX_URL 指定镜像后再试",
     "the package index does not answer; look at network and proxy, or name a mirror in"
     " PIP_INDEX_URL"),
    (r"No matching distribution|No solution found|not found in the (?:package registry|provided)"
     r"|no wheels with a matching|building source distributions is disabled",
     "软件包源没有锁定的版本，或没有适合本机的文件：请换一个镜像（PIP_INDEX_URL）或 Python 再试",
     "the package index has no locked file for this machine; take another mirror"
     " (PIP_INDEX_URL) or Python"),
    (r"Permission denied|Read-only file system|Operation not permitted",
     "不能写入：请用 .venv、var 和缓存目录的所有者运行，或删除 .venv 后再试",
     "a folder cannot be written; run as the owner of .venv, var and caches, or delete .venv"),
)  # fmt: skip
UNKNOWN = ("原因见日志：请看完后再试", "see the log for the cause, and try again")
#: Settings for pip that would send packages elsewhere than into `.venv`, or change which.
ASTRAY = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_CONSTRAINT")
#: A setting of pip, what uv calls it, and the names under which the user may have said it to uv.
HANDED_ON = (
    ("index-url", "UV_DEFAULT_INDEX", ("UV_INDEX_URL",)), ("find-links", "UV_FIND_LINKS", ()),
    ("extra-index-url", "UV_INDEX", ("UV_EXTRA_INDEX_URL",)), ("no-index", "UV_NO_INDEX", ()),
    ("trusted-host", "UV_INSECURE_HOST", ()), ("timeout", "UV_HTTP_TIMEOUT", ()),
    ("retries", "UV_HTTP_RETRIES", ()), ("cert", "SSL_CERT_FILE", ("SSL_CERT_DIR",)),
    ("client-cert", "SSL_CLIENT_CERT", ()),
    ("proxy", "ALL_PROXY", ("all_proxy", "HTTPS_PROXY", "https_proxy")),
)  # fmt: skip


class Failed(Exception):
    """Set-up cannot go on: what is the case and what to do, in Chinese and in English."""


def main() -> int:
    """Set up, or say in one line why not."""
    os.chdir(str(ROOT))
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    try:
        check_python(sys.version_info[:2])
        if stamp() != stamp_of_venv():  # made by this Python, here, from these files, to the end
            set_up()
    except (Failed, OSError) as error:
        said = "" if isinstance(error, Failed) else f"{error}："
        chinese, english = advice(str(error)) if said else error.args
        say(f"建立环境失败：{said}{chinese}。（set-up failed: {english}）")
        return 1
    except KeyboardInterrupt:
        say("建立环境被中断：请再运行一次。（set-up was interrupted; run it again）")
        return 130
    return 0


def check_python(version: Tuple[int, ...]) -> None:
    """Refuse a Python that cannot run the product, or that cannot make environments."""
    mine, oldest = (".".join(map(str, each)) for each in (version, OLDEST))
    if version < OLDEST:
        raise Failed(
            f"Python {mine} 太旧，需要 {oldest} 及以上：请安装后用 make PYTHON=python{oldest} 指定",
            f"Python {mine} is too old; install {oldest} or later"
            f" and name it: make PYTHON=python{oldest}",
        )
    if not (find_spec("ensurepip") and find_spec("venv")):
        raise Failed(
            f"Python {mine} 不带 venv：请运行 apt-get install python3-venv 后再试",
            f"Python {mine} has no venv; do apt-get install python3-venv and try again",
        )


def set_up() -> None:
    """Make the environment, or bring it to the lock; one process at a time."""
    LOG.parent.mkdir(exist_ok=True)
    with LOG.open("ab") as log:
        wait_for_others(log)
        if stamp() == stamp_of_venv():
            return
        began = time.monotonic()
        say(f"正在建立环境，通常不到一分钟，详情见 {LOG}（setting up; log: {LOG}）")
        log.truncate(0)
        fill(log)
        say("环境已就绪，用时 {0:.0f} 秒（ready after {0:.0f} s）".format(time.monotonic() - began))


def fill(log: IO[bytes]) -> None:
    """Each step in its order; the mark goes first and comes back last."""
    # A killed installer leaves packages that look whole, so only a finished `.venv` is kept.
    usable = stamp_of_venv()[:2] == stamp()[:2]
    if READY.exists():
        READY.unlink()
    environment = {name: text for name, text in os.environ.items() if name not in ASTRAY}
    environment.update(PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1", PYTHONUTF8="1")
    if not usable:
        run(log, environment, [interpreter(), "-m", "venv", "--clear", "--without-pip", str(VENV)])
        run(log, environment, [str(PYTHON), "-m", "ensurepip", "--default-pip"])
    install_uv(log, environment)
    environment = for_uv(environment, pip_settings(str(PYTHON), environment))
    uv, into = [str(VENV / "bin" / "uv"), "pip"], ["--python", str(PYTHON)]
    # ensurepip of Python 3.11 brings setuptools, which no lock knows.
    run(log, environment, [*uv, "uninstall", *into, "setuptools"])
    run(log, environment, [*uv, "sync", *into, "--require-hashes", "--no-build", str(LOCK)])
    ourselves = ["--no-deps", "--no-build-isolation", "--editable", "."]
    run(log, environment, [*uv, "install", *into, *ourselves])
    point_home()
    run(log, environment, [*uv, "check", *into])
    READY.write_text("\n".join(stamp()), encoding="utf-8", errors="surrogateescape")


def point_home() -> None:
    """Let `.venv` name the tree by the way to it: Python 3.11 reads Chinese in no plain locale."""
    for packages in VENV.glob("lib/python*/site-packages"):
        for link in packages.glob("*credit_gateway.pth"):
            link.write_text(os.path.relpath(".", str(packages)) + "\n", encoding="ascii")


def install_uv(log: IO[bytes], environment: Dict[str, str]) -> None:
    """By its own hash from the lock; of one package there is nothing to resolve."""
    only_uv = VENV / "uv.lock"
    only_uv.write_text(locked("uv"), encoding="utf-8")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(only_uv)]
    # Only a talkative pip says that nobody answered; else it speaks of no matching version.
    run(log, environment, [str(PYTHON), "-m", "pip", "install", "-vv", *options])


def locked(name: str) -> str:
    """The entry of a package in the lock, with its hashes."""
    text = LOCK.read_text(encoding="utf-8")
    entry = re.search(rf"^{re.escape(name)}==(?:.*\\\n)*.*\n", text, re.MULTILINE)
    if entry is None:
        raise Failed(
            f"requirements.lock 里没有 {name}：请取回原来的文件",
            f"requirements.lock has no {name}; restore the file",
        )
    return entry.group()


def run(log: IO[bytes], environment: Dict[str, str], command: List[str]) -> None:
    """Run a step; what it prints goes to the log, and its cause into one line."""
    began = log.seek(0, os.SEEK_END)
    log.write("$ {}\n".format(" ".join(command)).encode("utf-8", "replace"))
    log.flush()
    # The child holds the log's lock too, so that no other set-up begins beside an orphan.
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
    )
    if done.returncode != 0:
        told = LOG.read_bytes()[began:].decode("utf-8", "replace")
        chinese, english = advice(told)
        raise Failed(f"{chinese}（日志 {LOG}）", f"{english} (log: {LOG})")


def advice(told: str) -> Tuple[str, str]:
    """What to do about a failure, from what the step printed of it."""
    for pattern, chinese, english in CAUSES:
        if re.search(pattern, told, re.IGNORECASE):
            return chinese, english
    return UNKNOWN


def pip_settings(python: str, environment: Dict[str, str]) -> Dict[str, str]:
    """pip's settings from its files and from the environment, as pip itself reads them."""
    command = [python, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False).stdout
    layers: Dict[str, Dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in listed.decode("utf-8", "replace").splitlines():
        parts = re.match(r"(global|install|:env:)\.([\w-]+)=(.*)", line)
        if parts:
            layers[parts.group(1)][parts.group(2)] = str(ast.literal_eval(parts.group(3)))
    settings = {**layers["global"], **layers["install"], **layers[":env:"]}
    if "default-timeout" in settings:
        settings.setdefault("timeout", settings["default-timeout"])
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if environment.get(name):
            settings.setdefault("cert", environment[name])
    return settings


def for_uv(environment: Dict[str, str], pip: Dict[str, str]) -> Dict[str, str]:
    """The environment for uv, which does not read pip's settings; what is said to uv wins."""
    given = dict(environment)
    for setting, name, others in HANDED_ON:
        said = any(given.get(each) for each in (name, *others))
        text = spelt_for_uv(setting, pip.get(setting, ""))
        if text and not said:
            given[name] = text
    # pip takes a version from whichever index has it; the hashes keep strangers out.
    given.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    if not (given.get("SSL_CERT_FILE") or given.get("SSL_CERT_DIR")) and system_certificates():
        given.setdefault("UV_SYSTEM_CERTS", "1")
    return given


def spelt_for_uv(setting: str, text: str) -> str:
    """A value of pip's as uv wants it; empty where uv shall not hear of it."""
    words = text.split()
    if setting == "find-links":
        return ",".join(each for each in map(os.path.expanduser, words) if answers(each))
    if setting == "no-index":
        return "1" if text.lower() in ("1", "true", "yes", "on", "y", "t") else ""
    if setting in ("timeout", "retries"):
        return text if text.isdigit() else ""
    return " ".join(words)


def answers(place: str) -> bool:
    """Whether a place of wheels can be read; pip passes over a missing folder, uv gives up."""
    if re.match(r"https?://", place):
        return True
    folder = unquote(urlsplit(place).path) if place.startswith("file:") else place
    return Path(folder).is_dir() and os.access(folder, os.R_OK | os.X_OK)


def system_certificates() -> bool:
    """Whether the system has certificates, where a company puts its own, as pip finds them."""
    paths = ssl.get_default_verify_paths()
    folder = Path(paths.openssl_capath)
    return Path(paths.openssl_cafile).is_file() or (folder.is_dir() and any(folder.iterdir()))


def interpreter() -> str:
    """The Python below any environment that is active: `.venv` cannot be made from itself."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def stamp() -> List[str]:
    """Python and place, which need a new `.venv` when they change; then the digest of the files."""
    python = "{} {}".format(interpreter(), sys.version.replace("\n", " "))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in INPUTS)).hexdigest()
    return [python, str(ROOT), digest]


def stamp_of_venv() -> List[str]:
    """The stamp that the last finished set-up left; empty where there is none."""
    if not (PYTHON.exists() and READY.exists()):
        return []
    return READY.read_text(encoding="utf-8", errors="surrogateescape").split("\n")


def wait_for_others(log: IO[bytes]) -> None:
    """Take the lock of the log, which goes with the last process that has it open."""
    try:
        fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("另一个进程正在建立环境，等它结束（waiting for another set-up to end）")
        fcntl.flock(log, fcntl.LOCK_EX)


def say(text: str) -> None:
    """One line for people, on a terminal of any encoding."""
    try:
        line = text.encode(sys.stderr.encoding or "ascii")
    except UnicodeEncodeError:
        line = text.encode("utf-8", "surrogateescape")
    sys.stderr.flush()
    os.write(2, line + b"\n")


if __name__ == "__main__":
    sys.exit(main())
