"""Turn raw columns into a population: typed values, and an error for each unreadable subject.

All sources have the shape of the `score` input: one row for each subject and one for each fact.
"""

from typing import Any

import polars as pl

from scoring.population import Population
from scoring.population.frames import AMOUNT, FACTS, SUBJECTS

_AMOUNT_TEXT = r"^-?\d{1,12}(\.\d{1,6})?$"
_DAY_TEXT = r"^\d{4}-\d{2}-\d{2}$"
#: Text columns that must not be empty; outer spaces are removed.
_WORDS = frozenset({"id", "item", "department", "site", "grade", "issued_by"})
_LISTS = ("types", "codes")
#: The names of columns in the input, where they differ.
_WIRE = {"types": "penalty.types", "fine_wan": "penalty.fine_wan", "grade": "received.grade",
         "issued_by": "received.issued_by", "score": "received.score"}  # fmt: skip
#: Amounts that may be negative.
_SIGNED = frozenset({"score"})


def population_of(
    subjects: pl.DataFrame, facts: pl.DataFrame, first_line: int = 1
) -> tuple[Population, list[dict[str, Any]]]:
    """Return the readable subjects, and an error with its line for each other one.

    `subjects` has the columns of SUBJECTS and `facts` those of FACTS, in any readable type; missing
    columns are read as empty.
    """
    subjects, facts = _whole(subjects, SUBJECTS), _whole(facts, FACTS)
    typed = _typed_frame(subjects, SUBJECTS).with_columns(
        pl.col("criminal_suspect").fill_null(value=False),
        pl.col("sites").fill_null(pl.lit([], SUBJECTS["sites"])),
        pl.col("participants_only").fill_null(value=False),
        pl.col("agency_kinds").fill_null(pl.lit([], SUBJECTS["agency_kinds"])),
    )
    known = _typed_frame(facts, FACTS).with_columns(
        pl.col("codes").fill_null(pl.lit([], FACTS["codes"])),
        pl.col("self_reported").fill_null(value=False),
    )
    found = pl.concat([_subject_errors(subjects, typed), _fact_errors(facts, known)])
    population = Population(typed, known)
    if not found.height:
        return population, []
    first = found.group_by("subject", maintain_order=True).agg(pl.col("error").first())
    errors = [
        {"line": first_line + row, "id": typed["id"][row], "error": text}
        for row, text in first.sort("subject").iter_rows()
    ]
    rows = pl.int_range(typed.height, dtype=pl.UInt32, eager=True)
    return population.only(rows.filter(~rows.is_in(first["subject"].implode()))), errors


