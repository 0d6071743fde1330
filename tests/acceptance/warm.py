"""Preloaded by the fork server of the child processes, so that slow imports run once."""

from importlib import import_module

from gateway.cli.registry import COMMANDS
from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from tests.acceptance import child

__all__ = ["child"]

Rulebook(ScoringSettings()).covered("nm-2023-draft")
for commands in COMMANDS.values():
    for function, _ in commands.values():
        import_module(f"gateway.cli.{function.partition(':')[0]}")
