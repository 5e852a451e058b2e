"""What each line of a timeline told that was not known before it."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from transactions.models import TimelineEntry

#: column -> what people call it; several columns may be one thing to them.
WORDS = {
    "money": _lazy("amount"),
    "customer_name": _lazy("customer"),
    "customer_email": _lazy("customer"),
    "customer_phone": _lazy("customer"),
    "method": _lazy("payment method"),
    "method_brand": _lazy("payment method"),
    "method_last4": _lazy("payment method"),
    "items": _lazy("items"),
    "settlement": _lazy("fee and net"),
    "refunded_total": _lazy("amount refunded"),
    "order_reference": _lazy("order reference"),
    "verified": _lazy("whether the amount is confirmed"),
    "reason": _lazy("reason"),
    "failure_reason": _lazy("reason"),
    "due_by": _lazy("date to answer by"),
    "arrives": _lazy("date of arrival"),
    "expires": _lazy("expiry"),
    "receipt_url": _lazy("receipt"),
}

#: Topics that speak of the purchase itself; every other object has its own columns.
PURCHASE = ("payment", "invoice")


def learned(oldest_first: Iterable[TimelineEntry]) -> dict[int, str]:
    """entry id -> "adds items, customer and amount", or that it says nothing new.

    "" for a line whose first sentence is all there is to say.
    """
    known: dict[tuple[str, str], object] = {}
    seen: set[tuple[str, str, str]] = set()
    told: dict[int, str] = {}
    for entry in oldest_first:
        if entry.source == TimelineEntry.Source.STAFF:
            continue
        about = "" if entry.topic in PURCHASE else f"{entry.topic} {entry.object_id}"
        added = [
            str(WORDS[name]) for name in WORDS if _is_new(entry, name, about, known)
        ]
        state = (entry.object_kind, entry.object_id, entry.status)
        if added:
            words = get_text_list(list(dict.fromkeys(added)), _("and"))
            told[entry.pk] = _("adds %s") % words
        else:
            told[entry.pk] = _("says nothing new") if state in seen else ""
        seen.add(state)
    return told


def _is_new(
    entry: TimelineEntry,
    column: str,
    about: str,
    known: dict[tuple[str, str], object],
) -> bool:
    """Whether the entry says this, and nobody had said the same; notes that it did."""
    if column not in entry.says:
        return False
    _weight, value = entry.says[column]
    place = (about, column)
    if value in (None, "", [], 0) or known.get(place) == value:
        return False
    known[place] = value
    return True
