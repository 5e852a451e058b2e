"""Template words of letters out: how a delivery stands, what an endpoint answered."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from merchant.providers.base import text
from webhooks.catalogue import KINDS
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.record.told import News

register = template.Library()

State = Delivery.State

#: state -> (tone, icon or "", what it means for who looks at it).
STATES: dict[str, tuple[str, str, Any]] = {
    State.PENDING: (
        "info",
        "clock",
        gettext_lazy("It is sent when its time comes; nothing has to be done."),
    ),
    State.DELIVERED: ("ok", "", gettext_lazy("The endpoint has acknowledged it.")),
    State.EXHAUSTED: (
        "bad",
        "",
        gettext_lazy(
            "Every try failed, so nobody tries any more. Send it again when the "
            "endpoint answers."
        ),
    ),
    State.HELD: (
        "warn",
        "pause-circle",
        gettext_lazy(
            "Its endpoint is paused or disabled. It is kept and sent when the endpoint "
            "is enabled."
        ),
    ),
    State.DROPPED: ("idle", "", gettext_lazy("It was given up and is not sent.")),
}
GRAVEST_FIRST = ("bad", "warn", "info", "idle", "ok")
#: The parts of an attempt's time in their order, and what each one is.
PHASES = (
    ("name_ms", gettext_lazy("Looking up the name (DNS)")),
    ("connect_ms", gettext_lazy("Connecting")),
    ("tls_ms", gettext_lazy("Agreeing on a key (TLS)")),
    ("wait_ms", gettext_lazy("Waiting for the first byte")),
)


@register.inclusion_tag("components/_badge.html")
def delivery_badge(delivery: Delivery) -> dict[str, Any]:
    """How a delivery stands, as a word with a tone."""
    tone, icon, _means = STATES[delivery.state]
    if is_retried(delivery):
        tone, icon = "warn", "arrow-path"
    icons = {"ok": "check-circle", "bad": "exclamation-circle", "idle": "minus-circle"}
    return {"tone": tone, "word": state_word(delivery), "icon": icon or icons[tone]}


@register.filter
def state_word(delivery: Delivery) -> str:
    if is_retried(delivery):
        return _("Trying again")
    return capfirst(delivery.get_state_display())


@register.filter
def state_tone(delivery: Delivery) -> str:
    return "warn" if is_retried(delivery) else STATES[delivery.state][0]


@register.filter
def state_means(delivery: Delivery) -> str:
    return str(STATES[delivery.state][2])


@register.filter
def news_tone(news: News) -> str:
    """Of an event: as its delivery that needs somebody most."""
    tones = {state_tone(delivery) for delivery in news.deliveries}
    return next((tone for tone in GRAVEST_FIRST if tone in tones), "")


def is_retried(delivery: Delivery) -> bool:
    """Whether it waits because it has failed."""
    return delivery.state == State.PENDING and delivery.tries > 0


@register.filter
def endpoint_name(endpoint: Endpoint) -> str:
    """What people call it: its description, else its host."""
    host = urlsplit_host(endpoint.url)
    if endpoint.kind == Endpoint.Kind.CALLBACK:
        return _("callback to %s") % host
    return endpoint.description or host


@register.filter
def endpoint_address(url: str) -> str:
    """A URL without what all of them begin with."""
    return url.removeprefix("https://")


def urlsplit_host(url: str) -> str:
    try:
        return urlsplit(url).netloc or url[:80]
    except ValueError:
        return url[:80]


@register.filter
def answer_word(status: int | None) -> str:
    """A status for people: "503 Service Unavailable"; "" without an answer."""
    if status is None:
        return ""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


@register.filter
def last_answer(delivery: Delivery) -> str:
    """What came of the last try, in words."""
    if delivery.error:
        return capfirst(text(delivery.error, 300) or "")
    return answer_word(delivery.status)


@register.filter
def event_means(name: str) -> str:
    """What an event of ours says, for who does not know its name."""
    return str(KINDS[name].means) if name in KINDS else ""


@register.filter
def milliseconds(number: int | None) -> str:
    """A span for people: 85 ms; 1.2 s."""
    if number is None:
        return "–"
    return f"{number} ms" if number < 1000 else f"{number / 1000:.1f} s"


def phases_of(attempt: Attempt) -> list[tuple[str, int]]:
    """(words, milliseconds) of what is known of an attempt's time, in order; the rest
    of it is reading the answer, or waiting for one that never came."""
    known = [
        (str(words), value)
        for name, words in PHASES
        if (value := getattr(attempt, name)) is not None
    ]
    rest = attempt.total_ms - sum(value for _words, value in known)
    if known and rest > 0:
        heard = attempt.status is not None
        words = _("Reading the answer") if heard else _("Until it was given up")
        known.append((words, rest))
    return known
