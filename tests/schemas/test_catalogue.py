"""The catalogue of kinds changes when a configuration is read: nobody may keep what it was."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    file
    for package in ("schemas", "scoring", "connectors", "gateway")
    for file in (ROOT / package).rglob("*.py")
    if file.name != "kinds.py" and "from schemas.kinds import KINDS" in file.read_text("utf-8")
)
CACHES = {"cache", "lru_cache", "functools.cache", "functools.lru_cache"}


def uses_the_catalogue(node: ast.AST) -> bool:
    names = (one.id for one in ast.walk(node) if isinstance(one, ast.Name))
    return "KINDS" in names


@pytest.mark.parametrize("module", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_nothing_is_taken_from_the_catalogue_at_import(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))

    kept = [
        ast.unparse(one)
        for one in tree.body
        if isinstance(one, ast.Assign | ast.AnnAssign) and uses_the_catalogue(one)
    ]
    defaults = [
        ast.unparse(default)
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        for default in (*one.args.defaults, *one.args.kw_defaults)
        if default is not None and uses_the_catalogue(default)
    ]

    assert kept + defaults == []


@pytest.mark.parametrize("module", MODULES, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_is_cached_of_the_catalogue_is_emptied_with_it(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))

    stale = [
        one.name
        for one in ast.walk(tree)
        if isinstance(one, ast.FunctionDef) and uses_the_catalogue(ast.Module(one.body, []))
        for decorator in one.decorator_list
        if ast.unparse(decorator).partition("(")[0] in CACHES
    ]

    assert stale == []
