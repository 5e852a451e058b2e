"""When a delivery is tried again, and what an answer means."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant.http.exchange import Trouble
from webhooks.delivery import schedule
from webhooks.delivery.schedule import DELAYS, TRIES, Verdict, delay, judge, retry_after

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
FAILED, BUSY = Verdict("refused", "no"), Verdict("refused", "no", busy=True)
chances = st.floats(0, 1)
tries = st.integers(1, TRIES - 1)
asked = st.one_of(st.none(), st.floats(0, 1e9))


def test_the_schedule_is_that_of_standard_webhooks() -> None:
    assert DELAYS == (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
    assert sum(DELAYS) == timedelta(hours=75, minutes=35, seconds=5).total_seconds()


@pytest.mark.parametrize("chance", [0, 0.5, 1])
def test_the_last_try_is_between_75_and_91_hours_after_the_first(
    chance: float,
) -> None:
    spent = sum(delay(tries, FAILED, chance) or 0 for tries in range(1, TRIES))
    assert 75.5 * 3600 < spent <= schedule.LONGEST.total_seconds()
    assert timedelta(hours=90.8) > schedule.LONGEST


@given(tries, chances)
def test_each_delay_is_stretched_by_a_fifth_at_most(tries: int, chance: float) -> None:
    seconds = delay(tries, FAILED, chance)
    assert seconds is not None
    assert DELAYS[tries] <= seconds <= DELAYS[tries] * 1.2


@given(chances, st.integers(TRIES, 30000))
def test_after_ten_tries_there_is_none(chance: float, tries: int) -> None:
    assert delay(tries, BUSY, chance) is None


@given(tries, chances)
def test_a_busy_one_is_left_alone_for_a_minute(tries: int, chance: float) -> None:
    assert (delay(tries, BUSY, chance) or 0) >= 60


@given(tries, chances, asked, st.booleans())
def test_what_it_asks_for_is_kept_within_bounds(
    tries: int, chance: float, asked: float | None, busy: bool
) -> None:
    plain = delay(tries, Verdict("refused", "no", busy=busy), chance)
    seconds = delay(tries, Verdict("refused", "no", busy=busy, asked=asked), chance)
    assert plain is not None
    assert seconds is not None
    assert plain <= seconds <= max(plain, min(max(2 * plain, 3600), 86_400))
    if asked is not None and plain <= asked <= 3600:
        assert seconds == asked


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), None),
        ("Fri, 99 Foo 2026 99:99:99 GMT", None),
    ],
)
def test_retry_after_is_read(text: str, seconds: float | None) -> None:
    assert retry_after(text, NOW) == seconds


@given(st.text())
def test_no_retry_after_breaks_it(text: str) -> None:
    seconds = retry_after(text, NOW)
    assert seconds is None or seconds >= 0


@given(st.integers(200, 299))
def test_2xx_is_well(status: int) -> None:
    assert judge(status, {"retry-after": "5"}, None, NOW) == Verdict("ok")


@given(st.integers(300, 599))
def test_everything_else_is_a_failure_with_words(status: int) -> None:
    verdict = judge(status, {"retry-after": "5"}, None, NOW)
    assert not verdict.ok
    assert str(status) in verdict.error
    assert verdict.busy == (status in {429, 502, 503, 504})
    assert verdict.gone == (status == 410)
    assert (verdict.outcome == "redirect") == (status < 400)


def test_only_a_timeout_says_that_it_is_busy() -> None:
    for kind in ("timeout", "name", "connection", "certificate", "blocked_address"):
        verdict = judge(0, {}, Trouble(kind, "the name x is unknown"), NOW)
        assert (verdict.outcome, verdict.error) == (kind, "The name x is unknown.")
        assert verdict.busy == (kind == "timeout")


def test_a_200_that_never_ends_is_no_success() -> None:
    trouble = Trouble("timeout", "shop.example did not answer within 15 s")
    verdict = judge(200, {}, trouble, NOW)
    assert not verdict.ok
    assert "begun to answer 200 (OK)" in verdict.error


@given(st.integers(0, 600 * 3600))
def test_a_deliverys_end_does_not_move_between_tries(seconds: int) -> None:
    at = NOW + timedelta(seconds=seconds)
    end = schedule.expires(NOW, at)
    assert end >= at
    if at <= NOW + schedule.LONGEST:
        assert end == NOW + schedule.LONGEST
