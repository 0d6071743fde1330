"""Loaded by the server that children are forked from: what takes a second is read once."""

from gateway.rulebook import Rulebook
from gateway.settings import ScoringSettings
from tests.acceptance import child

__all__ = ["child"]

Rulebook(ScoringSettings()).covered("nm-2023-draft")
