"""Where the files for running it are."""

from pathlib import Path

DEPLOY = Path(__file__).parents[2] / "deploy"
