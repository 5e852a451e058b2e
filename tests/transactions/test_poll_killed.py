"""A worker that dies while it asks a provider: what it missed is asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchant.models import Connection, Project
from merchant.providers import PROVIDERS
from merchant.providers.base import Fact, Unreachable
from tests.factories import make_connection
from tests.transactions.staff import payment
from transactions import poll
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

PAID = timezone.now()


class Killed(BaseException):
    """No `except Exception` sees it, as none sees kill -9."""


class Provider:
    """Has two pages of purchases; dies, or is away, after so many of them."""

    def __init__(self) -> None:
        self.asked: list[tuple[datetime, datetime]] = []
        self.ends: BaseException | None = None

    def poll(
        self, since: datetime, until: datetime, *_more: Any
    ) -> Iterator[list[Fact]]:
        self.asked.append((since, until))
        yield [payment(1, at=PAID)]
        if self.ends:
            raise self.ends
        yield [payment(2, at=PAID)]


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    found = Provider()
    monkeypatch.setattr(PROVIDERS["paysecure"], "poll", found.poll)
    return found


@pytest.fixture
def connection(project: Project) -> Connection:
    polled = timezone.now() - timedelta(hours=3)
    return make_connection("paysecure", project=project, api_key="key", polled=polled)


def lease_is_up() -> None:
    past = timezone.now() - timedelta(seconds=1)
    Connection.objects.exclude(poll_leased_until=None).update(poll_leased_until=past)


def test_the_same_span_is_asked_for_again(
    provider: Provider, connection: Connection
) -> None:
    provider.ends = Killed()
    with pytest.raises(Killed):
        poll.poll_due()
    provider.ends = None
    assert poll.poll_due() == 0  # the lease is still the dead one's
    lease_is_up()
    assert poll.poll_due() == 1
    (first, _), (second, _) = provider.asked
    assert first == second == connection.polled - poll.OVERLAP
    assert Transaction.objects.count() == 2
    assert poll.poll_due() == 0


def test_what_a_member_asked_for_is_not_forgotten(
    provider: Provider, connection: Connection
) -> None:
    Connection.objects.update(polled=timezone.now())
    assert poll.ask(connection)
    provider.ends = Killed()
    with pytest.raises(Killed):
        poll.poll_due()
    provider.ends = None
    lease_is_up()
    assert poll.poll_due() == 1
    connection.refresh_from_db()
    assert (connection.poll_asked, connection.poll_leased_until) == (None, None)


def test_a_provider_that_was_away_the_first_time_is_asked_for_all_of_it(
    provider: Provider, connection: Connection
) -> None:
    Connection.objects.update(polled=None)
    provider.ends = Unreachable("It did not answer.")
    poll.poll_due()
    provider.ends = None
    poll.poll_due()
    for since, until in provider.asked:
        assert until - since == poll.FIRST + poll.OVERLAP
    connection.refresh_from_db()
    assert connection.polled
    assert connection.poll_trouble == ""


def test_who_asks_while_it_goes_on_is_asked_for_too(
    provider: Provider, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = provider.poll

    def asked_meanwhile(*given: Any) -> Iterator[list[Fact]]:
        poll.ask(connection)
        yield from real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(PROVIDERS["paysecure"], "poll", asked_meanwhile)
        poll.poll_due()
    assert len(provider.asked) == 1
    poll.poll_due()
    assert len(provider.asked) == 2
