"""The records that a destination takes, and the columns that it requires (pure)."""

from schemas.codes import RecordKind
from schemas.columns import Required, columns_of
from schemas.destination import Destination
from schemas.identifiers import region
from schemas.kinds import KINDS
from schemas.obligation import ReportedVersion


def takes(destination: Destination, version: ReportedVersion) -> bool:
    """Whether a destination takes decisions of this kind, date and region."""
    if version.kind not in destination.takes:
        return False
    if destination.since is not None and version.decision_date < destination.since:
        return False
    return version.person or in_region(destination, version.subject_code)


def in_region(destination: Destination, code: str) -> bool:
    """Whether the subject is in the regions of the destination; without regions, always."""
    return not destination.regions or region(code).startswith(destination.regions)


def required_columns(destination: Destination, kind: RecordKind) -> frozenset[str]:
    """Return the wire columns that this destination requires in a record of this kind."""
    standard = {
        column.wire
        for column in columns_of(KINDS[kind].model)
        if column.required is not Required.NO
    }
    named = {column.wire for column in columns_of(KINDS[kind].model)}
    wanted = standard if destination.requires is None else named & destination.requires
    return frozenset(wanted - destination.not_required)
