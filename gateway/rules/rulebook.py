"""Choose the rule set that applies to a subject, if there is one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from msgspec.structs import replace

from gateway.check.grades import BoundRuleSet
from gateway.config.errors import BadConfiguration
from gateway.config.settings import RuleSetBinding, ScoringSettings
from gateway.rules.files import LoadedRuleSet, parse_rule_set, read_text, sources
from schemas.base import today
from schemas.codes import SubjectKind
from schemas.identifiers import region
from scoring.cases.coverage import uncovered
from scoring.engine.register import kind_on
from scoring.errors import RuleSetError
from scoring.facts import Fact, Facts
from scoring.regulation.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class InForce:
    """A text that scores the subjects of a bound rule set from a day on."""

    bound: str
    from_day: date
    rule_set: RuleSet


class Rulebook:
    """The shipped and configured rule sets, and the bindings that choose among them."""

    def __init__(self, settings: ScoringSettings) -> None:
        self.settings = settings
        folders = settings.rule_set_folders
        self._sources = dict(sources("rule_sets", folders, "rule_set_folders"))
        self._loaded: dict[str, LoadedRuleSet] = {}
        self._bindings: dict[tuple[SubjectKind, str], RuleSetBinding | None] = {}
        self.activated: tuple[InForce, ...] = ()
        _check_bindings(settings.bindings, self._sources)

    @property
    def names(self) -> list[str]:
        """The names of all rule sets, sorted."""
        return sorted(self._sources)

    def load(self, name: str) -> LoadedRuleSet:
        """Return one rule set by name.

        Raises:
            BadConfiguration: there is none of that name.
            RuleSetError: it cannot be read, or its name is not that of its file.
        """
        if name not in self._sources:
            raise BadConfiguration(f"没有评价办法 {name}；现有：{'、'.join(self.names)}")
        if name not in self._loaded:
            file, beside = self._sources[name]
            content = read_text(file)
            rule_set = parse_rule_set(content, file.name)
            if rule_set.name != name:
                raise RuleSetError(
                    f"{file.name} 里的 name 是 {rule_set.name}；文件名与 name 应相同"
                )
            self._loaded[name] = LoadedRuleSet(content, rule_set, beside)
        return self._loaded[name]

    def grade_words(self, name: str) -> Mapping[str, str] | None:
        """Return the words for the grades of a rule set: name, title and colour; None if unknown.

        A province may send 黄 for 警示.
        """
        return _grade_words(self.load(name).rule_set) if name in self._sources else None

    def bound_to(self, code: str, day: date) -> list[BoundRuleSet]:
        """Return what is bound to the region of a code on a day, for any kind of subject.

        The kind is known only with the register, when the subject is scored.
        """
        digits = region(code)
        bindings = [one for one in self.settings.bindings if digits.startswith(one.regions)]
        texts = [(binding, self.in_force(binding.rule_set, day)) for binding in bindings]
        return [_bound(binding, text) for binding, text in texts if text.is_effective(day)]

    def takes_grade(self, name: str, kind: SubjectKind, code: str, day: date) -> bool:
        """Whether a grade that was computed elsewhere by a rule set replaces our own on a day.

        One by a text before that in force stands until there is another. Where nothing is bound,
        or nothing that is effective, there is none of our own.
        """
        rule_set = self.choose(kind, code, day)
        if rule_set is None:
            return True
        table = rule_set.table(kind)
        receives = table is not None and table.received_grades is not None
        return receives and self.is_bound(name, kind, code)

    def is_bound(self, name: str, kind: SubjectKind, code: str) -> bool:
        """Whether a rule set is that of a subject, or was before another text was activated."""
        binding = self.binding(kind, code)
        if binding is None:
            return False
        texts = (one for one in self.activated if one.bound == binding.rule_set)
        return name in {binding.rule_set, *(one.rule_set.name for one in texts)}

    def covered(self, name: str) -> LoadedRuleSet:
        """Return one rule set by name; its cases must cover every item before it is used.

        Raises:
            RuleSetError: an item has no case.
        """
        loaded = self.load(name)
        missing = uncovered(loaded.rule_set, loaded.case_file)
        if missing:
            raise RuleSetError(f"{name}：没有用例：{'、'.join(missing)}")
        return loaded

    @property
    def bound_names(self) -> list[str]:
        """The names of the rule sets in the bindings, each once."""
        return list(dict.fromkeys(binding.rule_set for binding in self.settings.bindings))

    def bound(self) -> list[LoadedRuleSet]:
        """Return the rule sets in the bindings."""
        return [self.load(name) for name in self.bound_names]

    def put_in_force(self, in_force: Iterable["InForce"]) -> None:
        """Set the activated texts, which replace those of the files; the latest day first."""
        self.activated = tuple(in_force)

    def subject(
        self,
        code: str,
        stored: Iterable[Fact],
        day: date,
        *,
        person: bool,
        criminal_suspect: bool = False,
    ) -> Facts:
        """Return a subject with its kind on a day: that of the register, if it has an entry.

        Without one, a person is an individual, and everybody else an enterprise.
        """
        kind = SubjectKind.INDIVIDUAL if person else SubjectKind.ENTERPRISE
        facts = Facts(code, kind, tuple(stored), None, criminal_suspect)
        kind = kind_on(facts, day)
        binding = self.binding(kind, code)
        if binding is not None and binding.participants_only:
            return replace(facts, kind=kind, participants_only=True)
        return facts if kind is facts.kind else replace(facts, kind=kind)

    def binding(self, kind: SubjectKind, code: str) -> RuleSetBinding | None:
        """Return the binding of a subject, or None."""
        key = (kind, region(code))
        if key not in self._bindings:
            bindings = self.settings.bindings
            self._bindings[key] = next((one for one in bindings if _matches(one, *key)), None)
        return self._bindings[key]

    def choose(self, kind: SubjectKind, code: str, day: date) -> RuleSet | None:
        """Return the rule set in force for a subject on a day.

        None if no binding matches, or if the rule set is not effective on that day.
        """
        binding = self.binding(kind, code)
        if binding is None:
            return None
        rule_set = self.in_force(binding.rule_set, day)
        return rule_set if rule_set.is_effective(day) else None

    def in_force(self, bound: str, day: date) -> RuleSet:
        """Return the text of a bound rule set on a day: the last activated, else the file's."""
        for one in self.activated:
            if one.bound == bound and one.from_day <= day:
                return one.rule_set
        return self.load(bound).rule_set

    def scoring_day(self, now: datetime) -> date:
        """Return the day as of which is scored now: none before that of a text in force.

        A host whose clock is behind would score by the text before.
        """
        return max([today(now), *(one.from_day for one in self.activated)])

    def expects_none(self, code: str) -> bool:
        """Whether the region is configured as not scored, so that no alert is needed."""
        return region(code).startswith(self.settings.not_scored or ("\0",))


