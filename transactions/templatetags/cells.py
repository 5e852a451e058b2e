"""Template words of the list's cells and headings."""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from merchant.templatetags.show import fact_word
from transactions import fulfilment
from transactions.columns import Shown
from transactions.models import Transaction
from transactions.statuses import FulfilmentStatus

register = template.Library()

#: Where handing over stands, below the status; what needs nothing says nothing.
HANDING = {
    FulfilmentStatus.WAITING: _lazy("To hand over"),
    FulfilmentStatus.DONE: _lazy("Handed over"),
    FulfilmentStatus.REVOKED: _lazy("Taken back"),
}
FULFILMENT_TONES = {
    FulfilmentStatus.WAITING: "warn",
    FulfilmentStatus.DONE: "ok",
    FulfilmentStatus.REVOKED: "idle",
}
#: More of the metadata than this is for the card.
MOST_PAIRS, LONGEST_VALUE = 3, 60


class Settled(NamedTuple):
    minor: int | None
    currency: str


@register.simple_tag
def handing_over(transaction: Transaction) -> str:
    """Where handing over stands, in a few words; "" where there is nothing to it."""
    return str(HANDING.get(FulfilmentStatus(transaction.fulfilment), ""))


@register.simple_tag
def fulfilment_tone(transaction: Transaction) -> str:
    return FULFILMENT_TONES.get(FulfilmentStatus(transaction.fulfilment), "")


@register.simple_tag
def on_it(transaction: Transaction) -> str:
    """Who is handing it over at the moment."""
    if not fulfilment.is_claimed(transaction) or transaction.claimed_by is None:
        return ""
    return _("%s is on it") % transaction.claimed_by


@register.simple_tag
def sureness(transaction: Transaction) -> str:
    """Of an amount that its provider has not confirmed: nobody did, or who did."""
    if not transaction.accepted:
        return _("unverified")
    by = transaction.accepted_by
    return _("accepted by %s") % by if by else _("accepted by hand")


@register.simple_tag
def settled(transaction: Transaction, part: str) -> Settled:
    """The fee or the net: in the purchase's currency, else in that of the payout."""
    amount = getattr(transaction, part)
    if amount is not None or not transaction.settlement:
        return Settled(amount, transaction.currency)
    told = transaction.settlement
    return Settled(told.get(part), told.get("currency") or "")


@register.simple_tag
def some_metadata(transaction: Transaction) -> list[tuple[str, str]]:
    """The first pairs, short enough for a cell."""
    pairs = islice(transaction.metadata.items(), MOST_PAIRS)
    return [(_short(name), _short(fact_word(value))) for name, value in pairs]


def _short(words: str) -> str:
    return words if len(words) <= LONGEST_VALUE else words[: LONGEST_VALUE - 1] + "…"


@register.inclusion_tag("transactions/_heading.html")
def heading(shown: Shown, sorts: dict[str, Any] | None = None) -> dict[str, Any]:
    """A column's heading: a link where the list can be put in its order."""
    offered = (sorts or {}).get(shown.column.sort) or {}
    return {"shown": shown, "url": offered.get("url"), "aria": offered.get("aria")}
