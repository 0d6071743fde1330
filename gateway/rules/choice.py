"""Choose the text of a rule set that a person names: by name, by file, or a stored version."""

from collections.abc import Mapping
from pathlib import Path

from gateway.config.settings import ScoringSettings
from gateway.rules.files import parse_rule_set, read_text
from gateway.rules.rulebook import Rulebook
from scoring.errors import RuleSetError
from scoring.regulation.ruleset import RuleSet

#: Separates a name from the hash of a stored version: nm-2023-draft@8d3c0c9e.
VERSION_MARK = "@"
SHORTEST_HASH = 6


def chosen(name: str, settings: ScoringSettings) -> RuleSet:
    """Return a rule set by its name, or the one in a file.

    Raises:
        RuleSetError: there is none, or it cannot be used.
        BadConfiguration: a configured folder does not exist.
    """
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or "/" in name:
        return parse_rule_set(read_text(path), path.name)
    return Rulebook(settings).covered(name).rule_set


def names_a_version(name: str) -> bool:
    """Whether a name means a stored version, and not a file.

    Raises:
        RuleSetError: it does, but the hash is too short.
    """
    if VERSION_MARK not in name or Path(name).is_file():
        return False
    if len(name.partition(VERSION_MARK)[2]) < SHORTEST_HASH:
        raise RuleSetError(f"{name}：校验值至少写 {SHORTEST_HASH} 位")
    return True


def stored_version(name: str, texts: Mapping[str, str]) -> RuleSet:
    """Return the stored version that a name with the start of its hash means.

    `texts` are all stored texts by hash.

    Raises:
        RuleSetError: not exactly one version has it.
    """
    wanted, _, hash_ = name.partition(VERSION_MARK)
    kept = [parse_rule_set(text) for key, text in texts.items() if key.startswith(hash_)]
    found = [one for one in kept if one.name == wanted]
    if len(found) != 1:
        raise RuleSetError(f"{name}：数据库里有 {len(found)} 个这样的版本")
    return found[0]
