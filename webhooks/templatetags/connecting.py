"""Template words of connections: how they stand, what their keys are called."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import gettext_lazy as _

from merchant.models import Connection, Secret
from merchant.providers import PROVIDERS
from webhooks.connection_forms import key_words as words_of_key
from webhooks.hearing import Standing, State

register = template.Library()

#: state -> (tone, icon, word)
STATES: dict[State, tuple[str, str, Any]] = {
    State.CLOSED: ("idle", "lock-closed", _("Closed")),
    State.NO_KEY: ("bad", "key", _("Needs a key")),
    State.WAITING: ("info", "clock", _("Waiting")),
    State.SILENT: ("bad", "signal-slash", _("Silent")),
    State.ELSEWHERE: ("warn", "arrow-top-right-on-square", _("Reports elsewhere")),
    State.HEARD: ("ok", "check-circle", _("Heard")),
}


@register.inclusion_tag("components/_badge.html")
def standing_badge(standing: Standing) -> dict[str, Any]:
    """How the connection stands as a word with a tone."""
    tone, icon, word = STATES[standing.state]
    return {"tone": tone, "icon": icon, "word": word}


@register.filter
def key_words(secret: Secret) -> str:
    return words_of_key(secret)


@register.filter
def key_name(connection: Connection) -> Any:
    """What its provider calls the key that proves deliveries."""
    return PROVIDERS[connection.provider].setup.key.label
