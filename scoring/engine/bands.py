"""From score to grade 等级."""

from collections.abc import Sequence
from decimal import Decimal

from scoring.regulation.intervals import Place
from scoring.regulation.table import Band


class Grades:
    """The bands of a table; they are known to cover every score once."""

    def __init__(self, bands: Sequence[Band]) -> None:
        """Order the bands by where they begin."""
        self.names = tuple(band.grade for band in bands)
        ranks = {band.grade: rank for rank, band in enumerate(bands)}
        bounded = [(band.lower, ranks[band.grade]) for band in bands if band.lower is not None]
        self._lower: list[tuple[Place, int]] = sorted(bounded, reverse=True)
        self._lowest = next(ranks[band.grade] for band in bands if band.lower is None)

    def rank(self, score: Decimal) -> int:
        """How far from the best the grade of a score is."""
        place = (score, 0)
        for lower, rank in self._lower:
            if place >= lower:
                return rank
        return self._lowest
