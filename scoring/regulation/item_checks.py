"""Check the points, weights and exceptions of items."""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from scoring.regulation.intervals import Exact
from scoring.regulation.table import Table
from scoring.regulation.terms import Direction, Source, TariffItem, Unless

ALL = 100


def item_problems(item: TariffItem, direction: Direction) -> Iterator[str]:
    """Yield the problems of the points of an item."""
    if (item.points is None) == (item.points_from is None):
        yield "points 与 points_from 写且只写一个"
    if item.dated and item.points is None:
        yield "写了 dated，就要写最初的 points"
    days = [dated.decided_from for dated in item.dated]
    if any(later <= day for day, later in pairwise(days)):
        yield "dated 的 decided_from 要由早到晚；调整次序"
    if item.bonus and item.repairable:
        yield "加分项不修复；写 repairable: false"
    upward = item.bonus == (direction is Direction.DEDUCT)
    for points in _all_points(item):
        if not _signed(points, upward=upward):
            yield f"points {points} 正负号不对（direction 为 {direction.value}）；改正符号"


def _all_points(item: TariffItem) -> Iterator[Exact]:
    values = [item.points, *(dated.points for dated in item.dated)]
    yield from (points for points in values if points is not None)
    yield from (each.points for each in item.unless if each.points)


def _signed(points: Exact, *, upward: bool) -> bool:
    return points > 0 if upward else points < 0


def weight_problems(table: Table) -> Iterator[str]:
    """Yield problems of weights: only indicators have weights, and these add up to 100."""
    for item in table.items:
        if (item.points_from is Source.INDICATOR) != (item.weight is not None):
            yield f"评价项 {item.id}：points_from 为 indicator 时要写 weight，其他不写"
    weights = [item.weight for item in table.items if item.weight is not None]
    if weights and any(weight <= 0 for weight in weights):
        yield "weight：权重应为正数"
    if weights and sum(weights) != ALL:
        yield f"weight：权重合计 {sum(weights)}，应为 {ALL}"
    if weights and len(weights) < len(table.items):
        yield "weight：有权重的指标不能与其他评价项混用；全部写 weight"
    if weights and table.direction is not Direction.DEDUCT:
        yield "weight：指标是扣分的；direction 写 deduct"


def exception_problems(exceptions: Sequence[Unless]) -> Iterator[str]:
    """Yield pairs of exceptions with equal conditions and different results."""
    for one, other in combinations(exceptions, 2):
        if one.when == other.when and (one.points or 0) != (other.points or 0):
            yield f"例外 {one.id} 与 {other.id} 条件相同、结果不同；删去一个或改条件"
