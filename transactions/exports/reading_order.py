"""Text in the order in which it is drawn: Arabic joined, Arabic and Hebrew turned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from arabic_reshaper import ArabicReshaper
from bidi import get_display

RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff]")

#: Characters that face each other, with a pair that stands for them while we look at
#: where they get to: brackets keep together what they hold, quotation marks do not.
_BRACKETS, _QUOTES = ("()[]{}⟨⟩", "⦃⦄"), ("«»‹›<>", "≪≫")
_FACES = {
    left: (right, stand_in)
    for faces, stand_in in (_BRACKETS, _QUOTES)
    for left, right in zip(faces[::2], faces[1::2], strict=True)
}
_TURNED = {
    character: other
    for left, (right, _) in _FACES.items()
    for character, other in ((left, right), (right, left))
}
#: Nobody is called by more of them.
_MOST_PAIRS = 20


def drawn(text: str) -> str:
    """The text in the order in which it is drawn; as it is where nothing runs from
    right to left."""
    if not RTL.search(text):
        return text
    if _ARABIC.search(text):
        text = _reshaper().reshape(text)
    shown = list(get_display(text))
    for place in _turned(text):
        shown[place] = _TURNED[shown[place]]
    return "".join(shown)


@cache
def _reshaper() -> ArabicReshaper:
    return ArabicReshaper({"delete_harakat": False, "support_ligatures": True})


def _turned(text: str) -> Iterator[int]:
    """Where, in the order of drawing, characters stand that face the other way.

    The library puts everything in its place but turns nothing round. A pair of which
    the right one comes to stand left lies in what runs from right to left.
    """
    for start, end, stand_in in _pairs(text):
        left, right = stand_in[0], stand_in[1]
        marked = f"{text[:start]}{left}{text[start + 1 : end]}{right}{text[end + 1 :]}"
        shown = get_display(marked)
        at = shown.find(left), shown.find(right)
        if at[1] < at[0]:
            yield from at


def _pairs(text: str) -> list[tuple[int, int, str]]:
    """(place of the left, of the right, what can stand for them) of what faces."""
    found: list[tuple[int, int, str]] = []
    opened: list[tuple[int, str]] = []
    for at, character in enumerate(text):
        if character in _FACES:
            opened.append((at, character))
        elif character in _TURNED:
            matching = [o for o in opened if _FACES[o[1]][0] == character]
            if matching:
                start, left = matching[-1]
                del opened[opened.index(matching[-1]) :]
                found.append((start, at, _FACES[left][1]))
    stand_ins = {character for _, pair in _FACES.values() for character in pair}
    return [] if stand_ins & set(text) else found[:_MOST_PAIRS]
