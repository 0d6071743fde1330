"""What items carry: a record of the catalogue, or a change of grade 等级变动."""

from schemas.base import Schema
from schemas.codes import RecordKind
from schemas.kinds import KINDS


def model_of(kind: str) -> type[Schema] | None:
    """Return the model of a record kind; None of a change of grade."""
    return KINDS[RecordKind(kind)].model if kind in KINDS else None


def title_of(kind: str) -> str:
    """Return what a kind is called in Chinese."""
    return KINDS[RecordKind(kind)].title if kind in KINDS else "等级变动"
