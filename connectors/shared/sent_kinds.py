"""What items carry: a record of the catalogue, or a change of grade 等级变动."""

from connectors.shared.layout import kind_of
from schemas.base import Schema
from schemas.codes import RecordKind
from schemas.kinds import KINDS


def model_of(kind: str) -> type[Schema] | None:
    """Return the model of a record kind; None of a change of grade."""
    return KINDS[RecordKind(kind)].model if kind in KINDS else None


def title_of(kind: str) -> str:
    """Return what a kind is called in Chinese."""
    return KINDS[RecordKind(kind)].title if kind in KINDS else "等级变动"


def title_of_table(table: str) -> str:
    """Return what a table is called; what natural persons have of their own says so."""
    kind = kind_of(table)
    return title_of(kind) if table == kind else f"{title_of(kind)}（自然人）"
