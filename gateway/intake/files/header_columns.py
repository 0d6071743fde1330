"""The columns of a kind that mean something for the reading of its tables."""

from collections.abc import Mapping, Sequence

from gateway.check.amount_units import WAN
from schemas.codes import RecordKind
from schemas.column_names import unit_in_name
from schemas.columns import ColumnType, columns_of, fields_with
from schemas.kinds import KINDS
from schemas.legacy import LICENCE_STATE, OLD_COLUMNS, PENALTY_STATE

#: Characters of a name or number at most; longer texts are free ones.
_LONGEST_NAME = 255
OF_THE_AUTHORITY = ("authority", "authority_code", "source", "source_code")
OF_THE_SUBJECT = (
    *("subject_name", "subject_category", "credit_code", "registration_number", "tax_number"),
    *("organisation_code", "institution_number", "association_number", "identity_type"),
    *("identity_number", "legal_representative", "representative_id_type", "representative_id"),
)


@KINDS.cached
def columns_named(kind: RecordKind | None, names: tuple[str, ...]) -> frozenset[str]:
    """Return the wire columns of fields."""
    if kind is None:
        return frozenset()
    fields = KINDS[kind].model.model_fields
    return frozenset(KINDS[kind].column(name) for name in names if name in fields)


@KINDS.cached
def keys_of(kind: RecordKind) -> frozenset[str]:
    """Return the columns of number, name and code, old ones too; those of an event by its id."""
    names = (KINDS[kind].keys[0], "subject_name", "credit_code", "subject_code")
    old = (one for one in OLD_COLUMNS.get(kind, ()) if one.endswith(("_XDR", "_WSH")))
    return columns_named(kind, names).union(old)


@KINDS.cached
def amounts_of(kind: RecordKind | None) -> frozenset[str]:
    """Return the columns of amounts."""
    columns = columns_of(KINDS[kind].model) if kind else ()
    return frozenset(column.wire for column in columns if column.type is ColumnType.AMOUNT)


def without_other_units(
    names: Sequence[str], wires: Sequence[str | None], kind: RecordKind | None
) -> Sequence[str | None]:
    """Return the columns of names, without an amount in another unit beside the standard one.

    罚款金额（元） beside 罚款金额（万元） is a column of the sender's own.
    """
    amounts = [wire for wire in wires if wire in amounts_of(kind)]
    if len(amounts) == len(set(amounts)):
        return wires
    units = {at: unit_in_name(names[at]) or WAN for at, wire in enumerate(wires) if wire in amounts}
    plain = {wires[at] for at, unit in units.items() if unit == WAN}
    return [
        None if units.get(at, WAN) != WAN and wire in plain else wire
        for at, wire in enumerate(wires)
    ]


@KINDS.cached
def spread_of(kind: RecordKind | None) -> frozenset[str]:
    """Return the columns of facts, basis, kinds and contents, and the amounts."""
    contents = ("penalty_content", "content", "violation_facts", "legal_basis")
    return columns_named(kind, ("penalty_kinds", *contents)) | amounts_of(kind)


@KINDS.cached
def prefilled(kind: RecordKind | None) -> frozenset[str]:
    """Return the columns that a template has filled in its empty rows."""
    kinds = ("subject_category", "penalty_kinds", "licence_kind")
    return columns_named(kind, (*OF_THE_AUTHORITY, *kinds))


@KINDS.cached
def single(kind: RecordKind | None) -> frozenset[str]:
    """Return the columns of which a cell that is merged over rows counts for its first row only.

    Of a decision these are its own columns of the standard, without authority, source and state.
    Of a message they are its number, and permit and weight, which tell the sites of one company.
    """
    if kind is not None and not KINDS[kind].reported:
        return columns_named(kind, (KINDS[kind].keys[0], "permit", "weight"))
    kinds = [kind] if kind else list(KINDS.reported)
    own = {column.wire for one in kinds for column in columns_of(KINDS[one].model)}
    own.update(*(OLD_COLUMNS.get(one, ()) for one in kinds))
    shared = (columns_named(one, OF_THE_AUTHORITY) for one in kinds)
    return frozenset(own - {PENALTY_STATE, LICENCE_STATE}).difference(*shared)


@KINDS.cached
def texts_of(kind: RecordKind | None) -> frozenset[str]:
    """Return the columns of names, numbers and codes: a day in a free text may be meant."""
    if kind is not None and not KINDS[kind].reported:
        return fields_with(KINDS[kind].model, str)
    columns = columns_of(KINDS[kind].model) if kind else ()
    return frozenset(
        column.wire
        for column in columns
        if column.type is not ColumnType.DATE and (column.max_length or 0) <= _LONGEST_NAME
    )


@KINDS.cached
def marked_of(kind: RecordKind | None) -> frozenset[str]:
    """Return the columns before whose values people put an apostrophe: all but free texts."""
    if kind is None:
        return frozenset()
    if not KINDS[kind].reported:
        return frozenset(KINDS[kind].model.model_fields)
    columns = columns_of(KINDS[kind].model)
    days = frozenset(column.wire for column in columns if column.type is ColumnType.DATE)
    return texts_of(kind) | days | amounts_of(kind)


@KINDS.cached
def telling(kind: RecordKind | None) -> frozenset[str]:
    """Return the columns of the credit code of the subject, an old one too, and of the day."""
    if kind is None:
        return frozenset()
    old = (one for one in OLD_COLUMNS.get(kind, ()) if one.endswith("_SHXYM"))
    return columns_named(kind, ("credit_code", "subject_code", KINDS[kind].date)).union(old)


@KINDS.cached
def marks_of(kind: RecordKind | None) -> Mapping[str, str]:
    """Return the columns of code, number and day of a record, with which of them each one is.

    Where each row has its own kind these are the columns of all kinds.
    """
    found: dict[str, str] = {}
    for one in [kind] if kind else list(KINDS):
        old = OLD_COLUMNS.get(one, frozenset())
        numbers = columns_named(one, (KINDS[one].keys[0],))
        numbers |= {name for name in old if name.endswith("_WSH")}
        days = columns_named(one, (KINDS[one].date,))
        codes = columns_named(one, ("identity_number",)) | (telling(one) - days)
        codes |= {name for name in old if name.endswith(("_SHXYM", "_SFZ"))}
        for columns, mark in ((codes, "code"), (numbers, "number"), (days, "day")):
            found |= dict.fromkeys(columns, mark)
    return found


@KINDS.cached
def titles() -> frozenset[str]:
    """Return codes and titles of the columns of all kinds."""
    return frozenset(
        text
        for kind in KINDS.values()
        for column in columns_of(kind.model)
        for text in (column.wire, column.title)
    )
