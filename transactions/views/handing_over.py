"""Staff's acts on one transaction, from its card and from the queue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST

from merchant import htmx
from merchant.models import Member
from merchant.views.guard import may
from transactions import acceptance, fulfilment
from transactions.fulfilment import Refused
from transactions.models import Transaction
from transactions.statuses import Act
from transactions.views import card, queue
from transactions.views.fulfil import ActForm

#: What a form told: item, of, reference, note.
Told = dict[str, str]


@dataclass(frozen=True, slots=True)
class Deed:
    """`act` is what it enters; `words` the toast; `do` the verb."""

    act: Act
    words: Any
    do: Callable[[Member, UUID, Told], Refused]


#: The last part of the address -> what it does.
DEEDS = {
    "claim": Deed(
        Act.CLAIMED,
        _lazy("You are on it"),
        lambda by, id, told: fulfilment.claim(by.user, [id]),
    ),
    "take-over": Deed(
        Act.CLAIMED,
        _lazy("You are on it now"),
        lambda by, id, told: fulfilment.claim(by.user, [id], take_over=True),
    ),
    "release": Deed(
        Act.RELEASED,
        _lazy("You are not on it"),
        lambda by, id, told: fulfilment.release(by.user, [id]),
    ),
    "done": Deed(
        Act.DONE,
        _lazy("Handed over"),
        lambda by, id, told: fulfilment.mark_done(
            by.user,
            [id],
            item=told["item"],
            note=told["note"],
            reference=told["reference"],
        ),
    ),
    "undo": Deed(
        Act.UNDONE,
        _lazy("Undone"),
        lambda by, id, told: fulfilment.undo(
            by.user, [id], item=told["item"], of=told["of"], note=told["note"]
        ),
    ),
    "revoke": Deed(
        Act.REVOKED,
        _lazy("Taken back"),
        lambda by, id, told: fulfilment.revoke(
            by.user, [id], item=told["item"], note=told["note"]
        ),
    ),
    "keep": Deed(
        Act.KEPT,
        _lazy("Left with the customer"),
        lambda by, id, told: fulfilment.keep(by.user, [id], note=told["note"]),
    ),
}


@require_POST
@may("fulfil")
def act(request: HttpRequest, id: UUID, act: str) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    deed = DEEDS.get(act)
    if deed is None:
        raise Http404
    transaction = card.find(member, id)
    form = ActForm(request.POST)
    error = form.sentence or _try(member, transaction, deed, form.cleaned_data)
    answer = queue.answer if request.POST.get("from") == "queue" else _answer
    return answer(
        request,
        card.find(member, transaction.pk),
        act=act,
        words=str(deed.words),
        error=error,
        typed=request.POST,
    )


def _try(member: Member, row: Transaction, deed: Deed, told: Told) -> str:
    """Does it; why it was refused, "" where it stands now or did already."""
    refused = deed.do(member, row.pk, told).get(row.pk, "")
    if not refused:
        return ""
    entries = list(row.timeline.filter(topic="fulfilment"))
    again = fulfilment.is_again(member.user, entries, deed.act, told["item"])
    return "" if again else refused


def _answer(
    request: HttpRequest,
    transaction: Transaction,
    *,
    act: str,
    words: str,
    error: str,
    typed: Any,
) -> HttpResponse:
    """The card's section again, or the card where there is no script."""
    member: Member = request.member  # type: ignore[attr-defined]
    failed = {"act_error": error, "failed_act": act, "typed": typed} if error else {}
    if not htmx.is_htmx(request):
        if error:
            return card.page(request, transaction, status=409, **failed)
        messages.success(request, words)
        return redirect(_address(transaction))
    context = card.context(member, transaction) | failed | {"swapped": True}
    status = 422 if error else 200
    response = render(
        request, "transactions/_fulfilment_changed.html", context, status=status
    )
    return response if error else htmx.toast(request, response, words)


def _address(transaction: Transaction) -> str:
    return reverse("transactions:card", args=[transaction.pk]) + "#fulfilment"


# ------------------------------------------------------------------------- acceptance
@require_POST
@may("accept_amount")
def accept(request: HttpRequest, id: UUID) -> HttpResponse:
    """Takes the amount on the member's word, or takes that back."""
    member: Member = request.member  # type: ignore[attr-defined]
    transaction = card.find(member, id)
    form = ActForm(request.POST)
    taking_back = request.POST.get("act") == "withdraw"
    error = form.sentence
    if not error:
        try:
            if taking_back:
                acceptance.withdraw(
                    member, transaction.pk, form.cleaned_data["note"], request=request
                )
            else:
                acceptance.accept(
                    member,
                    transaction.pk,
                    form.cleaned_data["note"],
                    seen=_seen(request),
                    request=request,
                )
        except acceptance.NotNow as no:
            error = str(no)
    if error:
        return card.page(
            request,
            card.find(member, transaction.pk),
            status=409,
            acceptance_error=error,
            typed=request.POST,
        )
    words = _("Acceptance taken back") if taking_back else _("Amount accepted")
    to = reverse("transactions:card", args=[transaction.pk])
    return htmx.redirect(request, to, words=words)


def _seen(request: HttpRequest) -> acceptance.Figures:
    """The figures that stood in the form, in its order: amount, currency, refunded."""
    amount, currency, refunded = (
        request.POST.get(name, "") for name in ("amount", "currency", "refunded")
    )
    return [_number(amount), currency, _number(refunded)]


def _number(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None
