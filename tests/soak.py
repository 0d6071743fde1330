"""How long the property tests search: briefly in the suite, for hours in `make soak`."""

import os
import random
from typing import Any

from hypothesis import HealthCheck, settings

#: Times as many examples as in the suite; `make soak` sets it.
TIMES = int(os.environ.get("SOAK", "1"))
#: Seconds of troubles in a soak, and their seed: another one each time, the same for all workers.
CHAOS_SECONDS = float(os.environ.get("CHAOS_SECONDS", "1200"))
CHAOS_SEED = int(os.environ.setdefault("CHAOS_SEED", str(random.randrange(10**6))))  # noqa: S311


def examples(number: int, **more: Any) -> settings:
    """Return settings for a test that opens a database for each example.

    The suite tries the same `number` of examples each time; a soak tries others, and more.
    """
    return settings(
        max_examples=number * TIMES,
        deadline=None,
        derandomize=TIMES == 1,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
        **more,
    )
