"""Taking an unverified amount on a member's own word, and taking that word back.

What a provider told without signing it counts as paid only once it is confirmed. A
member who looked at the provider's own page may say that it is so; the row then says
who did. Should the figures change, that word is void (transactions.fold.fulfilment).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction as database
from django.http import HttpRequest
from django.utils.translation import gettext as _

from merchant import audit
from merchant.models import Member
from transactions import acts, ledger
from transactions.fold.fulfilment import figures
from transactions.models import TimelineEntry, Transaction
from transactions.statuses import MONEY_CAME, Act, Status

#: What is accepted: amount, currency and what has been given back.
Figures = list[Any]
#: Given a transaction and its timeline, the act to enter; None where it stands already.
Look = Callable[[Transaction, Sequence[TimelineEntry]], TimelineEntry | None]


class NotNow(Exception):
    """It cannot be accepted or taken back; `str()` is a sentence for staff."""


def accept(
    by: Member,
    id: UUID,
    note: str,
    *,
    seen: Figures | None = None,
    request: HttpRequest | None = None,
) -> None:
    """Takes the amount on the member's word; `note` says how they know.

    `seen`: the figures as they were shown, so that nobody accepts others than they
    saw. Raises NotNow.
    """
    if not note.strip():
        raise NotNow(_("Write down how you know that the amount is right."))

    def decide(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> TimelineEntry | None:
        if row.accepted and row.accepted_by_id == by.user_id:
            return None
        _must_be_open(row)
        if seen is not None and seen != figures_of(row):
            raise NotNow(_("The amount has changed since you looked. Look again."))
        says = {"figures": figures_of(row)}
        return acts.entry(row, Act.ACCEPTED, by.user, says=says, note=note)

    _act(by, id, "transaction.amount_accepted", decide, request)


def withdraw(
    by: Member, id: UUID, note: str = "", *, request: HttpRequest | None = None
) -> None:
    """Takes back that the amount was accepted, whoever did. Raises NotNow."""

    def decide(row: Transaction, timeline: Sequence[TimelineEntry]) -> TimelineEntry:
        if row.accepted is None:
            raise NotNow(_("Nobody has accepted this amount."))
        return acts.entry(row, Act.WITHDRAWN, by.user, note=note)

    _act(by, id, "transaction.acceptance_withdrawn", decide, request)


def figures_of(row: Transaction) -> Figures:
    return figures(
        {
            "amount": row.amount,
            "currency": row.currency,
            "amount_refunded": row.amount_refunded,
        }
    )


def why_not(row: Transaction) -> str:
    """Why there is nothing to accept, in a sentence; "" where there is."""
    if row.verified:
        return _("The provider has confirmed the amount.")
    if row.accepted is not None:
        return _("The amount is accepted already.")
    if row.status not in MONEY_CAME:
        return _("The payment is %s.") % Status(row.status).label.lower()
    if row.amount is None or not row.currency:
        return _("The provider has not said the amount.")
    return ""


def _must_be_open(row: Transaction) -> None:
    if sentence := why_not(row):
        raise NotNow(sentence)


@database.atomic
def _act(
    by: Member, id: UUID, verb: str, decide: Look, request: HttpRequest | None
) -> None:
    """Enters the act, and into the merchant's audit log what it was about."""
    seen: list[tuple[Transaction, TimelineEntry | None]] = []

    def look(
        row: Transaction, timeline: Sequence[TimelineEntry]
    ) -> list[TimelineEntry]:
        entry = decide(row, timeline)
        seen.append((row, entry))
        return [entry] if entry else []

    ledger.act([id], look)
    if not seen:
        raise NotNow(_("It is a part of another transaction now."))
    for row, entry in seen:
        if entry is not None:
            detail = {
                "amount": row.amount,
                "currency": row.currency,
                "note": entry.says["note"][1] if "note" in entry.says else "",
            }
            audit.note(by, verb, row, detail=detail, request=request)
