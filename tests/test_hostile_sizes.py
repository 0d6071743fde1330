"""No text of others, as long as it may be, takes the time or the memory of the process."""

import subprocess
import sys

import pytest

from tests.hostile_sizes import PLACES, SECONDS


@pytest.mark.parametrize("place", PLACES)
def test_what_others_may_send_is_read_within_bounds(place: str) -> None:
    """A process of its own ends by the limits that it sets itself, whatever the test's do."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.hostile_sizes", place],
        capture_output=True,
        text=True,
        timeout=5 * SECONDS,
        check=False,
    )

    assert (child.returncode, child.stderr) == (0, "")
