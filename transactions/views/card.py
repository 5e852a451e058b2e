"""The card: everything known about one transaction, and what is still missing."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from merchant.access import may as role_may
from merchant.models import Member
from merchant.templatetags import show
from merchant.views.guard import may
from transactions import paging, selectors
from transactions.models import LookUp, TimelineEntry, Transaction
from transactions.templatetags import ledger
from transactions.views.learned import learned
from webhooks.models import InboundEvent

MOST_COUNTED = 100
MOST_EVENTS = 50

#: Of what happened in one second, the money's way back comes after its way here.
TOLD_LAST = {"refund": 1, "dispute": 2}

#: Facts about the method of payment, in this order, under these names.
METHOD_WORDS = {
    "wallet": _("Wallet"),
    "network": _("Network"),
    "funding": _("Funding"),
    "expires": _("Expires"),
    "holder": _("Holder"),
    "issuer": _("Issuer"),
    "country": _("Issued in"),
    "three_d_secure": _("3-D Secure"),
    "risk_level": _("Risk"),
}

#: What is a name already, and not a provider's word.
VERBATIM = frozenset({"holder", "issuer", "expires"})

#: Where a provider shows a payment: (live, test) with its id put in.
PROVIDER_PAGES = {
    "stripe": (
        "https://dashboard.stripe.com/payments/%s",
        "https://dashboard.stripe.com/test/payments/%s",
    ),
}
#: Ids that such a page can be opened by.
PAGE_IDS = {"stripe": ("pi_", "ch_", "py_")}


@require_safe
@may("view_transactions")
def card(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    transaction = selectors.find(selectors.visible_to(member), id)
    if transaction is None:
        raise Http404
    if transaction.pk != id:  # joined to another since the link was made
        return redirect("transactions:card", id=transaction.pk)
    prefetch_related_objects(
        [transaction],
        "project",
        "connection__project",
        "items",
        "references",
        "refunds",
        "disputes",
        "delivery_items",
    )
    return render(request, "transactions/card.html", context(member, transaction))


def context(member: Member, transaction: Transaction) -> dict[str, Any]:
    entries = timeline(transaction)
    sees_inbound = role_may(member.role, "view_inbound")
    return {
        "transaction": transaction,
        "timeline": entries,
        "learned": learned(reversed(entries)),
        "sees_inbound": sees_inbound,
        "inbound_events": inbound_events(entries) if sees_inbound else [],
        "method_facts": method_facts(transaction.method_details),
        "customer": transaction.customer_details,
        "others": other_purchases(member, transaction),
        "provider_page": provider_page(transaction),
        "receipt_url": web_address(transaction.details.get("receipt_url")),
        "missing": missing(transaction),
        "enters_keys": role_may(member.role, "manage_connections"),
        "mode": "live" if transaction.livemode else "test",
        "back_url": f"{reverse('transactions:list')}?livemode="
        + ("true" if transaction.livemode else "false"),
        "page_url": settings.PUBLIC_URL
        + reverse("transactions:card", args=[transaction.pk]),
        "now": timezone.now(),
    }


def timeline(transaction: Transaction) -> list[TimelineEntry]:
    """What happened, latest first by the provider's clock."""
    entries = transaction.timeline.select_related("inbound", "actor").defer(
        "inbound__body", "inbound__headers"
    )
    return sorted(
        entries,
        key=lambda entry: (
            entry.at or entry.received,
            TOLD_LAST.get(entry.topic, 0),
            entry.rank,
            entry.pk,
        ),
        reverse=True,
    )


def inbound_events(entries: list[TimelineEntry]) -> list[InboundEvent]:
    """The letters behind the timeline, newest first."""
    ids = {entry.inbound_id for entry in entries if entry.inbound_id}
    return list(InboundEvent.objects.filter(pk__in=ids).order_by("-id")[:MOST_EVENTS])


def method_facts(details: dict[str, Any]) -> list[tuple[Any, str]]:
    """(name, words) of what is known about the method; unknown names at the end."""
    order = [*METHOD_WORDS, *sorted(set(details) - set(METHOD_WORDS))]
    return [
        (METHOD_WORDS.get(name, show.spoken(name)), method_words(name, details[name]))
        for name in order
        if details.get(name)
    ]


def method_words(name: str, value: object) -> str:
    if name == "country":
        return show.country(str(value))
    words = show.fact_word(value)
    return words if name in VERBATIM else ledger.method_name(words)


def other_purchases(member: Member, transaction: Transaction) -> dict[str, Any] | None:
    """How many more this customer has in the same mode, and the list of them all."""
    if transaction.customer_id is None:
        return None
    live = transaction.livemode
    theirs = selectors.visible_to(member).filter(
        customer_id=transaction.customer_id, livemode=live
    )
    counted = paging.count_up_to([theirs.exclude(pk=transaction.pk)], MOST_COUNTED)
    query = {
        "livemode": "true" if live else "false",
        "customer": transaction.customer_id,
    }
    return {
        "words": str(counted),
        "number": counted.number,
        "url": f"{reverse('transactions:list')}?{urlencode(query)}",
    }


def missing(transaction: Transaction) -> list[LookUp]:
    """Questions that wait for an API key of the connection."""
    return list(
        transaction.look_ups.filter(state=LookUp.State.NEEDS_KEY).order_by("kind")
    )


def provider_page(transaction: Transaction) -> str:
    """The payment in the provider's own dashboard; "" where we cannot know it."""
    pages = PROVIDER_PAGES.get(transaction.provider)
    asked = transaction.provider_id
    if not pages or transaction.connection.base_url:
        return ""
    if not asked.startswith(PAGE_IDS[transaction.provider]):
        return ""
    return pages[0 if transaction.livemode else 1] % quote(asked, safe="")


def web_address(value: object) -> str:
    """A link from outside that is safe to offer; "" for anything but https."""
    text = str(value or "")
    return text if text.startswith("https://") and "@" not in text else ""
