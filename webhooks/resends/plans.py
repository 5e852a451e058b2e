"""What is to be sent again: which rows that are, and what is done with some of them.

A plan is made by who asks, kept as a row (webhooks.models.Resend), and made again from
it by each worker that goes on with it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, NamedTuple

from django.db.models import Max, QuerySet
from django.http import QueryDict

from merchant.models import Member, Merchant, Project
from merchant.selectors import projects_of
from webhooks.delivery import catch_up, resending
from webhooks.delivery.requeue import Spread
from webhooks.models import Delivery, Endpoint, Event, Resend
from webhooks.paging import MOST_COUNTED
from webhooks.record import told
from webhooks.record.delivery_filters import DeliveryFilter

What = Resend.What


class Put(NamedTuple):
    """What came of some rows; the others were left as they are."""

    queued: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(ABC):
    """`to`: another endpoint than the deliveries' own; `rate`: so many a second.

    `right`: what its author must be allowed to do (merchant.access).
    """

    what: ClassVar[str]
    right: ClassVar[str] = "resend"

    to: Endpoint | None = None
    rate: int | None = None

    @property
    @abstractmethod
    def rows(self) -> QuerySet[Any]:
        """Deliveries or events, whose ids are those that `put` takes."""

    @abstractmethod
    def put(self, ids: Sequence[int], spread: Spread, by: str) -> Put:
        """Puts some of the rows into the queue."""

    @abstractmethod
    def check(self) -> None:
        """Raises resending.NotPossible when it can no longer be done."""

    @property
    @abstractmethod
    def merchant(self) -> Merchant:
        """Whose it is."""

    @property
    @abstractmethod
    def project(self) -> Project | None:
        """The only one that it concerns; None when there may be several."""

    def columns(self) -> dict[str, Any]:
        """How it is kept."""
        return {"what": self.what, "to": self.to, "rate": self.rate}

    def count(self, most: int = MOST_COUNTED) -> tuple[int, bool]:
        """How many, and whether there are more than were counted."""
        number = self.rows.order_by()[: most + 1].count()
        return min(number, most), number > most

    def newest(self) -> int:
        """No row has a greater number now."""
        found = self.rows.model._default_manager.aggregate(last=Max("pk"))
        return int(found["last"] or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen(Plan):
    """Deliveries that a member ticked one by one (`ids`), or all that match a filter
    of the Deliveries page (`query`) and came before the number `upto`."""

    what = What.CHOSEN

    member: Member
    ids: Sequence[int] | None = None
    query: str = ""
    upto: int = 0

    @property
    def rows(self) -> QuerySet[Delivery]:
        if self.ids is not None:
            return told.deliveries_visible_to(self.member).filter(pk__in=self.ids)
        rows = DeliveryFilter(QueryDict(self.query), self.member).matching
        return rows.filter(pk__lte=self.upto) if self.upto else rows

    def put(self, ids: Sequence[int], spread: Spread, by: str) -> Put:
        return _again(self.rows.filter(pk__in=ids), self.to, spread, by)

    def check(self) -> None:
        _check(self.to, self.member)

    @property
    def merchant(self) -> Merchant:
        return self.member.merchant

    @property
    def project(self) -> Project | None:
        return self.to.project if self.to else None

    def columns(self) -> dict[str, Any]:
        asked: dict[str, Any] = {"chosen": self.ids, "query": self.query}
        if self.upto:
            asked["upto"] = self.upto
        return Plan.columns(self) | asked


@dataclass(frozen=True, slots=True, kw_only=True)
class OfEndpoint(Plan):
    """Something that one endpoint was not told. `member`: who asked, if one did."""

    endpoint: Endpoint
    member: Member | None = None

    def check(self) -> None:
        if self.to and self.to.project_id != self.endpoint.project_id:
            raise resending.NotPossible("The endpoint belongs to another project.")
        _check(self.to or self.endpoint, self.member)

    @property
    def merchant(self) -> Merchant:
        return self.endpoint.project.merchant

    @property
    def project(self) -> Project:
        return self.endpoint.project

    def columns(self) -> dict[str, Any]:
        return Plan.columns(self) | {"endpoint": self.endpoint}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed(OfEndpoint):
    """What an endpoint has not acknowledged since a moment."""

    what = What.FAILED

    since: datetime

    @property
    def rows(self) -> QuerySet[Delivery]:
        return resending.failed(self.endpoint, self.since)

    def put(self, ids: Sequence[int], spread: Spread, by: str) -> Put:
        return _again(self.rows.filter(pk__in=ids), self.to, spread, by)

    def columns(self) -> dict[str, Any]:
        return OfEndpoint.columns(self) | {"since": self.since}


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing(OfEndpoint):
    """What an endpoint was never told since a moment, though it asks for it now.

    Counted are also those that its dialect may have no words for.
    """

    what = What.MISSING

    since: datetime

    @property
    def rows(self) -> QuerySet[Event]:
        return resending.never_told(self.endpoint, self.since)

    def put(self, ids: Sequence[int], spread: Spread, by: str) -> Put:
        to, rows = self.to or self.endpoint, self.rows.filter(pk__in=ids)
        return Put(resending.put_to(to, rows, spread, by))

    def columns(self) -> dict[str, Any]:
        return OfEndpoint.columns(self) | {"since": self.since}


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(OfEndpoint):
    """What was held while an endpoint was paused or disabled; `drop_replaced`: less
    what a newer state of the same subject replaced."""

    what = What.HELD
    right = "manage_endpoints"

    drop_replaced: bool = False

    @property
    def rows(self) -> QuerySet[Delivery]:
        return catch_up.held(self.endpoint)

    def put(self, ids: Sequence[int], spread: Spread, by: str) -> Put:
        less = self.drop_replaced
        dropped = catch_up.drop_replaced(self.endpoint, ids) if less else 0
        queued = catch_up.put(self.rows.filter(pk__in=ids), spread, by)
        return Put(queued, dropped)

    def columns(self) -> dict[str, Any]:
        return OfEndpoint.columns(self) | {"drop_replaced": self.drop_replaced}


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo(OfEndpoint):
    """What was held is dropped."""

    what = What.LET_GO
    right = "manage_endpoints"

    @property
    def rows(self) -> QuerySet[Delivery]:
        return catch_up.held(self.endpoint)

    def put(self, ids: Sequence[int], spread: Spread, by: str) -> Put:
        return Put(dropped=catch_up.let_go(ids, by))

    def check(self) -> None:
        """Also of a paused endpoint."""


def kept(run: Resend) -> Plan:
    """The plan that was kept. Raises resending.NotPossible when who asked for it is no
    member any more."""
    how: dict[str, Any] = {"to": run.to, "rate": run.rate, "member": run.member}
    if run.by_member and run.member is None:
        raise resending.NotPossible(f"{run.actor_name} is no member any more.")
    if run.what == What.CHOSEN:
        return Chosen(**how, ids=run.chosen, query=run.query, upto=run.upto)
    assert run.endpoint is not None
    how["endpoint"] = run.endpoint
    if run.what == What.HELD:
        return Held(**how, drop_replaced=run.drop_replaced)
    if run.what == What.LET_GO:
        return LetGo(**how)
    assert run.since is not None
    kind = Failed if run.what == What.FAILED else Missing
    return kind(**how, since=run.since)


def _again(
    rows: QuerySet[Delivery], to: Endpoint | None, spread: Spread, by: str
) -> Put:
    if to is None:
        return Put(resending.put_again(rows, spread, by))
    here = rows.filter(project=to.project_id).order_by()
    events = Event.objects.filter(pk__in=here.values("event"))
    return Put(resending.put_to(to, events, spread, by))


def _check(endpoint: Endpoint | None, member: Member | None) -> None:
    """Raises resending.NotPossible."""
    if endpoint is None:
        return
    mine = projects_of(member).filter(pk=endpoint.project_id) if member else None
    if mine is not None and not mine.exists():
        raise resending.NotPossible("The endpoint is not among your projects.")
    resending.check(endpoint)
