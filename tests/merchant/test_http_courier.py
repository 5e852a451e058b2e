"""Calls from a thread of their own: so many at once to each lane; what comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from merchant.http import Courier, Ended, Many, Post, courier
from tests.merchant.canary import Behaviour, canary, hangs, page
from tests.merchant.test_http import private  # noqa: F401


@pytest.fixture
def walker() -> Iterator[Courier]:
    found = Courier(at_once=2)
    yield found
    found.close()


def post(url: str, tag: Any, lane: Any = "lane", **more: Any) -> Post:
    return Post(tag, url, {}, b"{}", lane, **more)


def all_of(walker: Courier) -> list[Ended]:
    over: list[Ended] = []
    while len(walker):
        over.extend(walker.ended(1))
    return over


class Counting:
    """Answers after a moment, and knows how many it had at the same time."""

    def __init__(self, answer: Behaviour) -> None:
        self.answer, self.now, self.most = answer, 0, 0
        self.lock = threading.Lock()

    def __call__(self, link: Any) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        time.sleep(0.02)
        with suppress(OSError):
            self.answer(link)
        with self.lock:
            self.now -= 1


def test_a_lane_has_so_many_at_once_and_keeps_its_order(walker: Courier) -> None:
    behave = Counting(page())
    with canary(behave) as bird:
        for number in range(8):
            walker.begin(post(bird.url(), number))
        over = all_of(walker)
    assert behave.most == 2
    assert [ended.answer.status for ended in over] == [200] * 8
    tags = [ended.tag for ended in over]
    assert all(abs(tag - place) < 2 for place, tag in enumerate(tags))


def test_lanes_do_not_wait_for_each_other(walker: Courier) -> None:
    with canary(hangs) as dead, canary(page()) as bird:
        for number in range(3):
            walker.begin(post(dead.url(), f"dead {number}", "dead", timeout=0.8))
            walker.begin(post(bird.url(), number, "well"))
        over = all_of(walker)
    assert [ended.tag for ended in over[:3]] == [0, 1, 2]
    assert sum(not ended.begun for ended in over) == 1


def test_what_waits_comes_back_when_a_lane_is_in_trouble(walker: Courier) -> None:
    with canary(Counting(page(b"", "503 Busy"))) as bird:
        for number in range(10):
            walker.begin(post(bird.url(), number))
        over = all_of(walker)
        assert bird.hits == 2
    assert sorted(ended.tag for ended in over) == list(range(10))
    assert sum(ended.begun for ended in over) == 2


def test_what_waits_for_too_long_comes_back(
    walker: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "LONGEST_WAIT", 0.01)
    with canary(Counting(page())) as bird:
        for number in range(6):
            walker.begin(post(bird.url(), number))
        begun = [ended.begun for ended in all_of(walker)]
    assert begun.count(True) < 6


def test_a_header_that_cannot_be_sent_is_told_at_once(walker: Courier) -> None:
    with pytest.raises(ValueError, match="X-A"):
        walker.begin(Post(1, "http://127.0.0.1:1/", {"X-A": "a\r\nHost: evil"}, b""))
    assert len(walker) == 0


def test_one_that_cannot_be_begun_ends_alone(
    walker: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Many.begin

    def begin(self: Many, post: Post, lines: Any = None) -> None:
        if post.tag == "bad":
            raise RuntimeError
        real(self, post, lines)

    monkeypatch.setattr(Many, "begin", begin)
    with canary(page()) as bird:
        walker.begin(post(bird.url(), "bad", 1))
        walker.begin(post(bird.url(), "good", 2))
        over = {ended.tag: ended for ended in all_of(walker)}
    assert over["good"].is_well
    trouble = over["bad"].trouble
    assert trouble is not None
    assert (trouble.kind, "RuntimeError" in trouble.words) == ("connection", True)


def test_what_breaks_the_thread_is_raised_where_it_is_waited_for(
    walker: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Many, "begin", die)
    walker.begin(post("http://127.0.0.1:1/", 1))
    with pytest.raises(KeyboardInterrupt):
        all_of(walker)
    assert not walker.is_alive()
