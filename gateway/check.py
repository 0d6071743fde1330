"""校验: a candidate row → a typed record with the problems found in it, or a refusal (pure)."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError

from gateway.columns import missing, read
from gateway.normalise import Candidate, Raw, normalise
from schemas.codes import (
    PROCESS_TYPES,
    RESIDENT_IDENTITY_CARD,
    EventType,
    RecordKind,
    SubjectCategory,
    Verb,
)
from schemas.columns import Column, Required, columns_of
from schemas.event import CreditEvent, ReceivedGrade
from schemas.identifiers import identity_card_problem
from schemas.licence import AdministrativeLicence
from schemas.penalty import AdministrativePenalty
from schemas.problem import Problem, Rule
from schemas.record import RECORD_KINDS, BusinessKey, Decision, Record, business_key
from schemas.verdict import Exclusion, Scope, Verdict


class Checked(NamedTuple):
    """The result of check for one item; record, key and subject are None where refused."""

    raw: Raw
    verdict: Verdict
    problems: tuple[Problem, ...]
    kind: RecordKind | None = None
    record: Record | None = None
    key: BusinessKey | None = None
    person: bool = False
    verb: Verb | None = None
    excluded: Exclusion | None = None
    unknown: Mapping[str, Any] | None = None
    pseudonym: str | None = None
    decided_on: date | None = None

    @property
    def shown_key(self) -> str | None:
        """The business key as it may be shown: a person stands under a pseudonym."""
        if self.key is None:
            return None
        if self.pseudonym is None:
            return self.key.text()
        return self.key._replace(subject=self.pseudonym).text()


#: Columns of ours beside the standard's.
_OWN_COLUMNS = frozenset({"kind", "verb", "填报问题", "修改办法"})
_TRUE = frozenset({"1", "true", "yes", "y", "是"})
#: Verbs that we work out ourselves from what is there.
_OWN_VERBS = frozenset({"new", "correct"})


class Identities(Protocol):
    """How natural persons are named: inside the store, and outside."""

    def person(self, identity: str) -> str: ...  # noqa: D102  see gateway.secrets.Keys
    def published(self, subject_code: str) -> str: ...  # noqa: D102  see gateway.secrets.Keys


class Checker:
    """Check with what it needs besides the row: today, the scope, and the hash of persons."""

    def __init__(self, identities: Identities, scope: Scope | None = None) -> None:
        self.identities = identities
        self.scope = scope or Scope()

    def check(self, raw: Raw, today: date) -> Checked:
        """One item of input, checked against the 2018 layout."""
        candidate = normalise(raw)
        if isinstance(candidate, Problem):
            return Checked(raw, Verdict.REFUSED, (candidate,), raw.kind)
        if candidate.kind in {RecordKind.PENALTY, RecordKind.LICENCE}:
            return self._decision(raw, candidate, today)
        return self._message(raw, candidate)

    def _decision(self, raw: Raw, candidate: Candidate, today: date) -> Checked:
        columns = columns_of(RECORD_KINDS[candidate.kind])
        values, problems = _read_columns(columns, candidate.row)
        verb, verb_problem = _verb(candidate.row)
        unreadable = {problem.field for problem in problems}
        problems += [p for p in _missing(candidate.kind, values) if p.field not in unreadable]
        problems += _contradictions(columns, values, today)
        problems += verb_problem
        refusals = _refusals(columns, values, problems)
        if refusals:
            found = _unique([*refusals, *problems])
            day = values.get("decision_date")
            return Checked(raw, Verdict.REFUSED, found, candidate.kind, decided_on=day)
        record = _record(candidate.kind, values)
        person = _is_person(record)
        identity = record.identity_number if person else record.credit_code
        subject = self.identities.person(str(identity)) if person else str(identity)
        return Checked(
            raw,
            Verdict.INCOMPLETE if problems else Verdict.OK,
            _unique(problems),
            candidate.kind,
            record,
            business_key(record, subject),
            person,
            verb,
            self._excluded(candidate.row, person),
            _unknown(candidate),
            self.identities.published(subject) if person else None,
        )

    def _message(self, raw: Raw, candidate: Candidate) -> Checked:
        row = {name: value for name, value in candidate.row.items() if name != "kind"}
        try:
            record = RECORD_KINDS[candidate.kind].model_validate(row)
        except ValidationError as error:
            problems = tuple(_from_pydantic(candidate.kind, line) for line in error.errors())
            return Checked(raw, Verdict.REFUSED, problems, candidate.kind)
        problem = _event_problem(record) if isinstance(record, CreditEvent) else None
        if problem is not None:
            return Checked(raw, Verdict.REFUSED, (problem,), candidate.kind)
        if not isinstance(record, CreditEvent | ReceivedGrade):
            raise TypeError(candidate.kind)
        key = business_key(record, record.subject_code)
        return Checked(raw, Verdict.OK, (), candidate.kind, record, key)

    def _excluded(self, row: Mapping[str, Any], person: bool) -> Exclusion | None:
        for reason, (column, persons_only) in self.scope.rules.items():
            if column in row and (person or not persons_only):
                given = str(row[column]).strip().lower()
                if given in _TRUE:
                    return reason
        return None


def _read_columns(
    columns: tuple[Column, ...], row: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    values: dict[str, Any] = {}
    problems = []
    for column in columns:
        given = row.get(column.wire)
        if given is None:
            continue
        if column.plain and type(given) is str and len(given) <= column.plain:
            if text := given.strip():
                values[column.name] = text
            continue
        value, problem = read(column, given)
        if problem is not None:
            problems.append(problem)
        if value is not None:
            values[column.name] = value
    return values, problems


def _missing(kind: RecordKind, values: Mapping[str, Any]) -> list[Problem]:
    always, sometimes = _required_columns(kind)
    lacking = [column for column in always if column.name not in values]
    lacking += [
        column for column, applies in sometimes if column.name not in values and applies(values)
    ]
    return [missing(column) for column in lacking]


@cache
def _required_columns(
    kind: RecordKind,
) -> tuple[list[Column], list[tuple[Column, Callable[[Mapping[str, Any]], bool]]]]:
    columns = columns_of(RECORD_KINDS[kind])
    always = [column for column in columns if column.required is Required.ALWAYS]
    sometimes = [(c, _WHEN[c.required]) for c in columns if c.required in _WHEN]
    return always, sometimes


def _is_natural(values: Mapping[str, Any]) -> bool:
    return bool(values.get("subject_category") == _NATURAL)


def _any_kind(*starts: str) -> Callable[[Mapping[str, Any]], bool]:
    def applies(values: Mapping[str, Any]) -> bool:
        return any(kind.startswith(starts) for kind in values.get("penalty_kinds") or ())

    return applies


_NATURAL = SubjectCategory.NATURAL_PERSON.value
_WHEN: dict[Required, Callable[[Mapping[str, Any]], bool]] = {
    Required.CREDIT_CODE_HOLDER: lambda values: not _is_natural(values),
    Required.NATURAL_PERSON: _is_natural,
    Required.FINE: _any_kind("罚款"),
    Required.CONFISCATION: _any_kind("没收"),
    Required.SUSPENSION: _any_kind("暂扣", "吊销"),
}


def _contradictions(
    columns: tuple[Column, ...], values: Mapping[str, Any], today: date
) -> list[Problem]:
    """Dates that cannot be: a decision of tomorrow, an end before its beginning."""
    problems: list[Problem] = []
    decided = values.get("decision_date")
    if decided is not None and decided > today:
        column = _named(columns, "decision_date")
        problems.append(
            Problem(
                field=column.wire,
                rule=Rule.FUTURE,
                message=f"{column.title}：{decided} 晚于今天 {today}",
                fix="核对决定书上的日期",
            )
        )
    starts = values.get("valid_from") or decided
    ends = values.get("valid_until")
    if starts is not None and ends is not None and ends < starts:
        column = _named(columns, "valid_until")
        problems.append(
            Problem(
                field=column.wire,
                rule=Rule.ORDER,
                message=f"{column.title}：{ends} 早于开始日期 {starts}",
                fix="核对起止日期",
            )
        )
    return problems


def _named(columns: tuple[Column, ...], name: str) -> Column:
    return next(column for column in columns if column.name == name)


#: Without these it cannot be known which decision this is.
_KEY_FIELDS = ("document_number", "authority", "decision_date")


def _refusals(
    columns: tuple[Column, ...], values: Mapping[str, Any], problems: list[Problem]
) -> list[Problem]:
    found = {problem.field: problem for problem in problems}
    refusals = []
    for name in _KEY_FIELDS:
        if name not in values:
            column = _named(columns, name)
            refusals.append(found.get(column.wire) or missing(column))
    return refusals + _subject_refusals(columns, values, found)


def _subject_refusals(
    columns: tuple[Column, ...], values: Mapping[str, Any], found: Mapping[str, Problem]
) -> list[Problem]:
    """A name alone identifies nobody; a code that fails its check identifies somebody else."""
    code, identity = _named(columns, "credit_code"), _named(columns, "identity_number")
    natural = _is_natural(values)
    if natural and "identity_number" in values:
        why = _identity_problem(values)
        if why is None:
            return []
        return [
            Problem(
                field=identity.wire,
                rule=Rule.CHECK_DIGIT,
                message=f"{identity.title}：{why}",
                fix="按身份证件核对号码",
            )
        ]
    if "credit_code" in values:
        return [found[code.wire]] if code.wire in found else []
    wanted = identity if natural else code
    return [found.get(wanted.wire) or missing(wanted)]


def _identity_problem(values: Mapping[str, Any]) -> str | None:
    kind = values.get("identity_type") or RESIDENT_IDENTITY_CARD
    if "身份证" not in kind or "外国人" in kind:
        return None
    return identity_card_problem(values["identity_number"])


def _record(kind: RecordKind, values: Mapping[str, Any]) -> Decision:
    model = AdministrativePenalty if kind is RecordKind.PENALTY else AdministrativeLicence
    return model.model_validate(values)


def _is_person(record: Decision) -> bool:
    return record.subject_category == _NATURAL and record.identity_number is not None


@cache
def _known(kind: RecordKind) -> frozenset[str]:
    return _OWN_COLUMNS | {column.wire for column in columns_of(RECORD_KINDS[kind])}


def _unknown(candidate: Candidate) -> dict[str, Any] | None:
    known = _known(candidate.kind)
    if candidate.row.keys() <= known:
        return None
    return {name: value for name, value in candidate.row.items() if name not in known}


def _verb(row: Mapping[str, Any]) -> tuple[Verb | None, list[Problem]]:
    given = row.get("verb")
    if not given or str(given) in _OWN_VERBS:
        return None, []
    if given == Verb.WITHDRAW:
        return Verb.WITHDRAW, []
    return None, [
        Problem(
            field="verb",
            rule=Rule.CODE_LIST,
            message=f"操作“{given}”不认识",
            fix="留空，或填 withdraw（撤回）",
        )
    ]


def _event_problem(event: CreditEvent) -> Problem | None:
    if event.type is None and event.item is None:
        return Problem(
            field="type", rule=Rule.REQUIRED, message="信息类型：必填项为空", fix="填 type 或 item"
        )
    if event.type in PROCESS_TYPES and event.decision is None:
        return Problem(
            field="decision",
            rule=Rule.REQUIRED,
            message=f"所依据的决定：{EventType(str(event.type)).value} 必须写明是哪个决定",
            fix="填 decision 的 kind、document_number 和 authority",
        )
    return None


def _from_pydantic(kind: RecordKind, line: Any) -> Problem:
    name = ".".join(str(part) for part in line["loc"])
    model_field = RECORD_KINDS[kind].model_fields.get(str(line["loc"][0]) if line["loc"] else "")
    title = (model_field.title if model_field else None) or name
    if line["type"] == "missing":
        return Problem(
            field=name, rule=Rule.REQUIRED, message=f"{title}：必填项为空", fix="补填该项"
        )
    if line["type"] == "extra_forbidden":
        return Problem(
            field=name,
            rule=Rule.FORMAT,
            message=f"{title}：没有这个字段",
            fix="删去，或放进 details",
        )
    words = str(line.get("ctx", {}).get("error") or "格式不对")
    return Problem(
        field=name, rule=Rule.FORMAT, message=f"{title}：{words}", fix="按接口说明填写该项"
    )


def _unique(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))
