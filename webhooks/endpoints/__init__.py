"""Endpoints: the servers that are told what happened. The verbs are named here; pages,
API and commands use no other way to change one.

    create, change, delete, pause, enable      each checked, locked and in the audit log
    reveal, roll, make_pair, live_secrets      what signs its letters (rolling)
    terms                  what each of its fields may be
    form, listing, at_a_glance, mail, alerts   what pages and mails need of it

All verbs raise NotUsable with a sentence for staff and the field's name.
"""

from __future__ import annotations

from webhooks.endpoints.rolling import (
    MOST_LIVE,
    live_secrets,
    make_pair,
    newest_secret,
    reveal,
    roll,
)
from webhooks.endpoints.terms import NotUsable
from webhooks.endpoints.verbs import change, create, delete, enable, pause

__all__ = [
    "MOST_LIVE", "NotUsable", "change", "create", "delete", "enable", "live_secrets",
    "make_pair", "newest_secret", "pause", "reveal", "roll",
]  # fmt: skip
