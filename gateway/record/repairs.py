"""Which decisions a confirmed repair 修复 is about, and whether it is told."""

from collections.abc import Mapping

from gateway.record.recorded import NewVersion
from gateway.store.record.decisions import Key, Known
from schemas.codes import EventType, RecordKind, Verb
from schemas.record import REPORTED_KINDS


def confirms_repair(version: NewVersion) -> bool:
    """Whether a version is a repair event that has been confirmed."""
    event = version.checked.event
    return (
        event is not None
        and event.type is EventType.REPAIR
        and event.repair_confirmed_on is not None
    )


def is_reported(key: Key, known: Mapping[Key, Known]) -> bool:
    """Whether a repair is reported: the decision exists and is not withdrawn."""
    if key not in known or known[key].verb == Verb.WITHDRAW:
        return False
    return RecordKind(key[3]) in REPORTED_KINDS
