"""Read a workbook (XLSX, XLSM, XLS, ODS) by a process of its own, sheet by sheet and row by row."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

import gateway
from gateway.config.settings import FileLimits
from gateway.intake.files.areas import Area
from gateway.intake.files.hidden import Hidden
from gateway.intake.files.table import FileTable
from gateway.intake.files.unreadable import UnreadableFile
from schemas.identifiers import masked

_DECODE = msgspec.json.Decoder().decode
#: Processor time in which a workbook is read.
CPU_SECONDS = 120
#: How the child says that its reader knows no such file, or not without a password.
_UNKNOWN = ("Cannot detect file format", "Password", "password")
_SAVE_AS = "用 WPS 或 Excel 打开它，另存为 .xlsx（不设密码），再导入"

Row = tuple[int, list[Any]]


class Sheet(NamedTuple):
    """One sheet of a workbook, by its name as it may be shown.

    `rows` counts those with something in a cell, at most.
    """

    place: int
    name: str
    hidden: bool
    rows: int


class Workbook:
    """The sheets of a workbook, and their rows; to be read once, in order."""

    def __init__(self, path: Path, limits: FileLimits) -> None:
        self._path = path
        self._limits = limits
        self._child = _start(path, limits)
        self._held: Any = None
        try:
            self.sheets = self._sheets()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Workbook":
        """Return the workbook."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the reading process."""
        self.close()

    def close(self) -> None:
        """End the reading process."""
        self._child.kill()
        self._child.wait()
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()

    def tables(self) -> Iterator[tuple[Sheet, FileTable]]:
        """Yield each visible sheet with its table, whose rows are to be read before the next.

        Raises:
            UnreadableFile: the reader failed, also in the middle of a sheet, or a sheet has too
                many merged cells to be read as people see it.
        """
        line = self._line()
        while "sheet" in line:
            rows, sheet = self._rows(), self.sheets[line["sheet"]]
            if line["merged"] is None:
                raise _merged_too_often(sheet.name)
            areas = [Area(*area) for area in line["merged"]]
            hidden = Hidden(*line["hidden"])
            yield sheet, FileTable(rows, areas, notes=line["notes"], hidden=hidden)
            for _ in rows:
                pass
            line = self._held

    def _rows(self) -> Iterator[Row]:
        while isinstance(line := self._line(), list):
            yield from line
        self._held = line

    def _sheets(self) -> list[Sheet]:
        return [
            Sheet(place, masked(sheet["name"]), sheet["hidden"], sheet["rows"])
            for place, sheet in enumerate(self._line()["sheets"])
        ]

    def _line(self) -> Any:
        """Return the next line of the child."""
        assert self._child.stdout is not None  # noqa: S101  it is a pipe
        text = self._child.stdout.readline()
        if not text:
            raise self._failed()
        line = _DECODE(text)
        if isinstance(line, dict) and "error" in line:
            raise _told(line["error"])
        return line

    def _failed(self) -> UnreadableFile:
        """Return why a process that ended early did so: mostly a cell far from all others."""
        if self._child.wait() == -signal.SIGXCPU:
            words = f"工作簿太大或太复杂，{CPU_SECONDS} 秒里读不完"
            return UnreadableFile(f"{words}：请分成几个文件，或另存为 CSV")
        finder = _start(self._path, self._limits, "--far")
        answer, _ = finder.communicate()
        far = _DECODE(answer)["far"] if finder.returncode == 0 and answer else ""
        if far:
            name, _, address = far.rpartition("!")
            return UnreadableFile(
                f"“{masked(name)}”表的单元格 {address} 里有内容，离其他内容太远，"
                "整张表会大得读不下：删去它（选中后按 Delete），保存，再导入"
            )
        megabytes = self._limits.max_reader_bytes // 2**20
        return UnreadableFile(
            f"工作簿太大或已损坏，{megabytes} MB 内存里读不下：请分成几个文件，或另存为 CSV"
        )


#: Runs the child alone: nothing in the present folder or the environment is imported.
_CODE = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    f"from {__package__}.workbook_child import main; main(*sys.argv[2:])"
)
_PACKAGES = str(Path(gateway.__file__).parent.parent)


def _start(path: Path, limits: FileLimits, *more: str) -> subprocess.Popen[bytes]:
    bounds = map(str, (limits.max_reader_bytes, CPU_SECONDS, limits.max_xlsx_rows))
    command = [
        sys.executable,
        "-I",
        "-X",
        "utf8",
        "-c",
        _CODE,
        _PACKAGES,
        str(path),
        *bounds,
        *more,
    ]
    return subprocess.Popen(  # noqa: S603  our own program
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def _merged_too_often(name: str) -> UnreadableFile:
    return UnreadableFile(
        f"“{name}”表合并的单元格太多，看不全哪几行是一个决定：取消合并，一个决定写一行，再导入"
    )


def _told(error: str) -> UnreadableFile:
    if any(word in error for word in _UNKNOWN):
        return UnreadableFile(f"是加了密码或不认识的旧格式工作簿，读不出来：{_SAVE_AS}")
    return UnreadableFile(f"工作簿读不出来，可能已损坏：{_SAVE_AS}")
