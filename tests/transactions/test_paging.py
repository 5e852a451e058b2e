"""Pages that meet at their edges, whichever way one walks and however rows tie."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Connection, Member, Project
from tests.factories import make_connection, make_transaction
from transactions.models import Transaction
from transactions.paging import (
    NEWER,
    OLDER,
    Page,
    Position,
    WrongCursor,
    browse,
    count_up_to,
    take,
)
from transactions.selectors import visible_to

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection(project=project)


def _strands(owner: Member, apart: bool) -> list:
    rows = visible_to(owner)
    return [rows.filter(livemode=m) for m in (True, False)] if apart else [rows]


def _ids(page: Page) -> list:
    return [row.pk for row in page.rows]


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    moments=st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=14),
    size=st.integers(1, 5),
    apart=st.booleans(),
)
def test_walking_down_and_up_meets_every_row_once(
    owner: Member,
    connection: Connection,
    moments: list[tuple[int, bool]],
    size: int,
    apart: bool,
) -> None:
    Transaction.objects.all().delete()
    for second, live in moments:
        make_transaction(
            connection=connection,
            created=NOON + timedelta(seconds=second),
            livemode=live,
        )
    newest_first = visible_to(owner).order_by("-created", "-id")
    expected = list(newest_first.values_list("pk", flat=True))
    strands = _strands(owner, apart)

    page = take(strands, size)
    down = _ids(page)
    assert page.newer is None
    while page.older:
        page = take(strands, size, after=Position.read(page.older))
        assert page.rows and page.has_newer
        down += _ids(page)
    assert down == expected

    up = _ids(page)
    while page.newer:
        page = take(strands, size, before=Position.read(page.newer))
        assert page.rows and page.has_older
        up = _ids(page) + up
    assert up == expected
    assert count_up_to(strands).number == len(expected)


def test_a_deep_page_asks_one_query_a_strand(
    owner: Member, connection: Connection, django_assert_num_queries
) -> None:
    rows = [make_transaction(connection=connection) for _ in range(5)]
    strands = _strands(owner, apart=False)
    with django_assert_num_queries(1):
        page = take(strands, 2, after=Position(rows[4].created, rows[4].pk))
        assert page.has_older


def test_a_row_that_comes_in_between_moves_nothing(
    owner: Member, connection: Connection
) -> None:
    made = [
        make_transaction(connection=connection, created=NOON + timedelta(hours=hour))
        for hour in range(4)
    ]
    strands = _strands(owner, apart=False)
    first = take(strands, 2)
    make_transaction(connection=connection, created=NOON + timedelta(hours=9))
    second = browse(strands, {OLDER: str(first.older)}, 2)
    assert _ids(second) == [made[1].pk, made[0].pk]


def test_who_meets_the_top_sees_a_whole_first_page(
    owner: Member, connection: Connection
) -> None:
    made = [
        make_transaction(connection=connection, created=NOON + timedelta(hours=hour))
        for hour in range(4)
    ]
    strands = _strands(owner, apart=False)
    cursor = Position(made[2].created, made[2].pk).cursor()
    page = browse(strands, {NEWER: cursor}, 3)
    assert _ids(page) == [made[3].pk, made[2].pk, made[1].pk]
    assert page.newer is None and page.older


def test_a_link_beyond_the_end_leads_to_the_first_page(
    owner: Member, connection: Connection
) -> None:
    row = make_transaction(connection=connection)
    cursor = Position(row.created, row.pk).cursor()
    assert _ids(browse(_strands(owner, apart=False), {OLDER: cursor}, 3)) == [row.pk]


@pytest.mark.parametrize("cursor", ["x", "é", "AAAA", "A" * 32, "=" * 9, "A" * 5000])
def test_a_broken_cursor_is_told(owner: Member, cursor: str) -> None:
    strands = _strands(owner, apart=False)
    try:
        browse(strands, {OLDER: cursor}, 3)
    except WrongCursor as error:
        assert "broken" in str(error)
    else:
        assert cursor == "A" * 32  # spells a place before all others


def test_counting_stops_at_the_limit(owner: Member, connection: Connection) -> None:
    for live in (True, False, True):
        make_transaction(connection=connection, livemode=live)
    strands = _strands(owner, apart=True)
    assert str(count_up_to(strands, 2)) == "2+"
    assert str(count_up_to(strands, 3)) == "3"
    assert str(take(strands, 1).count_up_to(10_000)) == "3"