def _bound(binding: RuleSetBinding, rule_set: RuleSet) -> BoundRuleSet:
    tables = [table for kind in binding.kinds if (table := rule_set.table(kind)) is not None]
    return BoundRuleSet(
        names=tuple(dict.fromkeys((binding.rule_set, rule_set.name))),
        title=rule_set.title,
        receives=any(table.received_grades is not None for table in tables),
        words=_grade_words(rule_set),
    )


def _grade_words(rule_set: RuleSet) -> Mapping[str, str]:
    bands = [band for table in rule_set.tables.values() for band in table.bands]
    words = {word: band.grade for band in bands for word in (band.title, band.colour) if word}
    return words | {band.grade: band.grade for band in bands}


def _matches(binding: RuleSetBinding, kind: SubjectKind, digits: str) -> bool:
    return kind in binding.kinds and digits.startswith(binding.regions)


def _check_bindings(bindings: tuple[RuleSetBinding, ...], known: Mapping[str, Any]) -> None:
    """Raise BadConfiguration if two bindings match the same subject, or one names no rule set."""
    for index, binding in enumerate(bindings):
        if binding.rule_set not in known:
            raise BadConfiguration(
                f"scoring.bindings：没有评价办法 {binding.rule_set}；现有：{'、'.join(known)}"
            )
        for other in bindings[:index]:
            if binding.kinds & other.kinds and _overlap(binding.regions, other.regions):
                raise BadConfiguration(
                    f"scoring.bindings：{binding.rule_set} 与 {other.rule_set} 对应同样的对象；"
                    "改 kinds 或 regions"
                )


def _overlap(some: tuple[str, ...], others: tuple[str, ...]) -> bool:
    return any(a.startswith(b) or b.startswith(a) for a in some for b in others)
