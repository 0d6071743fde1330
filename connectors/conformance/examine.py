"""Try the promises on a connector, one after another."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum

from connectors.conformance.promises import PROMISES, Promise
from connectors.conformance.trial import Broken, DoesNotApply, Trial, Untried, told
from connectors.errors import ConnectorError


class PromiseVerdict(StrEnum):
    """What came of trying one promise."""

    HELD = "held"  #: 守约
    BROKEN = "broken"  #: 违约
    UNTRIED = "untried"  #: 没试成
    DOES_NOT_APPLY = "does_not_apply"  #: 不适用


@dataclass(frozen=True, slots=True)
class PromiseResult:
    """The verdict on one promise; `why` is empty where it was held."""

    promise: Promise
    verdict: PromiseVerdict
    why: str = ""


async def examine(trial: Trial) -> AsyncIterator[PromiseResult]:
    """Yield the result of each promise, in order; the last one closes the connector.

    Once the destination cannot be reached, the promises that need it are not tried.
    """
    unreached: ConnectorError | None = None
    for promise in PROMISES:
        if unreached is not None and promise.calls:
            yield PromiseResult(promise, PromiseVerdict.UNTRIED, "前面已没有得到应答，没有再试")
            continue
        try:
            yield await tried(promise, trial)
        except ConnectorError as error:
            unreached = error
            yield PromiseResult(promise, PromiseVerdict.UNTRIED, told(error))


async def tried(promise: Promise, trial: Trial) -> PromiseResult:
    """Try one promise; raises the ConnectorError of a destination that cannot be reached."""
    try:
        await promise.check(trial)
    except Broken as broken:
        return PromiseResult(promise, PromiseVerdict.BROKEN, str(broken))
    except Untried as untried:
        return PromiseResult(promise, PromiseVerdict.UNTRIED, str(untried))
    except DoesNotApply as other:
        return PromiseResult(promise, PromiseVerdict.DOES_NOT_APPLY, str(other))
    except ConnectorError:
        raise
    except Exception as error:  # noqa: BLE001  whatever else it raises breaks the promise
        allowed = "只能抛出 NotSent、OutcomeUnknown、CallRejected"
        why = f"抛出了 {type(error).__name__}：{error}；{allowed}"
        return PromiseResult(promise, PromiseVerdict.BROKEN, why)
    return PromiseResult(promise, PromiseVerdict.HELD)
