"""A whole population at once: assessed in columns, item by item as the engine does it."""

from scoring.population.assess import Rescored, rescore
from scoring.population.flips import Flip, Flips, flips
from scoring.population.frames import Population

__all__ = ["Flip", "Flips", "Population", "Rescored", "flips", "rescore"]
