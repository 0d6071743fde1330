"""The page of the seeds names every article, and nothing that does not exist."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "scoring" / "ARTICLES.md"
STATES = {"done", "partly", "not", "-"}
#: Each text by the beginning of its title, and its articles.
TEXTS = {
    "内蒙古": [*map(str, range(1, 37)), *(f"附件{n}" for n in range(1, 6))],
    "郑环办": [f"任务{n}" for n in range(1, 14)],
    "无锡市": [f"三、{n}" for n in range(1, 7)],
    "连环发": [f"二（{n}）" for n in "一二三四五"],
    "新乡市": ["一", *(f"二（{n}）" for n in "一二三四"), *(f"三（{n}）" for n in "一二三")],
}


def rows() -> dict[str, list[list[str]]]:
    found = defaultdict(list)
    title = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            title = line[3:6]
        elif line.startswith("| ") and not line.startswith("| Article"):
            found[title].append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def known_words() -> set[str]:
    """Return the words of the texts of rules, of the example of settings, and of the codes."""
    files = [*Path(ROOT, "scoring").rglob("*.yaml"), ROOT / "gateway.example.yaml"]
    files += [ROOT / "schemas" / "codes.py", ROOT / "schemas" / "event.py"]
    files.append(ROOT / "schemas" / "participant.py")
    return {word for file in files for word in re.findall(r"[\w-]+", file.read_text())}


@pytest.mark.parametrize("title", TEXTS)
def test_every_article_stands_once_with_its_state(title: str) -> None:
    articles, _, states, where = zip(*rows()[title], strict=True)

    assert list(articles) == TEXTS[title]
    assert STATES.issuperset(states)
    assert all(
        told for told, state in zip(where, states, strict=True) if state in {"partly", "not"}
    )


def test_what_the_page_names_exists() -> None:
    words = known_words()

    named = re.findall(r"`([^`]+)`", PAGE.read_text())

    assert len(named) > 100
    assert [one for one in named if one not in words and not (ROOT / one).exists()] == []
