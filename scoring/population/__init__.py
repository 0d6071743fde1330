"""Assess a whole population at once in columns, with the same results as the row engine."""

from scoring.population.assess import Rescored, rescore
from scoring.population.flips import Flip, Flips, flips
from scoring.population.frames import Population

__all__ = ["Flip", "Flips", "Population", "Rescored", "flips", "rescore"]
