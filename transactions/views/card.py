"""The card: everything known about one transaction, and what is still missing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import may
from transactions import (
    flags,
    history,
    next_steps,
    provider_pages,
    refund_story,
    selectors,
)
from transactions.models import LookUp, Note, Transaction, TransactionAlias
from transactions.refunds.rules import REFUNDABLE
from transactions.views import method, story
from transactions.views.fulfil import fulfilment_context
from webhooks.record import told

#: Open questions to a provider that the card speaks of.
MOST_QUESTIONS = 20
#: Chargebacks that the notice about a flagged customer names.
MOST_REASONS = 5

#: What of a transaction stands in other rows that are one each.
BESIDE = ("project", "connection__project", "customer", "accepted_by", "claimed_by")
#: And where there may be several.
CHILDREN = ("items", "references", "refunds", "disputes", "delivery_items")


@require_safe
@may("view_transactions")
def card(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    transaction = find(member, id)
    if transaction.pk != id:  # joined to another since the link was made
        return redirect("transactions:card", id=transaction.pk)
    whole = request.GET.get("show") == "all"
    return page(request, transaction, whole=whole)


def find(member: Member, id: UUID) -> Transaction:
    """The transaction with what the card needs beside it. Raises Http404."""
    rows = selectors.visible_to(member).select_related(*BESIDE)
    transaction = selectors.find(rows, id)
    if transaction is None:
        raise Http404
    return transaction


def page(
    request: HttpRequest,
    transaction: Transaction,
    /,
    *,
    whole: bool = False,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    """The whole card; `more` is context that takes the place of the usual."""
    member: Member = request.member  # type: ignore[attr-defined]
    shown = context(member, transaction, whole=whole) | more
    return render(request, "transactions/card.html", shown, status=status)


def context(
    member: Member, transaction: Transaction, *, whole: bool = False
) -> dict[str, Any]:
    prefetch_related_objects([transaction], *CHILDREN)
    sees_inbound = role_may(member.role, "view_inbound")
    tale = story.of(transaction, whole=whole, letters=sees_inbound)
    asked = questions(transaction)
    path = reverse("transactions:card", args=[transaction.pk])
    return {
        "transaction": transaction,
        "story": tale,
        "next_steps": steps(transaction, asked),
        "sees_inbound": sees_inbound,
        "method_facts": method.facts(transaction),
        "missing": [one for one in asked if one.state == LookUp.State.NEEDS_KEY],
        "refused": [one for one in asked if one.state == LookUp.State.REFUSED],
        "enters_keys": role_may(member.role, "manage_connections"),
        "receipt_url": web_address(transaction.details.get("receipt_url")),
        "mode": "live" if transaction.livemode else "test",
        "back_url": list_url(transaction),
        "card_path": path,
        "page_url": settings.PUBLIC_URL + path,
        "now": timezone.now(),
        **person(member, transaction),
        **at_the_provider(transaction),
        **notes_of(member, transaction),
        **fulfilment_context(member, transaction),
        **refunds_context(member, transaction, tale),
        **announced(member, transaction),
    }


def announced(member: Member, transaction: Transaction) -> dict[str, Any]:
    """Who was told what about it, also under the ids that it was joined with."""
    own = Transaction.objects.filter(pk=transaction.pk).values("pk")
    joined = TransactionAlias.objects.filter(transaction=transaction.pk).values("pk")
    return {
        "news": told.news_about(own.union(joined), transaction.project_id),
        "sees_deliveries": role_may(member.role, "view_deliveries"),
    }


def refunds_context(
    member: Member, transaction: Transaction, tale: story.Story
) -> dict[str, Any]:
    """What was given back and is on its way, and whether more may be asked for."""
    may_ask = role_may(member.role, "refund")
    return {
        "refunds_told": [
            refund_story.of(member, transaction, refund, tale.of_refunds)
            for refund in transaction.refunds.all()
        ],
        "may_refund": may_ask and transaction.status in REFUNDABLE,
        "may_export": role_may(member.role, "export"),
    }


def steps(transaction: Transaction, asked: list[LookUp]) -> list[next_steps.Step]:
    return next_steps.of(
        transaction,
        refunds=transaction.refunds.all(),
        disputes=transaction.disputes.all(),
        look_ups=asked,
        now=timezone.now(),
    )


def questions(transaction: Transaction) -> list[LookUp]:
    """What the provider has still to answer, or would not."""
    rows = transaction.look_ups.exclude(state=LookUp.State.DONE)
    return list(rows.order_by("kind", "pk")[:MOST_QUESTIONS])


def person(member: Member, transaction: Transaction) -> dict[str, Any]:
    """Who bought: accounts elsewhere, other purchases, and why they are flagged."""
    who = transaction.customer
    details = transaction.customer_details
    flagged = who is not None and who.flagged
    return {
        "customer": details,
        "identities": provider_pages.accounts(details.get("identities")),
        "history": history.of(member, transaction),
        "twins": history.twins(member, transaction),
        "purchases_url": list_url(transaction, customer=transaction.customer_id),
        "reasons": flags.reasons(who)[:MOST_REASONS] if who and flagged else [],
        "clears_flags": role_may(member.role, "clear_flags"),
    }


def at_the_provider(transaction: Transaction) -> dict[str, Any]:
    """The provider's ids, each with its page there where one is known."""
    names = [(row.kind, row.reference) for row in transaction.references.all()]
    return {
        "provider_page": provider_pages.page(transaction, transaction.provider_id),
        "customer_page": provider_pages.customer_page(transaction),
        "references": [
            (kind, id, provider_pages.page(transaction, id)) for kind, id in names
        ],
    }


def notes_of(
    member: Member,
    transaction: Transaction,
    *,
    editing: Note | None = None,
    draft: str = "",
    trouble: str = "",
) -> dict[str, Any]:
    """The notes by staff. `editing` is open in a form; `draft` is what a form holds
    that could not be kept, and `trouble` why."""
    return {
        "transaction": transaction,
        "notes": list(transaction.notes.all()),
        "writes_notes": role_may(member.role, "write_notes"),
        "author": member.user_id,
        "editing": editing,
        "draft": editing.text if editing and not trouble else draft,
        "trouble": trouble,
    }


def list_url(transaction: Transaction, **query: Any) -> str:
    """The list in the transaction's mode."""
    mode = {"livemode": "true" if transaction.livemode else "false"}
    return f"{reverse('transactions:list')}?{urlencode(mode | query)}"


def web_address(value: object) -> str:
    """A link from outside that is safe to offer; "" for anything but https."""
    text = str(value or "")
    return text if text.startswith("https://") and "@" not in text else ""
