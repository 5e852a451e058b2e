"""Sends again what was sent, failed or never sent: one at once, many some at a time.

Whoever asks twice, by a double click or a second person, sends once: what waits already
is left as it is. webhooks.resends walks through many and remembers how far it came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from merchant import audit, bulk, queue
from merchant.audit import Actor
from merchant.models import Member
from webhooks import dialects, outbox
from webhooks.catalogue import asked_names
from webhooks.delivery import requeue
from webhooks.delivery.requeue import Spread
from webhooks.models import Delivery, Endpoint, Event

State = Delivery.State

#: The same person asking for the same again within so long has clicked twice.
DOUBLE_CLICK = timedelta(seconds=5)
#: An endpoint's page asks what it was never told for no longer than this.
FARTHEST = timedelta(days=90)

_EVENT = (
    "id", "key", "project_id", "livemode", "name", "subject_kind", "subject", "payload",
    "created",
)  # fmt: skip


class NotPossible(Exception):
    """It cannot be sent (again); `str()` says why, to who asked."""


# -------------------------------------------------------------------------------- one
def again(delivery: Delivery, by: Actor) -> Delivery:
    """Sends this delivery again, now; a waiting one need not wait any longer.

    Raises NotPossible.
    """
    check(delivery.endpoint)
    if not delivery.event.payload:
        raise NotPossible("What this event said is no longer kept.")
    rows = Delivery.objects.filter(pk=delivery.pk)
    name = name_of(by)
    if requeue.queue_again(_at_rest(rows, name), Spread(None), name):
        _note(by, "delivery.sent_again", delivery.endpoint, event=delivery.event.key)
    delivery.refresh_from_db()
    return delivery


def event_to(event: Event, endpoint: Endpoint, by: Actor) -> Delivery:
    """Sends an event to an endpoint, whether or not it was told before.

    Raises NotPossible.
    """
    check(endpoint)
    if not event.payload:
        raise NotPossible("What this event said is no longer kept.")
    if event.project_id != endpoint.project_id:
        raise NotPossible("The endpoint belongs to another project.")
    row = {name: getattr(event, name) for name in _EVENT}
    if why := _misfit(row, endpoint):
        raise NotPossible(why)
    if _tell([row], endpoint, Spread(None), name_of(by)):
        _note(by, "event.sent_again", endpoint, event=event.key)
    return Delivery.objects.get(event=event, endpoint=endpoint)


# ------------------------------------------------------------------------------- many
def failed(endpoint: Endpoint, since: datetime) -> QuerySet[Delivery]:
    """What was queued for the endpoint since then and was given up, or waits for its
    next try."""
    tried = Q(state=State.EXHAUSTED) | Q(state=State.PENDING, tries__gt=0)
    return Delivery.objects.filter(tried, endpoint=endpoint, created__gte=since)


def never_told(endpoint: Endpoint, since: datetime) -> QuerySet[Event]:
    """What happened since then, that the endpoint asks for now and was not told.

    Not tests of others, and not what a purchase's own callback was told instead. Its
    dialect may have no words for some of them.
    """
    since = max(since, timezone.now() - FARTHEST)
    told = Delivery.objects.filter(event=OuterRef("pk"))
    callbacks = told.filter(endpoint__kind=Endpoint.Kind.CALLBACK)
    rows = Event.objects.filter(
        ~Exists(told.filter(endpoint=endpoint)),
        ~Exists(callbacks),
        project=endpoint.project_id,
        name__in=asked_names(endpoint.events),
        created__gte=since,
    )
    if endpoint.livemode is not None:
        rows = rows.filter(livemode=endpoint.livemode)
    return rows.exclude(payload={})


def put_again(rows: QuerySet[Delivery], spread: Spread, by: str) -> int:
    """Queues the rows again, each to its own endpoint; how many. Those of paused and
    disabled endpoints are left out, and what waits already. `by`: who asked."""
    ready = rows.filter(endpoint__state=Endpoint.State.ENABLED)
    found = _not_waiting(ready, by).exclude(event__payload={})
    return requeue.queue_again(found, spread, by)


def put_to(endpoint: Endpoint, events: QuerySet[Event], spread: Spread, by: str) -> int:
    """Queues those of the events that the endpoint can be sent, told before or not."""
    rows = events.exclude(payload={}).order_by("id").values(*_EVENT)
    return _tell([e for e in rows if not _misfit(e, endpoint)], endpoint, spread, by)


def _tell(
    events: Sequence[Mapping[str, Any]], endpoint: Endpoint, spread: Spread, by: str
) -> int:
    """A delivery of each to the endpoint: a new one, or the one there is again."""
    known = Delivery.objects.filter(
        endpoint=endpoint, event__in=[event["id"] for event in events]
    )
    had = set(known.values_list("event_id", flat=True))
    now = timezone.now()
    new = [
        outbox.delivery_row(event["id"], event, endpoint, now)
        | {"due": spread.next(), "asked_by": by}
        for event in events
        if event["id"] not in had
    ]
    bulk.insert(Delivery, new, ignore=True)
    old = Delivery.objects.filter(endpoint=endpoint, event__in=had)
    return len(new) + requeue.queue_again(_not_waiting(old, by), spread, by)


# ------------------------------------------------------------------------------- rules
def check(endpoint: Endpoint) -> None:
    """Raises NotPossible while it is paused or disabled."""
    if endpoint.state != Endpoint.State.ENABLED:
        raise NotPossible(f"The endpoint is {endpoint.get_state_display()}.")


def _misfit(event: Mapping[str, Any], endpoint: Endpoint) -> str:
    """Why an endpoint cannot be sent an event; "" where it can."""
    if endpoint.livemode not in {None, event["livemode"]}:
        return "The endpoint takes the other mode, live or test."
    if not dialects.speaks_of(endpoint.dialect, outbox.news_of(event)):
        return "The endpoint's dialect has no words for this event."
    return ""


def _not_waiting(rows: QuerySet[Delivery], by: str) -> QuerySet[Delivery]:
    """Those that are not queued for a first try already."""
    return _at_rest(rows, by).exclude(state=State.PENDING, tries=0)


def _at_rest(rows: QuerySet[Delivery], by: str) -> QuerySet[Delivery]:
    """Those that no worker is at or about to be, and that were not sent just now
    because of the first of two clicks."""
    now = timezone.now()
    return (
        rows.exclude(state=State.PENDING, due__lte=now)
        .exclude(state=State.PENDING, leased_until__gt=now)
        .exclude(done__gt=now - DOUBLE_CLICK, asked_by=by)
    )


def name_of(by: Actor) -> str:
    """The name that stands beside what a person asked for."""
    person = by.user if isinstance(by, Member) else by
    return str(person)[: requeue.LONGEST_NAME]


def _note(by: Actor, verb: str, endpoint: Endpoint, event: str) -> None:
    merchant = endpoint.project.merchant
    audit.note(by, verb, endpoint, merchant=merchant, detail={"event": event})
    queue.ring(queue.DELIVERIES_JOB)
