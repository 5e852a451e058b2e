"""Connections that have gone quiet: unusually long is told, the usual is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from merchant.models import Connection
from merchant.queue import PERIODIC
from tests.factories import make_connection, make_inbound_event
from webhooks import jobs, silence

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def known(
    heard: timedelta | None, usual: timedelta | None, age: timedelta = 90 * DAY
) -> Connection:
    """A connection that was heard so long ago; not saved."""
    return Connection(
        heard=None if heard is None else NOW - heard,
        usual_gap=None if usual is None else int(usual.total_seconds()),
        created=NOW - age,
    )


def is_too_long(*args, **over) -> bool:  # noqa: ANN002, ANN003
    return silence.is_too_long(known(*args, **over), NOW)


# --------------------------------------------------------------------------- the rule
def test_three_times_the_longest_silence_is_usual() -> None:
    assert not is_too_long(6 * HOUR, 2 * HOUR)


def test_more_than_that_is_too_long() -> None:
    assert is_too_long(6 * HOUR + timedelta(seconds=1), 2 * HOUR)


def test_an_hour_is_never_too_long() -> None:
    assert not is_too_long(HOUR, timedelta(seconds=5))
    assert is_too_long(HOUR + timedelta(seconds=1), timedelta(seconds=5))


def test_while_little_is_known_nothing_is_unusual() -> None:
    assert not is_too_long(30 * DAY, None)


def test_one_that_never_sent_anything_is_told_after_a_day() -> None:
    assert not is_too_long(None, None, age=DAY)
    assert is_too_long(None, None, age=DAY + HOUR)


# ------------------------------------------------------------------------ what is usual
def test_few_letters_say_nothing() -> None:
    moments = [NOW - n * HOUR for n in range(silence.FEW - 1)]
    assert silence.usual_gap(moments) is None
    assert silence.usual_gap([*moments, NOW - 30 * HOUR]) == 12 * 3600


@given(st.lists(st.integers(0, 10**7), min_size=silence.FEW, max_size=60))
def test_the_longest_silence_is_the_same_in_any_order(seconds: Sequence[int]) -> None:
    moments = [NOW - timedelta(seconds=n) for n in seconds]
    ordered = sorted(seconds)
    longest = max(b - a for a, b in zip(ordered, ordered[1:], strict=False))
    assert silence.usual_gap(moments) == longest


# ------------------------------------------------------------------------------ the job
def hear(connection: Connection, *ago: timedelta) -> None:
    for each in ago:
        make_inbound_event(
            connection=connection, received=timezone.now() - each, state="done"
        )


@pytest.mark.django_db
def test_listening_notes_the_last_letter_and_the_longest_silence() -> None:
    connection = make_connection()
    hear(connection, *(n * HOUR for n in range(30, 2, -1)))
    assert jobs.listen() == 1
    connection.refresh_from_db()
    assert connection.usual_gap == pytest.approx(3600, abs=5)
    assert timezone.now() - connection.heard == pytest.approx(
        3 * HOUR, abs=timedelta(seconds=10)
    )


@pytest.mark.django_db
def test_listening_again_is_no_news() -> None:
    hear(make_connection(), HOUR)
    assert [jobs.listen(), jobs.listen()] == [1, 0]


@pytest.mark.django_db
def test_only_the_latest_letters_say_what_is_usual() -> None:
    connection = make_connection()
    hear(connection, 400 * DAY, *(n * HOUR for n in range(silence.LATEST, 0, -1)))
    jobs.listen()
    connection.refresh_from_db()
    assert connection.usual_gap < 2 * 3600


@pytest.mark.django_db
def test_what_was_known_stays_when_letters_are_thrown_away() -> None:
    connection = make_connection(heard=NOW, usual_gap=60)
    assert jobs.listen() == 0
    connection.refresh_from_db()
    assert (connection.heard, connection.usual_gap) == (NOW, 60)


@pytest.mark.django_db
def test_a_closed_connection_is_left_alone() -> None:
    connection = make_connection(closed=NOW)
    hear(connection, HOUR)
    assert jobs.listen() == 0


@pytest.mark.django_db
def test_a_connection_costs_two_queries(django_assert_num_queries) -> None:  # noqa: ANN001
    hear(make_connection(), *(n * HOUR for n in range(40)))
    with django_assert_num_queries(3):  # the connections, its letters, the note
        jobs.listen()


def test_the_sweep_listens_every_five_minutes() -> None:
    assert ("webhooks.jobs.listen", 300.0) in PERIODIC
