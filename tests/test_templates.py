"""Templates keep to the house's rules: nothing inline, nothing from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))

#: What must not stand in a template -> why.
FORBIDDEN = {
    r"\sstyle\s*=": "a style attribute is blocked by the content security policy",
    r"<style\b": "styles live in static/css",
    r"<script(?![^>]*\bsrc=)": "scripts live in static/js",
    r"\son[a-z]+\s*=": "handlers live in static/js",
    r"\bhx-on\b|\bhx-vars\b|js:": "htmx would have to evaluate text",
    r"\|\s*safe\b|autoescape\s+off": "text from outside stays escaped",
    r"(?:src|href|action)\s*=\s*[\"']?(?:https?:)?//": "nothing comes from elsewhere",
}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_template_holds_nothing_inline_and_nothing_foreign(path: Path) -> None:
    text = path.read_text()
    found = [why for pattern, why in FORBIDDEN.items() if re.search(pattern, text)]
    assert not found


@pytest.mark.parametrize("path", STYLES, ids=lambda p: p.name)
def test_a_style_sheet_loads_nothing(path: Path) -> None:
    assert not re.search(r"@import|url\(", path.read_text())


def test_the_script_stays_small() -> None:
    lines = (ROOT / "static" / "js" / "app.js").read_text().splitlines()
    assert len(lines) <= 250


def test_a_partial_never_extends() -> None:
    partials = [path for path in TEMPLATES if path.name.startswith("_")]
    assert not [path for path in partials if "{% extends" in path.read_text()]
