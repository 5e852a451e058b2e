"""Imports point down: transactions -> webhooks -> merchant, and never hide."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["merchant", "webhooks", "transactions"]  # each may use those before it
FILES = sorted(path for app in FLOORS for path in (ROOT / app).rglob("*.py"))


def _imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"line {node.lineno}: a relative import"
            yield node, node.module or ""


def _app(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    below = FLOORS[: FLOORS.index(own) + 1]
    tree = ast.parse(path.read_text())
    used = {_app(name) for _, name in _imports(tree)} & {*FLOORS, "tests", "bench"}
    assert used <= {*below}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_import_of_another_app_hides_in_a_function(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    hidden = [
        f"line {node.lineno}: {name}"
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, functions)
        for node, name in _imports(function)
        if _app(name) in FLOORS and _app(name) != own
    ]
    assert not hidden


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "merchant" / "providers").rglob("*.py")),
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_a_provider_knows_no_database_and_no_settings(path: Path) -> None:
    allowed = {"merchant.providers", "merchant.money", "merchant.strict_json"}
    for node, name in _imports(ast.parse(path.read_text())):
        names = [name]
        if isinstance(node, ast.ImportFrom) and name == "merchant":
            names = [f"merchant.{alias.name}" for alias in node.names]
        for full in names:
            assert _app(full) != "django", f"line {node.lineno}"
            if _app(full) == "merchant":
                floor = ".".join(full.split(".")[:2])
                assert floor in allowed, f"line {node.lineno}: {full}"


def test_no_drawer_is_called_utils() -> None:
    bad = {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert not [path for path in FILES if path.name in bad]
