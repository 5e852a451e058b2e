"""A test event on demand: the same way out as every other, and all of it to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from merchant import audit, bulk, vault
from merchant.audit import Actor
from merchant.http import Ended, Many, Post
from webhooks import outbox, secrets
from webhooks.catalogue import TEST
from webhooks.delivery import claims, letters, notes, resending, schedule
from webhooks.delivery.claims import Claimed
from webhooks.models import Attempt, Delivery, Endpoint, Event
from webhooks.samples import sample

#: So many tests of one endpoint in a minute.
MOST, WITHIN = 10, timedelta(minutes=1)


class TooMany(Exception):
    """Too many tests; `str()` says when the next one may be sent."""


class NotSent(Exception):
    """The test could not even be written; `str()` says why."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A test and what came back. `headers`: those sent, without the merchant's own
    values; `body`: the bytes that were sent and signed; `attempt`: the try as every
    other is kept, with the answer."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    attempt: Attempt


def send_test(endpoint: Endpoint, by: Actor) -> Exchange:
    """Sends an endpoint.test now and waits for what becomes of it, at most 15 s.

    It is tried once, also while the endpoint is paused or disabled, and says nothing of
    its health. Raises TooMany, NotSent (nothing to sign with, or no words for a test).
    """
    claimed = _claim(endpoint, by)
    now = timezone.now()
    try:
        letter = letters.of(claimed, now)
    except (letters.NoWords, secrets.NoKeys, vault.Locked) as error:
        notes.drop(claimed, str(error), now)
        raise NotSent(str(error)) from error
    ended = _send(Post(None, letter.url, letter.headers, letter.body))
    now = timezone.now()
    verdict = schedule.judge(
        ended.answer.status, ended.answer.headers, ended.trouble, now
    )
    notes.write([notes.Result(claimed, now, ended, verdict, letter.shown)], last=True)
    attempt = Attempt.objects.select_related("delivery").get(delivery=claimed.id)
    return Exchange(letter.url, letter.shown, letter.body, attempt)


def _send(post: Post) -> Ended:
    many = Many()
    try:
        many.begin(post)
        while not (ended := many.ended(1.0)):
            pass
        return ended[0]
    finally:
        many.close()


@transaction.atomic
def _claim(endpoint: Endpoint, by: Actor) -> Claimed:
    """The event and its delivery, ours from the start, so that no worker takes it."""
    Endpoint.objects.select_for_update().get(pk=endpoint.pk)  # one at a time
    now = timezone.now()
    _check_limit(endpoint)
    event = Event.objects.create(
        key=outbox.new_key(),
        project_id=endpoint.project_id,
        livemode=False,
        name=TEST.name,
        subject_kind=TEST.subject,
        payload=sample(TEST.name, project=str(endpoint.project_id)),
        happened=now,
        created=now,
    )
    lease, until = uuid4(), now + claims.LEASE
    row = outbox.delivery_row(event.pk, bulk.row_of(event), endpoint, now)
    delivery = Delivery.objects.create(
        **row
        | {
            "state": Delivery.State.PENDING,
            "lease": lease,
            "leased_until": until,
            "asked_by": resending.name_of(by),
        }
    )
    audit.note(
        by,
        "endpoint.tested",
        endpoint,
        merchant=endpoint.project.merchant,
        detail={"event": event.key},
    )
    return Claimed(
        lease=lease,
        until=until,
        endpoint=endpoint,
        id=delivery.pk,
        tries=0,
        attempts_made=0,
        created=now,
        news=outbox.news_of(bulk.row_of(event)),
    )


def _check_limit(endpoint: Endpoint) -> None:
    now = timezone.now()
    tests = endpoint.deliveries.filter(name=TEST.name, created__gt=now - WITHIN)
    times = list(tests.order_by("-id").values_list("created", flat=True)[:MOST])
    if len(times) == MOST:
        wait = max(1, round((times[-1] + WITHIN - now).total_seconds()))
        raise TooMany(f"{MOST} tests a minute are enough; the next one in {wait} s.")
