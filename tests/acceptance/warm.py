"""Preloaded by the fork server of the child processes, so that slow imports run once."""

from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from tests.acceptance import child

__all__ = ["child"]

Rulebook(ScoringSettings()).covered("nm-2023-draft")
