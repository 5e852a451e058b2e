"""Sends again what was sent, failed or never sent; one, some, or all since a moment.

Whoever asks twice, by a double click or a second person, sends once: what waits already
is left as it is. Each request is noted with who asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
#: Events whose bodies are read at the same time.
BATCH = 500
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
    _check(delivery.endpoint)
    if not delivery.event.payload:
        raise NotPossible("What this event said is no longer kept.")
    rows = Delivery.objects.filter(pk=delivery.pk)
    if requeue.queue_again(_at_rest(rows, by), Spread(None), name_of(by)):
        _note(by, "delivery.sent_again", delivery.endpoint, event=delivery.event.key)
    delivery.refresh_from_db()
    return delivery


def event_to(event: Event, endpoint: Endpoint, by: Actor) -> Delivery:
    """Sends an event to an endpoint, whether or not it was told before.

    Raises NotPossible.
    """
    _check(endpoint)
    if not event.payload:
        raise NotPossible("What this event said is no longer kept.")
    if event.project_id != endpoint.project_id:
        raise NotPossible("The endpoint belongs to another project.")
    row = {name: getattr(event, name) for name in _EVENT}
    if why := _misfit(row, endpoint):
        raise NotPossible(why)
    if _tell([row], endpoint, Spread(None), by):
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


def failed_since(
    endpoint: Endpoint,
    since: datetime,
    by: Actor,
    *,
    to: Endpoint | None = None,
    rate: float | None = None,
) -> int:
    """Sends again what failed at the endpoint since then: what was given up, and what
    waits for its next try. `to`: to that endpoint instead; `rate`: so many a second.
    Returns how many. Raises NotPossible.
    """
    done = _send(failed(endpoint, since), by, to, rate)
    _note(by, "endpoint.failed_sent_again", to or endpoint, since=since, count=done)
    return done


def missing_since(
    endpoint: Endpoint,
    since: datetime,
    by: Actor,
    *,
    to: Endpoint | None = None,
    rate: float | None = None,
) -> int:
    """Sends what happened since then and the endpoint was never told, though it would
    be today: it was set up later, or asked for less then. As `failed_since`.
    """
    target = to or endpoint
    _check(target)
    spread, done = Spread(rate), 0
    for some in _events(never_told(endpoint, since)):
        fit = [row for row in some if not _misfit(row, target)]
        done += _tell(fit, target, spread, by)
    _note(by, "endpoint.missing_sent", target, since=since, count=done)
    return done


def selection(
    rows: QuerySet[Delivery],
    by: Actor,
    *,
    to: Endpoint | None = None,
    rate: float | None = None,
) -> int:
    """Sends these deliveries again; as `failed_since`. Those of paused and disabled
    endpoints are left out unless they go `to` another."""
    done = _send(rows, by, to, rate)
    if done:
        merchant = rows[0].project.merchant if to is None else to.project.merchant
        audit.note(
            by,
            "deliveries.sent_again",
            to,
            merchant=merchant,
            detail={"count": done, "rate": rate},
        )
    return done


def _send(
    rows: QuerySet[Delivery], by: Actor, to: Endpoint | None, rate: float | None
) -> int:
    spread = Spread(rate)
    if to is None:
        ready = rows.filter(endpoint__state=Endpoint.State.ENABLED)
        found = _not_waiting(ready, by).exclude(event__payload={})
        done = requeue.queue_again(found, spread, name_of(by))
        if done:
            queue.ring(queue.DELIVERIES_JOB)
        return done
    _check(to)
    done = 0
    for ids in requeue.batches(rows.filter(project=to.project_id), BATCH):
        events = Event.objects.filter(deliveries__in=ids).distinct()
        for some in _events(events):
            fit = [row for row in some if not _misfit(row, to)]
            done += _tell(fit, to, spread, by)
    return done


def _events(rows: QuerySet[Event]) -> Iterator[list[dict[str, Any]]]:
    """Events with their bodies, in order, a few at a time; not those emptied."""
    last = 0
    columns = rows.exclude(payload={}).order_by("id").values(*_EVENT)
    while some := list(columns.filter(id__gt=last)[:BATCH]):
        yield some
        last = some[-1]["id"]


def _tell(
    events: Sequence[Mapping[str, Any]], endpoint: Endpoint, spread: Spread, by: Actor
) -> int:
    """A delivery of each to the endpoint: a new one, or the one there is again."""
    known = Delivery.objects.filter(
        endpoint=endpoint, event__in=[event["id"] for event in events]
    )
    had = set(known.values_list("event_id", flat=True))
    now = timezone.now()
    new = [
        outbox.delivery_row(event["id"], event, endpoint, now)
        | {"due": spread.next(), "asked_by": name_of(by)}
        for event in events
        if event["id"] not in had
    ]
    bulk.insert(Delivery, new, ignore=True)
    old = Delivery.objects.filter(endpoint=endpoint, event__in=had)
    done = len(new) + requeue.queue_again(_not_waiting(old, by), spread, name_of(by))
    if done:
        queue.ring(queue.DELIVERIES_JOB)
    return done


# ------------------------------------------------------------------------------- rules
def _check(endpoint: Endpoint) -> None:
    if endpoint.state != Endpoint.State.ENABLED:
        raise NotPossible(f"The endpoint is {endpoint.get_state_display()}.")


def _misfit(event: Mapping[str, Any], endpoint: Endpoint) -> str:
    """Why an endpoint cannot be sent an event; "" where it can."""
    if endpoint.livemode not in {None, event["livemode"]}:
        return "The endpoint takes the other mode, live or test."
    if not dialects.speaks_of(endpoint.dialect, outbox.news_of(event)):
        return "The endpoint's dialect has no words for this event."
    return ""


def _not_waiting(rows: QuerySet[Delivery], by: Actor) -> QuerySet[Delivery]:
    """Those that are not queued for a first try already."""
    return _at_rest(rows, by).exclude(state=State.PENDING, tries=0)


def _at_rest(rows: QuerySet[Delivery], by: Actor) -> QuerySet[Delivery]:
    """Those that no worker is at or about to be, and that were not sent just now
    because of the first of two clicks."""
    now = timezone.now()
    return (
        rows.exclude(state=State.PENDING, due__lte=now)
        .exclude(state=State.PENDING, leased_until__gt=now)
        .exclude(done__gt=now - DOUBLE_CLICK, asked_by=name_of(by))
    )


def name_of(by: Actor) -> str:
    """The name that stands beside what a person asked for."""
    person = by.user if isinstance(by, Member) else by
    return str(person)[: requeue.LONGEST_NAME]


def _note(by: Actor, verb: str, endpoint: Endpoint, **detail: Any) -> None:
    plain = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in detail.items()
    }
    audit.note(by, verb, endpoint, merchant=endpoint.project.merchant, detail=plain)
    queue.ring(queue.DELIVERIES_JOB)
