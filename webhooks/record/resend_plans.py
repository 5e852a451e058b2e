"""What somebody is about to send again: how many that is, and the sending itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from merchant.models import Member
from webhooks.delivery import resending
from webhooks.models import Delivery, Endpoint, Event
from webhooks.paging import MOST_COUNTED

FAILED, MISSING, CHOSEN = "failed", "missing", "chosen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`to`: another endpoint than the deliveries' own; `rate`: so many a second."""

    to: Endpoint | None = None
    rate: int | None = None

    def count(self) -> tuple[int, bool]:
        """How many, and whether there are more than were counted."""
        number = self._rows().order_by()[: MOST_COUNTED + 1].count()
        return min(number, MOST_COUNTED), number > MOST_COUNTED

    def send(self, by: Member) -> int:
        """Does it; returns how many go out. Raises resending.NotPossible."""
        raise NotImplementedError

    def _rows(self) -> QuerySet:  # type: ignore[type-arg]
        raise NotImplementedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Plan):
    """Deliveries that were chosen one by one, or by a filter."""

    rows: QuerySet[Delivery]

    def send(self, by: Member) -> int:
        return resending.selection(self.rows, by, to=self.to, rate=self.rate)

    def _rows(self) -> QuerySet[Delivery]:
        return self.rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(Plan):
    """What an endpoint has not acknowledged since a moment."""

    endpoint: Endpoint
    since: datetime

    def send(self, by: Member) -> int:
        return resending.failed_since(
            self.endpoint, self.since, by, to=self.to, rate=self.rate
        )

    def _rows(self) -> QuerySet[Delivery]:
        return resending.failed(self.endpoint, self.since)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(Plan):
    """What an endpoint was never told since a moment, though it asks for it now.

    Counted are also those that its dialect may have no words for.
    """

    endpoint: Endpoint
    since: datetime

    def send(self, by: Member) -> int:
        return resending.missing_since(
            self.endpoint, self.since, by, to=self.to, rate=self.rate
        )

    def _rows(self) -> QuerySet[Event]:
        return resending.never_told(self.endpoint, self.since)
