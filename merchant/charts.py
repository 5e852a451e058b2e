"""Bars of a chart in percent of its box: geometry only, no database and no words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

#: Lines above the ground line: so many at most.
MOST_TICKS = 4
#: Labels under a wide chart; a narrow one shows every second of them.
MOST_LABELS = 12
#: Of a bar's place, what the bar itself takes.
FILLED = 0.72
#: Round steps of an axis, in tenths of its power of ten.
STEPS = (10, 20, 25, 50)
#: Numbers of bars between two labels: days of a week and hours of a day come out even.
STRIDES = (1, 2, 3, 4, 6, 7, 14, 28)


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a bar stands, as numbers for SVG attributes: "12.5%" of width or height."""

    x: str
    y: str
    width: str
    height: str
    place: str  # where everything that belongs to the bar begins
    whole: str  # and how wide that is
    value: int


@dataclass(frozen=True, slots=True)
class Label:
    """What stands under a bar; `every_second` says which a narrow chart leaves out."""

    x: str
    words: str
    anchor: str
    every_second: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """`ticks` are the values of the lines from the top down to 0, `lines` their y."""

    bars: list[Bar]
    labels: list[Label]
    ticks: list[int]
    lines: list[str]

    @property
    def is_empty(self) -> bool:
        return all(bar.value <= 0 for bar in self.bars)


def bars(values: Sequence[int], words: Sequence[str], unit: int = 1) -> Chart:
    """A chart of bars. `unit`: the axis counts in whole multiples of it, so that money
    without cents has lines without cents."""
    return layers([values], words, unit)[0]


def layers(
    several: Sequence[Sequence[int]], words: Sequence[str], unit: int = 1
) -> list[Chart]:
    """Charts that stand in one box on one axis, the first one behind.

    All have as many values as there are words. Where each is a part of the one behind
    it, they read as a stack.
    """
    top = ticks(max((max(values, default=0) for values in several), default=0), unit)
    lines = [percent(100 - 100 * value / top[0]) for value in top]
    return [
        Chart(_drawn(values, top[0]), labels(words), top, lines) for values in several
    ]


def share(part: float, whole: float) -> str:
    """How much of a width something takes: "12.5%"; nothing of nothing."""
    return percent(100 * min(max(part, 0), whole) / whole if whole > 0 else 0)


def _drawn(values: Sequence[int], top: int) -> list[Bar]:
    place = 100 / max(len(values), 1)
    return [
        Bar(
            x=percent((at + (1 - FILLED) / 2) * place),
            y=percent(100 - 100 * max(value, 0) / top),
            width=percent(FILLED * place),
            height=percent(100 * max(value, 0) / top),
            place=percent(at * place),
            whole=percent(place),
            value=value,
        )
        for at, value in enumerate(values)
    ]


def ticks(most: int, unit: int = 1) -> list[int]:
    """Values of an axis that holds `most`: from its top down to 0, evenly spaced."""
    unit = max(unit, 1)
    units = max(-(-most // unit), 1)
    step = next(s for s in _round_steps() if units <= s * MOST_TICKS)
    count = -(-units // step)
    return [n * step * unit for n in range(count, -1, -1)]


def labels(words: Sequence[str]) -> list[Label]:
    """So many of the words, evenly spaced, that none touches the next."""
    count = len(words)
    stride = next((n for n in STRIDES if n * MOST_LABELS >= count), count)
    shown = range(0, count, stride)
    return [
        _label(words[at], at, count, every_second=bool(number % 2))
        for number, at in enumerate(shown)
    ]


def _label(words: str, at: int, count: int, *, every_second: bool) -> Label:
    """Under the middle of its bar; at the rim, where it would be cut off, along it."""
    middle = 100 * (at + 0.5) / count
    if middle < 4:
        return Label(percent(100 * at / count), words, "start", every_second)
    if middle > 96:
        return Label(percent(100 * (at + 1) / count), words, "end", every_second)
    return Label(percent(middle), words, "middle", every_second)


def _round_steps() -> Iterator[int]:
    """1, 2, 5, 10, 20, 25, 50, 100, ..."""
    power = 1
    while True:
        for step in STEPS:
            if (step * power) % 10 == 0:
                yield step * power // 10
        power *= 10


def percent(value: float) -> str:
    """For an SVG attribute, whatever the language of the page."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"
