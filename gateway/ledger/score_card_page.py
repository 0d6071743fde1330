"""The score card 成绩单 as one page: HTML that stands alone, and PDF by a browser."""

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from gateway.ledger.score_card import DaysNeeded, MonthRates, ScoreCard
from gateway.store.account.ledgers import Frozen
from schemas.base import SHANGHAI

#: Browsers that print a page without a window, the first one found.
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "msedge", "microsoft-edge")
_PRINT_SECONDS = 120
#: The box of a chart: left, right, top and height of what is drawn.
_LEFT, _RIGHT, _TOP, _HEIGHT = 40.0, 350.0, 14.0, 100.0
#: The scale of the trend begins at one of these, in percent.
_FLOORS = (95, 90, 80, 50, 0)
#: So many bars have room for whole labels.
_ROOMY = 12


class NoBrowser(LookupError):
    """No browser is there that could print the page."""

    def __init__(self) -> None:
        super().__init__(
            "写 PDF 要用 Chromium 或 Chrome 打印：安装它（Debian：apt-get install chromium），"
            "或写成 .html，用浏览器打开后打印为 PDF"
        )


class Point(NamedTuple):
    """A month of the trend in the chart; `y` None: nothing is known of it."""

    label: str
    x: float
    y: float | None
    full: bool


class BarPart(NamedTuple):
    """The part of a bar that has one result."""

    result: str
    y: float
    height: float


class Bar(NamedTuple):
    """A bar of the chart of days; its parts stand on each other."""

    label: str
    times: int
    x: float
    y: float
    width: float
    middle: float
    parts: tuple[BarPart, ...]


_pages = Environment(
    loader=PackageLoader("gateway.ledger", "."),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(card: ScoreCard, now: datetime, frozen: Frozen | None) -> str:
    """Return the page; `frozen` is the last frozen version of the month, if it says the same."""
    year, month = card.month.split("-")
    floor = _floor(card.trend)
    line = _line(card.trend, floor)
    shown: dict[str, Any] = {
        "card": card,
        "title": f"{year}年{int(month)}月双公示成绩单",
        "platform": card.figures.title if card.figures else "（没有主报平台）",
        "state": _state(now, frozen),
        "floor": floor,
        "line": line,
        "paths": _paths(line),
        "bars": _bars(card.days),
        "crowded": len(card.days) > _ROOMY,
        "limits": _limit_lines(card),
    }
    return _pages.get_template("score_card.html.j2").render(shown)


def _state(now: datetime, frozen: Frozen | None) -> str:
    if frozen is not None:
        return f"台账第 {frozen.version} 版已冻结，校验值 {frozen.hash[:16]}"
    return f"截至 {now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}，台账尚未冻结，数字还会变"


def _floor(trend: Sequence[MonthRates]) -> int:
    values = [one.timely.value for one in trend if one.timely and one.timely.value is not None]
    least = min(values, default=Decimal(1)) * 100
    return next(floor for floor in _FLOORS if least >= floor)


def _line(trend: Sequence[MonthRates], floor: int) -> list[Point]:
    step = (_RIGHT - _LEFT) / max(1, len(trend) - 1)
    points = []
    for place, one in enumerate(trend):
        value = one.timely.value if one.timely else None
        y = None
        if value is not None:
            y = round(_TOP + _HEIGHT * float((100 - value * 100) / (100 - floor)), 1)
        label = str(int(one.month[5:]))
        points.append(Point(label, round(_LEFT + place * step, 1), y, value == 1))
    return points


def _paths(line: Sequence[Point]) -> list[str]:
    """Return the unbroken parts of the line, as SVG has them."""
    parts: list[list[str]] = [[]]
    for point in line:
        if point.y is None:
            parts.append([])
        else:
            parts[-1].append(f"{point.x},{point.y}")
    return [" ".join(part) for part in parts if len(part) > 1]


def _step(days: Sequence[DaysNeeded]) -> float:
    return (_RIGHT + 6) / max(1, len(days))


def _bars(days: Sequence[DaysNeeded]) -> list[Bar]:
    most = max((one.results.total() for one in days), default=0) or 1
    step = _step(days)
    bars = []
    for place, one in enumerate(days):
        x, width = round(place * step + step * 0.15, 1), round(step * 0.7, 1)
        parts = _parts(one, _HEIGHT / most)
        label = one.days
        if len(days) > _ROOMY:
            label = label.replace("天后", "+").removesuffix("天")
        top = parts[-1].y
        bars.append(Bar(label, one.results.total(), x, top, width, round(x + width / 2, 1), parts))
    return bars


def _parts(one: DaysNeeded, scale: float) -> tuple[BarPart, ...]:
    """Return the parts from the bottom up."""
    y, parts = _TOP + _HEIGHT + 12, []
    for result, count in (
        ("timely", one.timely),
        ("late", one.late),
        ("undecided", one.undecided),
    ):
        y -= scale * count
        parts.append(BarPart(result, round(y, 1), round(scale * count, 1)))
    return tuple(parts)


def _limit_lines(card: ScoreCard) -> list[float]:
    """Return where the time limit of the strictest and that of the mildest decision end."""
    return [round((day + 1) * _step(card.days), 1) for day in sorted(set(card.limits))]


def pdf(html: str) -> bytes:
    """Return the page as PDF, printed by a browser of this machine.

    Raises:
        NoBrowser: there is none, or it does not print.
    """
    browser = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise NoBrowser
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "card.html"), Path(folder, "card.pdf")
        source.write_text(html)
        command = [
            browser,
            "--headless",
            "--no-sandbox",  # root has none; the page is ours
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-pdf-header-footer",
            f"--user-data-dir={folder}/profile",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ]
        try:
            subprocess.run(  # noqa: S603  our own page in the browser of this machine
                command, check=False, capture_output=True, timeout=_PRINT_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise NoBrowser from error
        if not target.is_file():
            raise NoBrowser
        return target.read_bytes()
