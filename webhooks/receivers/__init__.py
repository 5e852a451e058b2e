"""Handlers to copy: whole small programs that check, take once and answer.

They are files beside this one, and a test runs each that finds its interpreter.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent

#: File of this folder -> the name it is saved under, where it cannot keep its own.
_RENAMED = {"stripe.py": "stripe_events.py"}
_LANGUAGES = {
    ".py": "Python",
    ".mjs": "Node",
    ".php": "PHP",
    ".go": "Go",
    ".java": "Java",
}
_FILES = {
    "standard": ("standard.py", "standard.mjs", "standard.php", "standard.go"),
    "stripe": ("stripe.py",),
    "paysuper": ("paysuper.py",),
    "paynow": ("paynow.mjs",),
    "paysecure": ("paysecure.java",),
}


class Receiver(NamedTuple):
    """A program that receives letters of a dialect. `file`: what to save it as."""

    language: str
    file: str
    text: str


def _read(name: str) -> Receiver:
    text = (_FOLDER / name).read_text(encoding="utf-8")
    language = _LANGUAGES[Path(name).suffix]
    return Receiver(language, _RENAMED.get(name, name), text)


#: Dialect -> its receivers, the first one shown first.
RECEIVERS: dict[str, list[Receiver]] = {
    dialect: [_read(name) for name in names] for dialect, names in _FILES.items()
}
