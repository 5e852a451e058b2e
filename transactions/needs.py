"""What waits for a person: every count stops early, every list is short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum

from merchant.models import Connection
from transactions.filter_fields import SURENESS
from transactions.models import Dispute, LookUp, Refund, Transaction
from transactions.paging import Counted, count_up_to
from transactions.statuses import (
    MONEY_CAME,
    DisputeStatus,
    FulfilmentStatus,
    RefundStatus,
)
from webhooks import silence
from webhooks.models import Endpoint, InboundEvent, Refusal

#: Nobody needs to know how many more than this wait.
MOST_COUNTED = 1_000
#: Of what has names, so many are named.
MOST_NAMED = 3
#: An endpoint that fails for less than this may just be starting anew.
FAILING_FOR = timedelta(minutes=10)

State = InboundEvent.State


@dataclass(slots=True)
class Purchases:
    """What waits at the purchases themselves; for every role."""

    to_hand_over: Counted
    oldest: datetime | None
    disputes: Counted
    overdue: int
    next_disputes: list[Dispute]
    to_revoke: Counted
    newest_to_revoke: list[Transaction]
    unverified: Counted
    refunds: Counted
    to_approve: Counted


@dataclass(slots=True)
class Post:
    """What waits at the door, for who may see inbound events."""

    unread: Counted
    refused: int = 0
    silent: list[Connection] = field(default_factory=list)
    endpoints: list[Endpoint] = field(default_factory=list)
    look_ups: Counted = Counted(0, more=False)
    without_key: list[Connection] = field(default_factory=list)
    elsewhere: list[Connection] = field(default_factory=list)


def at_purchases(rows: QuerySet[Transaction], now: datetime) -> Purchases:
    """`rows`: all purchases that are looked at, of one mode."""
    waiting = rows.filter(fulfilment=FulfilmentStatus.WAITING)
    oldest = waiting.order_by("created", "id").values_list("created", flat=True)
    to_revoke = rows.filter(to_revoke=True)
    disputes = Dispute.objects.filter(status=DisputeStatus.OPEN, transaction__in=rows)
    soonest = disputes.order_by(F("due_by").asc(nulls_last=True), "pk")
    due = list(soonest.values_list("pk", "due_by")[: MOST_COUNTED + 1])
    named = [pk for pk, _when in due[:MOST_NAMED]]
    first = Dispute.objects.select_related("transaction").in_bulk(named)
    return Purchases(
        to_hand_over=_count(waiting),
        oldest=oldest.first(),
        disputes=_counted(len(due)),
        overdue=sum(when is not None and when < now for _pk, when in due),
        next_disputes=[first[pk] for pk in named if pk in first],
        to_revoke=_count(to_revoke),
        newest_to_revoke=list(to_revoke.order_by("-created", "-id")[:MOST_NAMED]),
        unverified=_count(rows.filter(SURENESS["false"], status__in=MONEY_CAME)),
        refunds=_count(rows.filter(refund_pending=True)),
        to_approve=_to_approve(rows),
    )


def _to_approve(rows: QuerySet[Transaction]) -> Counted:
    found = Refund.objects.filter(
        status=RefundStatus.AWAITING_APPROVAL, transaction__in=rows
    )
    return _counted(found.order_by()[: MOST_COUNTED + 1].count())


def at_the_door(
    projects: Sequence[UUID], livemode: bool, now: datetime, today: datetime
) -> Post:
    """`today`: where the day begins for who looks."""
    connections = list(
        Connection.objects.filter(project_id__in=projects, closed=None)
        .select_related("project")
        .order_by("created", "pk")
    )
    own = [each for each in connections if each.livemode == livemode]
    keyless = [each for each in own if not each.has_api_key]
    counted, named = _look_ups(keyless)
    return Post(
        unread=_unread(connections, livemode),
        refused=_refused(own, today),
        silent=[each for each in own if silence.is_too_long(each, now)],
        endpoints=_not_told(projects, livemode, now),
        look_ups=counted,
        without_key=named,
        elsewhere=[each for each in own if each.reports_to],
    )


def _unread(connections: Sequence[Connection], livemode: bool) -> Counted:
    """Events that could not be read; without a mode of their own they have their
    connection's, as in the list of them."""
    rows = InboundEvent.objects.filter(
        Q(livemode=livemode) | Q(livemode=None, connection__livemode=livemode),
        connection__in=connections,
        state__in=[State.FAILED, State.QUARANTINED],
    )
    return _counted(rows.order_by()[: MOST_COUNTED + 1].count())


def _refused(connections: Sequence[Connection], today: datetime) -> int:
    rows = Refusal.objects.filter(connection__in=connections, first__gte=today)
    return rows.aggregate(all=Sum("count"))["all"] or 0


def _not_told(
    projects: Sequence[UUID], livemode: bool, now: datetime
) -> list[Endpoint]:
    """Endpoints of the mode that get nothing: disabled, or failing for a while."""
    failing = Q(state=Endpoint.State.ENABLED, failing__lt=now - FAILING_FOR)
    rows = Endpoint.objects.filter(
        Q(livemode=None) | Q(livemode=livemode),
        Q(state=Endpoint.State.DISABLED) | failing,
        project__in=projects,
        kind=Endpoint.Kind.ENDPOINT,
    )
    return list(rows.order_by("failing", "pk")[: MOST_COUNTED + 1])


def _look_ups(keyless: Sequence[Connection]) -> tuple[Counted, list[Connection]]:
    """Questions that nobody can ask yet. A connection without a key has no others, so
    the first rows that are met are such."""
    waiting = LookUp.objects.filter(
        connection__in=keyless, state=LookUp.State.NEEDS_KEY
    )
    places = list(waiting.values_list("connection_id", flat=True)[: MOST_COUNTED + 1])
    return _counted(len(places)), [each for each in keyless if each.pk in set(places)]


def _count(rows: QuerySet[Transaction]) -> Counted:
    return count_up_to([rows], MOST_COUNTED)


def _counted(found: int) -> Counted:
    return Counted(min(found, MOST_COUNTED), more=found > MOST_COUNTED)
