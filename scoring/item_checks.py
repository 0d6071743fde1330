"""What makes the points of an item, or its exceptions, unusable."""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from scoring.intervals import Exact
from scoring.table import Table
from scoring.terms import Direction, Item, Source, Unless

ALL = 100


def item_problems(item: Item, direction: Direction) -> Iterator[str]:
    """What is wrong with the points of an item."""
    if (item.points is None) == (item.points_from is None):
        yield "needs either points or points_from"
    if item.dated and item.points is None:
        yield "dated points need points to start from"
    days = [dated.decided_from for dated in item.dated]
    if any(later <= day for day, later in pairwise(days)):
        yield "dated points cross: decided_from must rise"
    if item.bonus and item.repairable:
        yield "a bonus is never repaired: write repairable: false"
    upward = item.bonus == (direction is Direction.DEDUCT)
    for points in _all_points(item):
        if not _signed(points, upward=upward):
            yield f"points {points} have the wrong sign for {direction.value}"


def _all_points(item: Item) -> Iterator[Exact]:
    values = [item.points, *(dated.points for dated in item.dated)]
    yield from (points for points in values if points is not None)
    yield from (each.points for each in item.unless if each.points)


def _signed(points: Exact, *, upward: bool) -> bool:
    return points > 0 if upward else points < 0


def weight_problems(table: Table) -> Iterator[str]:
    """Indicators have weights that add up to all, and nothing else has one."""
    for item in table.items:
        if (item.points_from is Source.INDICATOR) != (item.weight is not None):
            yield f"item {item.id}: an indicator needs its weight, nothing else has one"
    weights = [item.weight for item in table.items if item.weight is not None]
    if weights and any(weight <= 0 for weight in weights):
        yield "weights: a weight must be positive"
    if weights and sum(weights) != ALL:
        yield f"weights: they add up to {sum(weights)}, not to {ALL}"
    if weights and len(weights) < len(table.items):
        yield "weights: indicators and other items do not mix"
    if weights and table.direction is not Direction.DEDUCT:
        yield "weights: indicators take points away"


def exception_problems(exceptions: Sequence[Unless]) -> Iterator[str]:
    """Exceptions of which two always apply together with different results."""
    for one, other in combinations(exceptions, 2):
        if one.when == other.when and (one.points or 0) != (other.points or 0):
            yield f"exceptions {one.id} and {other.id} have one condition and two results"
