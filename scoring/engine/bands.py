"""Find the grade 等级 of a score."""

from collections.abc import Sequence
from decimal import Decimal

from scoring.regulation.intervals import Place
from scoring.regulation.table import Band


class Grades:
    """The bands of a table; the checks of the rule set ensure that they cover every score once."""

    def __init__(self, bands: Sequence[Band]) -> None:
        """Sort the bands by their lower ends; `bands` are given best first."""
        self.names = tuple(band.grade for band in bands)
        ranks = {band.grade: rank for rank, band in enumerate(bands)}
        bounded = [(band.lower, ranks[band.grade]) for band in bands if band.lower is not None]
        self._lower: list[tuple[Place, int]] = sorted(bounded, reverse=True)
        self._lowest = next(ranks[band.grade] for band in bands if band.lower is None)

    def rank(self, score: Decimal) -> int:
        """Return the rank of a score's grade: 0 for the best grade, 1 for the next, and so on."""
        place = (score, 0)
        for lower, rank in self._lower:
            if place >= lower:
                return rank
        return self._lowest
