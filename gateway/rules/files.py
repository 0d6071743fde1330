"""Find and read rule set files; the version is the hash of the text."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from gateway.config.errors import BadConfiguration
from gateway.config.yaml_text import parse_yaml
from scoring.cases.rule_set_cases import Case, CaseFile
from scoring.errors import RuleSetError
from scoring.regulation.ruleset import RuleSet

CASES_SUFFIX = ".cases.yaml"


@dataclass(frozen=True, slots=True)
class LoadedRuleSet:
    """A rule set with its text; its cases are read when needed."""

    content: str
    rule_set: RuleSet
    beside: Traversable  #: its case file

    @property
    def case_file(self) -> CaseFile:
        """Its cases; raises RuleSetError if they cannot be read."""
        return _case_file(read_text(self.beside), self.beside.name)

    @property
    def cases(self) -> tuple[Case, ...]:
        """The cases to run."""
        return self.case_file.cases


@lru_cache(maxsize=32)
def _case_file(content: str, name: str) -> CaseFile:
    """Read cases; cached, because the YAML of many cases takes a quarter of a second."""
    return CaseFile.load(parse_yaml(content, name, RuleSetError))


@lru_cache(maxsize=32)
def parse_rule_set(content: str, name: str = "评价办法") -> RuleSet:
    """Read a rule set from its text; `name` is for error messages."""
    data = parse_yaml(content, name, RuleSetError)
    return RuleSet.load(data, hashlib.sha256(content.encode()).hexdigest())


def read_text(file: Traversable | Path) -> str:
    """Return the text of a rule set or policy; raises RuleSetError with the file and the fix."""
    try:
        return file.read_text("utf-8")
    except FileNotFoundError as error:
        raise RuleSetError(f"没有文件 {file}：评价办法和用例要成对放在一起") from error
    except (OSError, UnicodeDecodeError) as error:
        raise RuleSetError(f"{file} 读不出来，应为 UTF-8 编码：{error}") from error


def sources(
    shipped: str, folders: Iterable[Path], setting: str
) -> Iterable[tuple[str, tuple[Traversable, Traversable]]]:
    """Yield (name, (file, case file)) of rule sets or policies: shipped ones, then the folders'.

    Raises:
        BadConfiguration: a configured folder does not exist.
    """
    for folder in (files("scoring") / shipped, *folders):
        if not folder.is_dir():
            raise BadConfiguration(f"scoring.{setting}：没有目录 {folder}")
        for file in sorted(folder.iterdir(), key=lambda one: one.name):
            if file.name.endswith(".yaml") and not file.name.endswith(CASES_SUFFIX):
                name = file.name.removesuffix(".yaml")
                yield name, (file, folder / f"{name}{CASES_SUFFIX}")
