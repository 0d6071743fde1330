"""The CHANGELOG, and what documentation may cite."""

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Pages that a reader of the repository cannot open.
ELSEWHERE = re.compile(r"\b(?:DOMAIN|DESIGN|STYLE|LAYOUT)(?:\.md| \d)")
FOLDERS = ("gateway", "connectors", "schemas", "scoring", "tests")


def test_no_bullet_of_the_changelog_stands_twice() -> None:
    lines = (ROOT / "CHANGELOG.md").read_text().splitlines()
    bullets = Counter(line for line in lines if line.startswith("- "))

    # Known limits may hold for several versions.
    assert [line for line, times in bullets.items() if times > 2] == []
    limits = {line for part in _parts("Known limits") for line in part}
    assert [line for line, times in bullets.items() if times > 1 and line not in limits] == []


def test_nothing_cites_a_page_that_is_not_in_the_repository() -> None:
    pages = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    pages += list(ROOT.glob("*.md"))
    cited = [
        f"{page.relative_to(ROOT)}: {line.strip()[:80]}"
        for page in pages
        if page != Path(__file__)
        for line in page.read_text().splitlines()
        if ELSEWHERE.search(line)
    ]

    assert cited == []


def _parts(heading: str) -> list[list[str]]:
    texts = (ROOT / "CHANGELOG.md").read_text().split(f"### {heading}\n")[1:]
    return [text.split("\n#")[0].splitlines() for text in texts]
