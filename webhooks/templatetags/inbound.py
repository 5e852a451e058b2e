"""Template words of the post room: the states of a letter, its size, its sender."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from django import template
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from merchant.providers.base import text
from webhooks.models import InboundEvent

register = template.Library()

State = InboundEvent.State

#: state -> (tone, icon or "", what it means for who looks at it).
STATES: dict[str, tuple[str, str, Any]] = {
    State.PENDING: (
        "info",
        "clock",
        gettext_lazy("It waits to be read. That takes seconds."),
    ),
    State.DONE: ("ok", "", gettext_lazy("It was read.")),
    State.FAILED: (
        "bad",
        "",
        gettext_lazy(
            "It was tried several times and could not be entered. Nothing of it is in "
            "the books. Read it again when the cause is mended."
        ),
    ),
    State.QUARANTINED: (
        "bad",
        "shield-exclamation",
        gettext_lazy(
            "The sender is authentic, but what it sent could not be understood, so it "
            "has no effect. Read it again after an update that understands it."
        ),
    ),
    State.CONFLICT: (
        "warn",
        "document-duplicate",
        gettext_lazy(
            "An earlier event came with the same id and says something else. The "
            "earlier one counts, this one has no effect. Compare the two."
        ),
    ),
    State.REFUSED: (
        "warn",
        "no-symbol",
        gettext_lazy(
            "The signature is right but too old or from the future, so it was turned "
            "away. Accept it if you expect it: a late retry, a clock that was wrong."
        ),
    ),
}


@register.inclusion_tag("components/_badge.html")
def state_badge(event: InboundEvent) -> dict[str, Any]:
    """The state of an inbound event as a word with a tone."""
    tone, icon, _means = STATES[event.state]
    word = event.get_state_display().capitalize()
    icon = icon or {"ok": "check-circle", "bad": "exclamation-circle"}[tone]
    return {"tone": tone, "word": word, "icon": icon}


@register.filter
def state_means(event: InboundEvent) -> str:
    return str(STATES[event.state][2])


@register.filter
def outcome(event: InboundEvent) -> str:
    """What came of it in a few words: the error, what it changed, or the note; of a
    refused one, why."""
    entries = sorted(event.entries.all(), key=attrgetter("pk"))  # type: ignore[attr-defined]
    changes = list(dict.fromkeys(entry_words(entry) for entry in entries))
    if event.error or not changes:
        return capfirst(event.error or event.note or _why_refused(event))
    more = len(changes) - 1
    return _("%s, +%d more") % (changes[0], more) if more else changes[0]


def _why_refused(event: InboundEvent) -> str:
    return event.verdict if event.state == State.REFUSED else ""


@register.filter
def is_test(event: InboundEvent) -> bool:
    """Whether it is about test money: as it says itself, else as its connection is."""
    if event.livemode is None:
        return not event.connection.livemode
    return not event.livemode


@register.filter
def type_word(event: InboundEvent) -> str:
    """The provider's name of the event; a letter nobody could open has none."""
    return event.event_type or _("not understood")


@register.filter
def size_word(body: bytes | memoryview) -> str:
    """Bytes for people: 2,558 bytes; 96 KiB."""
    size = len(body)
    if size < 10 * 1024:
        return ngettext("%s byte", "%s bytes", size) % f"{size:,}"
    return f"{size / 1024:,.0f} KiB"


@register.filter
def entry_words(entry: object) -> str:
    """One line of what an event changed, whoever keeps those lines."""
    return text(getattr(entry, "summary", "") or str(entry), 300) or ""