def _whole(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    missing = {name: pl.lit(None, type_) for name, type_ in schema.items() if name not in frame}
    return frame.with_columns(**missing)


def _typed_frame(frame: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    return frame.select(
        _struct(name, frame.schema[name], type_)
        if isinstance(type_, pl.Struct)
        else _typed(name, frame.schema[name], type_)
        for name, type_ in schema.items()
    )


def _typed(name: str, given: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """Return the column in its type; null where a value cannot be read."""
    column = pl.col(name)
    if isinstance(wanted, pl.Enum):
        return column.cast(pl.String).cast(wanted, strict=False)
    if wanted == pl.Date and given == pl.String:
        day = pl.when(column.str.contains(_DAY_TEXT)).then(column)
        return day.str.to_date("%Y-%m-%d", strict=False).alias(name)
    if wanted == AMOUNT:
        return _amount(name, given)
    if name in _WORDS:
        word = column.cast(pl.String).str.strip_chars()
        return pl.when(word != "").then(word).alias(name)
    if name in _LISTS:
        return column.cast(wanted).list.eval(pl.element().str.strip_chars())
    return column.cast(wanted, strict=False)


def _struct(name: str, given: pl.DataType, wanted: pl.Struct) -> pl.Expr:
    """Return the struct with the fields that it lacks; null stays null."""
    known = {field.name: field.dtype for field in getattr(given, "fields", ())}
    parts = []
    for field in wanted.fields:
        part = pl.col(name).struct.field(field.name) if field.name in known else pl.lit(None)
        if field.dtype == pl.Date and known.get(field.name) == pl.String:
            part = part.str.to_date("%Y-%m-%d", strict=False)
        parts.append(part.cast(field.dtype, strict=False).alias(field.name))
    whole = pl.struct(parts) if known else pl.lit(None, wanted)
    return pl.when(pl.col(name).is_not_null()).then(whole).alias(name)


def _amount(name: str, given: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    exact = (
        pl.when(column.str.contains(_AMOUNT_TEXT)).then(column) if given == pl.String else column
    )
    amount = exact.cast(AMOUNT, strict=False)
    return amount if name in _SIGNED else pl.when(amount >= 0).then(amount).alias(name)


def _subject_errors(given: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    errors = [
        _unread(given, typed, "kind", ""),
        _missing(typed, "id", ""),
        _missing(typed, "kind", ""),
    ]
    permits = typed["sites"].list.eval(pl.element().struct.field("permit"))
    weights = typed["sites"].list.eval(pl.element().struct.field("weight"))
    gaps = permits.list.eval(pl.element().is_null()).list.any()
    light = weights.list.eval((pl.element() > 0).fill_null(value=False)).list.all()
    errors.append(_said(gaps | ~light, "sites 的每个厂址都要有 permit 和大于 0 的 weight"))
    errors.append(_said(permits.list.n_unique() < permits.list.len(), "sites 里有重复的 permit"))
    return _first(errors, pl.int_range(typed.height, dtype=pl.UInt32, eager=True))


def _fact_errors(given: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    names = [name for name in FACTS if name not in {"subject", *_LISTS}]
    errors = [_unread(given, typed, name, "facts.") for name in names]
    errors += [_missing(typed, name, "facts.") for name in ("id", "decided_on")]
    for name in _LISTS:
        blank = typed[name].list.eval(pl.element().is_null() | (pl.element() == "")).list.any()
        wrong = blank.fill_null(value=False)
        errors.append(_said(wrong, f"facts.{_WIRE.get(name, name)} 里有空的"))
    alone = typed["fine_wan"].is_not_null() & typed["types"].is_null()
    errors.append(_said(alone, "facts.penalty.types 没有填"))
    half = typed["grade"].is_null() != typed["issued_by"].is_null()
    errors.append(_said(half, "facts.received 要有 grade 和 issued_by"))
    silent = typed.select(
        pl.all_horizontal(pl.col("item", "type", "types", "grade", "entry").is_null())
        & (pl.col("codes").list.len() == 0)
    ).to_series()
    errors.append(_said(silent, "facts 里有一条没有 item、type、penalty、codes、received 或 entry"))
    return _first(errors, typed["subject"])


def _unread(given: pl.DataFrame, typed: pl.DataFrame, name: str, where: str) -> pl.Series:
    """Return an error for each value that was given but cannot be read."""
    wrong = given[name].is_not_null() & typed[name].is_null()
    if not wrong.any():
        return _said(wrong, "")
    text = pl.format(
        f"{where}{_WIRE.get(name, name)} “{{}}”不能用：应为{_what(name)}", pl.col("raw")
    )
    shown = pl.DataFrame({"wrong": wrong, "raw": given[name].cast(pl.String)})
    return shown.select(pl.when("wrong").then(text)).to_series()


def _what(name: str) -> str:
    type_ = FACTS.get(name) or SUBJECTS[name]
    if isinstance(type_, pl.Enum):
        return "、".join(type_.categories) if name == "kind" else "已知的信息类型"
    if type_ == AMOUNT:
        return "不小于 0 的数，最多 12 位整数和 6 位小数"
    return "日期 YYYY-MM-DD" if type_ == pl.Date else "非空的文字"


def _missing(typed: pl.DataFrame, name: str, where: str) -> pl.Series:
    return _said(typed[name].is_null(), f"{where}{name} 没有填")


def _said(wrong: pl.Series, text: str) -> pl.Series:
    return wrong.to_frame("wrong").select(pl.when("wrong").then(pl.lit(text))).to_series()


def _first(errors: list[pl.Series], subject: pl.Series) -> pl.DataFrame:
    """Return the first error of each row that has one."""
    columns = pl.DataFrame([one.alias(str(place)) for place, one in enumerate(errors)])
    error = columns.select(pl.coalesce(pl.all()).alias("error"))["error"]
    return pl.DataFrame({"subject": subject, "error": error}).drop_nulls("error")
