"""Loaded by the server that children are forked from: what takes a second is read once."""

from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from tests.acceptance import child

__all__ = ["child"]

Rulebook(ScoringSettings()).covered("nm-2023-draft")
