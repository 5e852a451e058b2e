"""Events to a developer's own machine, as they happen, while a command runs.

The command is an endpoint of its own kind for as long as it runs. It sends from its own
process, so it reaches what no server can: the machine that it runs on. Workers leave
such endpoints alone (webhooks.delivery.claims).
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from django.utils import timezone

from merchant import audit, bulk, destinations, http
from merchant.models import Project
from merchant.providers.base import Answer, Unreachable
from webhooks import outbox, secrets, signing_keys, words
from webhooks.delivery import letters, schedule
from webhooks.models import Delivery, Endpoint, EndpointSecret

#: So long a local program may think before it answers, seconds: somebody debugs it.
TIMEOUT = 60.0
BATCH = 50
#: Whoever ends the command does not wait longer for an answer, seconds.
LOOK = 0.1
#: Without a sign of life for so long, a command has ended without saying so.
LOST_AFTER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An event that went to the local URL. `status` 0: no answer came, `error` says
    why. `seconds`: how long it took."""

    key: str
    name: str
    status: int
    error: str
    seconds: float

    @property
    def is_taken(self) -> bool:
        return 200 <= self.status < 300


def open_line(
    project: Project,
    url: str,
    *,
    events: Iterable[str] = (),
    dialect: str = "standard",
    secret: str = "",
) -> tuple[Endpoint, str]:
    """An endpoint that forwards what happens from now on, and its secret.

    `events`: names of ours or Stripe's; none for all. `secret`: one that the local
    program has already. Raises ValueError (a URL, a name or a secret that cannot be)
    and vault.Locked.
    """
    url = url if "://" in url else f"http://{url}"
    destinations.read_url(url, private=True)
    wanted = words.wanted(events)
    if secret:
        secrets.check_secret(dialect, secret)
    elif secrets.has_secrets(dialect):
        secret = secrets.new_secret(dialect)
    endpoint = Endpoint.objects.create(
        project=project,
        kind=Endpoint.Kind.FORWARD,
        url=url,
        dialect=dialect,
        events=[] if wanted == ["*"] else wanted,
    )
    if secret:
        EndpointSecret.sealed_for(endpoint, secret).save()
    else:
        signing_keys.pair_of(project)
    _note("endpoint.listening", endpoint)
    return endpoint, secret


def forward_due(endpoint: Endpoint, stop: threading.Event) -> Iterator[Forwarded]:
    """Sends what waits for it, in the order in which it happened, once each; until
    `stop` is set, even while an answer is waited for."""
    Endpoint.objects.filter(pk=endpoint.pk).update(changed=timezone.now())
    waiting = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.PENDING)
    rows = waiting.filter(due__lte=timezone.now()).select_related("event")
    for delivery in rows.order_by("due", "id")[:BATCH]:
        done = _forward(endpoint, delivery, stop)
        if done is None:
            return
        yield done


def hang_up(endpoint: Endpoint) -> None:
    """Ends the line; what still waits for it is sent to nobody."""
    _note("endpoint.hung_up", endpoint)
    endpoint.delete()


def tidy() -> int:
    """Ends lines whose command is gone; returns how many."""
    lost = Endpoint.objects.filter(
        kind=Endpoint.Kind.FORWARD, changed__lt=timezone.now() - LOST_AFTER
    )
    return lost.delete()[1].get("webhooks.Endpoint", 0)


def _forward(
    endpoint: Endpoint, delivery: Delivery, stop: threading.Event
) -> Forwarded | None:
    """None when `stop` came first."""
    began, status, error = time.monotonic(), 0, ""
    try:
        answer = _answer(_letter(endpoint, delivery), stop)
        if answer is None:
            return None
        status = answer.status
    except (Unreachable, http.NotAllowed, letters.NoWords) as problem:
        error = str(problem)
    event = delivery.event
    done = Forwarded(event.key, event.name, status, error, time.monotonic() - began)
    state = Delivery.State.DELIVERED if done.is_taken else Delivery.State.EXHAUSTED
    Delivery.objects.filter(pk=delivery.pk).update(
        state=state,
        status=status or None,
        error=error[:300],
        done=timezone.now(),
        tries=1,
        attempts_made=delivery.attempts_made + 1,
    )
    return done


def _answer(letter: letters.Outgoing, stop: threading.Event) -> Answer | None:
    """What the local program answers; None when `stop` came first. In a thread of its
    own, since nothing else ends a call that is waiting."""
    box: queue.Queue[Answer | Exception] = queue.Queue(1)

    def send() -> None:
        try:
            box.put(
                http.send(
                    "POST", letter.url, headers=letter.headers, body=letter.body,
                    timeout=TIMEOUT, private=True,
                )
            )  # fmt: skip
        except Exception as error:
            box.put(error)

    threading.Thread(target=send, name="forward", daemon=True).start()
    while not stop.is_set():
        try:
            found = box.get(timeout=LOOK)
        except queue.Empty:
            continue
        if isinstance(found, Exception):
            raise found
        return found
    return None


def _letter(endpoint: Endpoint, delivery: Delivery) -> letters.Outgoing:
    now = timezone.now()
    event = bulk.row_of(delivery.event)
    news = outbox.news_of(event, attempt=delivery.attempts_made + 1)
    news = replace(news, expires=schedule.expires(delivery.created, now))
    return letters.write(endpoint, news, now)


def _note(verb: str, endpoint: Endpoint) -> None:
    audit.note(
        "command",
        verb,
        endpoint,
        merchant=endpoint.project.merchant,
        detail={"url": endpoint.url, "events": endpoint.events},
    )
