"""Bars in percent of their box: geometry that no database is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant import charts

VALUES = st.lists(st.integers(0, 10**12), min_size=1, max_size=100)


def number(percent: str) -> float:
    assert percent.endswith("%")
    return float(percent[:-1])


def words(count: int) -> list[str]:
    return [str(at) for at in range(count)]


@given(VALUES)
def test_bars_stand_side_by_side_within_the_box(values: list[int]) -> None:
    drawn = charts.bars(values, words(len(values)))
    ends = [number(bar.x) + number(bar.width) for bar in drawn.bars]
    starts = [number(bar.x) for bar in drawn.bars]
    assert starts[0] >= 0 and ends[-1] <= 100
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))


@given(VALUES)
def test_a_bar_stands_on_the_ground(values: list[int]) -> None:
    for bar in charts.bars(values, words(len(values))).bars:
        assert number(bar.y) + number(bar.height) == pytest.approx(100, abs=0.02)


@given(VALUES)
def test_bars_are_as_high_as_their_values(values: list[int]) -> None:
    drawn = charts.bars(values, words(len(values)))
    top = drawn.ticks[0]
    for bar in drawn.bars:
        assert number(bar.height) == pytest.approx(100 * bar.value / top, abs=0.01)


@given(st.integers(0, 10**15), st.sampled_from([1, 100, 1000]))
def test_an_axis_holds_its_values_evenly(most: int, unit: int) -> None:
    found = charts.ticks(most, unit)
    steps = {above - below for above, below in zip(found, found[1:], strict=False)}
    assert found[0] >= most and found[-1] == 0
    assert len(steps) == 1 and steps.pop() % unit == 0
    assert 2 <= len(found) <= charts.MOST_TICKS + 1


@given(st.integers(1, 10**15))
def test_an_axis_is_not_mostly_empty(most: int) -> None:
    assert charts.ticks(most)[0] <= max(2 * most, 4)


def test_axes_have_round_numbers() -> None:
    assert charts.ticks(285_600, 100) == [300_000, 200_000, 100_000, 0]
    assert charts.ticks(7) == [8, 6, 4, 2, 0]


def test_nothing_still_has_an_axis() -> None:
    drawn = charts.bars([0, 0], ["a", "b"], unit=100)
    assert drawn.is_empty
    assert drawn.ticks == [100, 0]
    assert drawn.lines == ["0%", "100%"]


def test_no_values_at_all_are_no_fault() -> None:
    assert charts.bars([], []).bars == []


def test_less_than_nothing_has_no_height() -> None:
    bar = charts.bars([-5, 10], ["a", "b"]).bars[0]
    assert (bar.height, bar.y) == ("0%", "100%")


@given(st.integers(1, 400))
def test_labels_are_few_and_evenly_spaced(count: int) -> None:
    found = charts.labels(words(count))
    places = [int(label.words) for label in found]
    assert len(found) <= max(charts.MOST_LABELS, -(-count // charts.STRIDES[-1]))
    assert len({b - a for a, b in zip(places, places[1:], strict=False)}) <= 1


def test_a_narrow_chart_leaves_every_second_label_out() -> None:
    assert [label.every_second for label in charts.labels(words(4))] == [
        False, True, False, True,
    ]  # fmt: skip


def test_labels_at_the_rim_do_not_reach_out() -> None:
    found = charts.labels(words(25))
    assert (found[0].anchor, found[0].x) == ("start", "0%")
    assert (found[-1].anchor, found[-1].x) == ("end", "100%")
    assert found[4].anchor == "middle"
