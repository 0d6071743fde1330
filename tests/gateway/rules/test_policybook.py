"""Policies of an installation stand in for the shipped ones."""

from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.config.errors import BadConfiguration
from gateway.config.settings import ScoringSettings
from gateway.rules.policybook import Policybook
from scoring.consequences.publicity import Penalised, publicity
from scoring.errors import RuleSetError

WARNING = Penalised(date(2026, 10, 9), ("警告",))


def write_order(folder: Path, old: str, new: str) -> Path:
    """Write the shipped Order 36 with another text, and its cases as they are."""
    shipped = files("scoring") / "publicity_policies"
    text = (shipped / "order-36.yaml").read_text("utf-8")
    assert old in text
    (folder / "order-36.yaml").write_text(text.replace(old, new, 1), "utf-8")
    cases = (shipped / "order-36.cases.yaml").read_text("utf-8")
    (folder / "order-36.cases.yaml").write_text(cases, "utf-8")
    return folder


def test_a_policy_of_a_folder_replaces_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    minor = '  - severity: minor\n    published: "no"\n'
    months = "    published: may\n    at_least_months: 0\n    at_most_months: 3\n"
    folder = write_order(tmp_path, minor, f"  - severity: minor\n{months}")

    shipped = publicity(Policybook(ScoringSettings()).regimes, WARNING)
    book = Policybook(ScoringSettings(publicity_folders=(folder,)))
    own = publicity(book.regimes, WARNING)

    assert shipped is not None
    assert shipped.published == "no"
    assert own is not None
    assert (own.policy.name, own.published, own.at_most_until) == (
        "order-36",
        "may",
        date(2027, 1, 10),
    )
    assert [run.name for run in book.run_cases() if run.mismatches] == ["order-36"]


def test_the_regimes_with_one_of_a_folder_leave_no_day_out(tmp_path: Path) -> None:
    folder = write_order(tmp_path, "decided_from: 2026-04-01", "decided_from: 2026-05-01")
    cases = folder / "order-36.cases.yaml"
    cases.write_text(cases.read_text("utf-8").replace("2026-04-01", "2026-05-01"), "utf-8")

    with pytest.raises(RuleSetError, match="guoban-2025-22 与 order-36"):
        _ = Policybook(ScoringSettings(publicity_folders=(folder,))).regimes


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    book = Policybook(ScoringSettings(publicity_folders=(tmp_path / "gone",)))

    with pytest.raises(BadConfiguration, match=r"scoring\.publicity_folders：没有目录"):
        _ = book.regimes
