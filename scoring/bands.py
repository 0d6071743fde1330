"""From score to grade 等级."""

from collections.abc import Sequence
from decimal import Decimal

from scoring.intervals import Place
from scoring.terms import Band


class Grades:
    """The bands of a table; they are known to cover every score once."""

    def __init__(self, bands: Sequence[Band]) -> None:
        """Order the bands by where they begin."""
        self.names = tuple(band.grade for band in bands)
        bounded = [(band.lower, band.grade) for band in bands if band.lower is not None]
        self._lower: list[tuple[Place, str]] = sorted(bounded, reverse=True)
        self._lowest = next(band.grade for band in bands if band.lower is None)

    def grade(self, score: Decimal) -> str:
        """The grade of a score."""
        place = (score, 0)
        for lower, grade in self._lower:
            if place >= lower:
                return grade
        return self._lowest
