"""`connector new`: the package of a new kind of destination, from a template that works."""

import builtins
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from keyword import iskeyword, issoftkeyword
from pathlib import Path
from typing import Annotated

import typer

import connectors
from gateway.cli.output import Format, FormatOption, fail, print_json, print_line

#: What becomes `credit_gateway_<name>`, a class name and a distribution.
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 30
_TEMPLATE = files("gateway.cli") / "connector_template"
#: The template's files are no code of ours: their names end so.
_SUFFIX = ".txt"


def connector_new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="通道的名字，如 credit-beijing")],
    out: Annotated[
        Path, typer.Option(help="在这个目录里生成 credit-gateway-NAME", file_okay=False)
    ] = Path(),
    format_: FormatOption = Format.TEXT,
) -> None:
    """Write an installable package: module, settings, page and test; nothing is overwritten."""
    _check(name)
    if not out.is_dir():
        fail(f"--out {out}：没有这个目录；先建立它")
    folder = out / f"credit-gateway-{name}"
    if folder.exists():
        fail(f"{folder} 已经有了，不会覆盖；换一个名字，或用 --out 写到别处")
    for path, text in _written(_TEMPLATE, folder, name):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if format_ is Format.JSON:
            print_json({"name": name, "file": str(path)})
        else:
            print_line(f"已写 {path}")
    if format_ is Format.TEXT:
        print_line(
            f"接着：改 {folder} 里写着 CHANGE 的地方，在其中运行 pytest，再 pip install 它；"
        )
        print_line(f"然后在 destinations 里用 connector: {name}（样例见其中的 README.md），")
        print_line("用 connector test 在对方的测试环境试")


def _check(name: str) -> None:
    """Refuse a name that cannot be one, or is taken."""
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        fail(
            f"名字 {name}：应以小写字母开头，只用小写字母、数字和单个连字符，"
            f"最多 {_LONGEST} 个字符，如 credit-beijing"
        )
    if _is_of_python(name):
        fail(f"名字 {name}：是 Python 自己的词，不能作类名或模块名；换一个，如 {name}-platform")
    others = {one.name: f"包 {one.package} 的" for one in connectors.plugged_in()}
    taken = dict.fromkeys(connectors.CONNECTORS, "自带的") | others
    if name in taken:
        fail(f"已经有{taken[name]}通道 {name}；换一个名字")


def _is_of_python(name: str) -> bool:
    """Whether a form of the name is a word of Python, or a name that Python has already."""
    forms = _forms(name).values()
    return any(iskeyword(one) or issoftkeyword(one) or hasattr(builtins, one) for one in forms)


def _written(source: Traversable, target: Path, name: str) -> list[tuple[Path, str]]:
    """Return the files of the template with the name in their names and texts."""
    found: list[tuple[Path, str]] = []
    for entry in sorted(source.iterdir(), key=lambda one: one.name):
        path = target / _named(entry.name.removesuffix(_SUFFIX), name)
        if entry.is_dir():
            found += _written(entry, path, name)
        elif entry.name.endswith(_SUFFIX):
            found.append((path, _named(entry.read_text(encoding="utf-8"), name)))
    return found


def _named(text: str, name: str) -> str:
    """Return a text of the template with the name in each of its forms."""
    for sample, form in _forms(name).items():
        text = text.replace(sample, form)
    return text


def _forms(name: str) -> dict[str, str]:
    """Return the forms of the name, by those of the template's own."""
    words = name.split("-")
    return {
        "sample-platform": name,
        "sample_platform": "_".join(words),
        "SAMPLE_PLATFORM": "_".join(words).upper(),
        "SamplePlatform": "".join(word.capitalize() for word in words),
    }
