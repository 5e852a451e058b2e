"""Template words of webhook endpoints: how one stands, what it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from webhooks.catalogue import GROUPS, KINDS
from webhooks.endpoints.at_a_glance import MOST_COUNTED
from webhooks.endpoints.form import GROUP_WORDS
from webhooks.models import Endpoint
from webhooks.models.endpoint import Dialect

register = template.Library()

State = Endpoint.State

#: how it stands -> (tone, word, icon).
STANDINGS: dict[str, tuple[str, Any, str]] = {
    State.ENABLED: ("ok", gettext_lazy("Enabled"), "check-circle"),
    "failing": ("bad", gettext_lazy("Failing"), "exclamation-triangle"),
    State.PAUSED: ("idle", gettext_lazy("Paused"), "pause-circle"),
    State.DISABLED: ("bad", gettext_lazy("Disabled"), "no-symbol"),
}

#: What each dialect is, for who chooses one.
DIALECT_WORDS = {
    Dialect.STANDARD: gettext_lazy(
        "Our own envelope, signed as Standard Webhooks. For new receivers."
    ),
    Dialect.STRIPE: gettext_lazy(
        "Event objects with Stripe-Signature, for handlers written for Stripe."
    ),
    Dialect.PAYSUPER: gettext_lazy(
        "Notifications with an Authorization signature, as PaySuper sends them."
    ),
    Dialect.PAYNOW: gettext_lazy(
        "PayNow's envelope and event names, with PayNow-Signature."
    ),
    Dialect.PAYSECURE: gettext_lazy(
        "Purchases signed with this project's own RSA key pair, as Paysecure's are."
    ),
}


@register.inclusion_tag("components/_badge.html")
def standing_badge(endpoint: Endpoint) -> dict[str, Any]:
    """How an endpoint stands, as a word with a tone."""
    failing = endpoint.state == State.ENABLED and endpoint.failing is not None
    tone, word, icon = STANDINGS["failing" if failing else endpoint.state]
    return {"tone": tone, "word": word, "icon": icon}


@register.filter
def events_word(endpoint: Endpoint) -> str:
    """What it is told, in a few words: All events; Payments, Refunds and 2 more."""
    if not endpoint.events:
        return _("All events")
    words = [event_word(name) for name in endpoint.events]
    more = len(words) - 2
    if more <= 1:
        return ", ".join(words)
    others = ngettext("%d more", "%d more", more) % more
    return _("%(some)s and %(others)s") % {
        "some": ", ".join(words[:2]),
        "others": others,
    }


@register.filter
def event_word(name: str) -> str:
    """ "payment.*" as Payments; an event as itself."""
    group = name.removesuffix(".*")
    if name not in KINDS and group in GROUPS:
        return str(GROUP_WORDS[group])
    return name


@register.filter
def mode_word(endpoint: Endpoint) -> str:
    if endpoint.livemode is None:
        return _("Live and test")
    return _("Live only") if endpoint.livemode else _("Test only")


@register.filter
def dialect_means(dialect: str) -> str:
    return str(DIALECT_WORDS[Dialect(dialect)])


@register.filter
def dialect_name(dialect: str) -> str:
    return str(Dialect(dialect).label)


@register.filter
def percent(share: float | None) -> str:
    """0.9987 as 99.8 %: never rounded up to all of it."""
    if share is None:
        return ""
    tenths = int(share * 1000)
    return "100 %" if share >= 1 else f"{tenths / 10:.1f} %"


@register.filter
def about(span: timedelta) -> str:
    """A length of time for people: less than a minute, 3 minutes, 2 hours, 4 days."""
    minutes = round(span.total_seconds() / 60)
    if minutes < 1:
        return _("less than a minute")
    if minutes < 120:
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    hours = round(minutes / 60)
    if hours < 48:
        return ngettext("%d hour", "%d hours", hours) % hours
    return _("%d days") % round(hours / 24)


@register.filter
def counted(number: int) -> str:
    """A number that was counted up to a limit: 1,000+."""
    more = number > MOST_COUNTED
    return f"{min(number, MOST_COUNTED):,}{'+' if more else ''}"
