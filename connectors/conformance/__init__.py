"""What every connector promises, said once: for pytest, and for a live test endpoint.

`examine` tries the promises one after another on one connector, with made-up items. The suite of
this repository and that of a connector of another package run them by pytest; `connector test`
runs them against the endpoint of a configured destination.
"""

from connectors.conformance.examine import PromiseResult, PromiseVerdict, examine, tried
from connectors.conformance.made_up import made_up
from connectors.conformance.promises import PROMISES, Promise
from connectors.conformance.trial import ItemMaker, Trial

__all__ = [
    "PROMISES",
    "ItemMaker",
    "Promise",
    "PromiseResult",
    "PromiseVerdict",
    "Trial",
    "examine",
    "made_up",
    "tried",
]
