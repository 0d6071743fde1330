"""Arguments and options that several commands have."""

import getpass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.check.dates import parse_date
from gateway.cli.output import STANDARD_INPUT, fail, settings_of
from gateway.rules.choice import chosen
from schemas.base import SHANGHAI
from schemas.codes import RecordKind
from schemas.faults import of_system
from schemas.identifiers import masked, visible
from schemas.kinds import KINDS
from scoring.regulation.ruleset import RuleSet


def writable(out: Path | None) -> Path | None:
    """Refuse a path that cannot be written, before anything is done."""
    if out is None:
        return None
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"不能写到 {out}：没有这个目录")
    new = not out.exists()
    try:
        with out.open("ab"):
            pass
        if new:
            out.unlink()  # a command that fails leaves no empty file
    except OSError as error:
        raise typer.BadParameter(f"不能写到 {out}：{of_system(error)}") from error
    return out


def workbook(out: Path | None) -> Path | None:
    """Refuse a path that cannot be written or is not named as a workbook."""
    if out is not None and out.suffix.lower() != ".xlsx":
        raise typer.BadParameter(f"{out}：写成的是工作簿，文件名应以 .xlsx 结尾")
    return writable(out)


def not_the_same(out: Path | None, file: Path) -> None:
    """Refuse to write over the file that is read; exits with wrong use."""
    if out is not None and out.exists() and file != STANDARD_INPUT and out.samefile(file):
        fail(f"--out {out} 就是要读的文件，会被盖掉；换一个文件名")


OutOption = Annotated[
    Path | None, typer.Option(callback=workbook, help="把有问题的行写到这个 xlsx，改好后重新导入")
]
RowsOption = Annotated[bool, typer.Option("--rows", help="再逐行列出")]
WholeOption = Annotated[bool, typer.Option("--whole", help="有一条有问题就一条也不接收")]
KindOption = Annotated[
    str | None, typer.Option(metavar="种类", help="表头和内容都看不出种类时指明，如 penalty")
]


def kind_named(name: str | None) -> RecordKind | None:
    """Return the kind of the option, once the settings are read, which may define it."""
    if name is not None and name not in KINDS:
        known = "、".join(f"{one}（{kind.title}）" for one, kind in KINDS.items())
        raise typer.BadParameter(f"--kind：没有种类“{name}”；现有：{known}")
    return None if name is None else RecordKind(name)


LimitOption = Annotated[int, typer.Option(min=1, max=100_000, help="最多几条")]


def there(file: Path | None) -> Path | None:
    """Refuse a missing file, before anything is done."""
    if file is not None and file != STANDARD_INPUT and not file.is_file():
        what = f"{file} 是目录，不是文件" if file.is_dir() else f"没有文件 {file}"
        raise typer.BadParameter(what)
    return file


FileArgument = Annotated[
    Path,
    typer.Argument(callback=there, help="表格（xlsx、xls、ods、csv 等）或 JSON 文件；- 读标准输入"),
]


def told(reason: str) -> str:
    """Refuse a blank reason; identity numbers in one are masked, since it is kept."""
    if not visible(reason).strip():
        raise typer.BadParameter("请写明原因")
    _refuse_bytes(reason)
    return masked(reason)


def edition_name(name: str | None) -> str | None:
    """Refuse an edition without a name: it would withdraw what its file has not, for nothing."""
    if name is None:
        return None
    if not visible(name).strip():
        raise typer.BadParameter("没有写期次；写上名称，如 2026年第3季度")
    _refuse_bytes(name)
    return name.strip()


def _refuse_bytes(text: str) -> None:
    """Refuse what is no text: Python has bytes of a command line that are none as surrogates."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise typer.BadParameter("里面有不成文字的字节；终端用 UTF-8 编码，重新输入")


def told_if_given(reason: str | None) -> str | None:
    """Refuse a blank reason, where one is given."""
    return None if reason is None else told(reason)


ReasonOption = Annotated[str, typer.Option("--reason", callback=told, help="原因，记入审计")]
EvidenceOption = Annotated[
    Path | None, typer.Option("--evidence", callback=there, help="附件：对方的通知、截图等")
]
ByOption = Annotated[str | None, typer.Option(help="经办人，默认系统用户")]


def actor(by: str | None = None) -> str:
    """Return who acts: the person named, else the user of the system."""
    return by or getpass.getuser()


def rule_set_of(context: typer.Context, name: str) -> RuleSet:
    """Return a rule set by name or by file; raises RuleSetError or BadConfiguration."""
    if "/" in name or Path(name).suffix in {".yaml", ".yml"}:
        there(Path(name))
    return chosen(name, settings_of(context).scoring)


def moment_of(text: str, now: datetime) -> datetime:
    """Return the past time of an argument, in Beijing time; exits with wrong use if it is none."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        fail(f"“{text}”不是时间，写成 “2026-10-01 09:30”（北京时间）")
    at = at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
    if at > now:
        fail(f"“{text}”还没到：只登记已经发生的")
    return at


def day_of(text: str) -> date:
    """Return the day of an argument; exits with wrong use if it is none."""
    day = parse_date(text)
    if day is None:
        fail(f"“{text}”不是日期，写成 2026-10-01")
    return day
