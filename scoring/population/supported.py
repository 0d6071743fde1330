"""Rule-set features that the column engine supports; anything else goes to the row engine.

A field added to the terms is unsupported until it is listed below.
"""

from decimal import Decimal

from pydantic import BaseModel

from scoring.population.frames import micro
from scoring.regulation.table import Table

ZERO = Decimal(0)
_TABLE = frozenset(
    {"title", "kinds", "article", "text", "direction", "start", "items", "vetoes", "promotions",
     "bands", "repair", "warning", "caps", "activation", "received_grades", "snapshot", "public",
     "public_rule", "listing", "sites", "relies_on", "unverified"}
)  # fmt: skip
_ITEM = frozenset(
    {"id", "group", "title", "match", "points", "points_from", "weight", "dated", "printed",
     "article", "text", "validity", "stacking", "bonus", "repairable",
     "agency_kinds", "notes", "verified"}
)  # fmt: skip
_RULE = frozenset(
    {"id", "title", "match", "by_item", "with_items", "grade", "article", "text", "validity",
     "repairable", "notes", "verified"}
)  # fmt: skip
_DATED = frozenset({"decided_from", "points", "validity"})
_VALIDITY = frozenset({"months", "until"})
_MATCH = frozenset({"penalties", "other_words", "amount", "events", "codes", "decided"})
_RANGE = frozenset({"at_least", "above", "at_most", "below"})
_REPAIR = frozenset({"article", "waits"})
_WAIT = _RANGE | {"months", "printed_from", "text", "notes", "verified"}
_BAND = _RANGE | {"grade", "title", "colour", "article", "verified"}
_WARNING = frozenset({"article", "text"})
_CAPS = frozenset({"lowest", "highest", "per_decision", "scale", "article", "text"})
_ACTIVATION = frozenset({"article", "text", "days", "counted_from", "validity_from"})


def table_is_known(table: Table) -> bool:
    """Return whether the column engine can count the table, apart from its `odd_rows`.

    A table without items has no scores to count.
    """
    caps = table.caps
    parts: list[tuple[BaseModel | None, frozenset[str]]] = [
        (table, _TABLE),
        (table.repair, _REPAIR),
        (table.warning, _WARNING),
        (caps, _CAPS),
        (caps.per_decision, _RANGE),
        (table.activation, _ACTIVATION),
    ]
    parts += [(wait, _WAIT) for wait in (table.repair.waits if table.repair else ())]
    parts += [(band, _BAND) for band in table.bands]
    parts += [(row.match, _MATCH) for row in table.rows]
    limits = [table.start, caps.lowest, caps.highest]
    if caps.per_decision is not None:
        limits += [caps.per_decision.at_least, caps.per_decision.at_most]
    exact = all(micro(number or ZERO) is not None for number in limits)
    return exact and bool(table.items) and all(_says_no_more(part, known) for part, known in parts)


def odd_rows(table: Table) -> frozenset[str]:
    """Return the ids of items and grade rules whose facts must go to the row engine."""
    odd: set[str] = set()
    for item in table.items:
        validities = [item.validity, *(dated.validity for dated in item.dated)]
        parts = [_says_no_more(one, _VALIDITY) for one in validities]
        parts += [_says_no_more(one, _DATED) for one in item.dated]
        if not (_says_no_more(item, _ITEM) and all(parts)):
            odd.add(item.id)
    for rule in table.rules:
        if not (_says_no_more(rule, _RULE) and _says_no_more(rule.validity, _VALIDITY)):
            odd |= {rule.id, *rule.with_items}
    return frozenset(odd)


def _says_no_more(part: BaseModel | None, known: frozenset[str]) -> bool:
    """Return whether every field outside `known` has its default value."""
    if part is None:
        return True
    return all(
        getattr(part, name) == field.get_default(call_default_factory=True)
        for name, field in type(part).model_fields.items()
        if name not in known
    )
