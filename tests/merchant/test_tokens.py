"""The colours can be read: their contrast is computed again from the style sheet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SHEET = (ROOT / "static" / "css" / "tokens.css").read_text()
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", SHEET
    )
}
GROUNDS = ("canvas", "surface", "sunken", "hover", "selected")
TEXT, GRAPHIC = 4.5, 3.0

#: (foreground, background, least ratio)
PAIRS = [
    *((ink, ground, TEXT) for ink in ("text", "muted", "accent") for ground in GROUNDS),
    *(("control", ground, GRAPHIC) for ground in GROUNDS),
    *((tone, f"{tone}-bg", TEXT) for tone in ("ok", "warn", "bad", "info", "idle")),
    *((tone, "surface", TEXT) for tone in ("warn", "bad")),
    ("on-accent", "accent", TEXT),
    ("on-accent", "accent-hover", TEXT),
    ("on-accent", "danger", TEXT),
    ("surface", "text", TEXT),
    *((f"series-{number}", "surface", GRAPHIC) for number in (1, 2, 3, 4)),
]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground", "least"), PAIRS)
def test_a_pair_of_colours_can_be_told_apart(
    ink: str, ground: str, least: float, scheme: int
) -> None:
    assert contrast(COLOURS[ink][scheme], COLOURS[ground][scheme]) >= least


def test_black_on_white_is_twenty_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_no_other_sheet_names_a_colour() -> None:
    others = [
        p for p in (ROOT / "static" / "css").glob("*.css") if p.name != "tokens.css"
    ]
    assert not [
        p.name for p in others if re.search(r"#[0-9a-f]{3,8}\b|rgb\(", p.read_text())
    ]
