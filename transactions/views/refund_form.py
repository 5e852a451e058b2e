"""Asking for a refund: the form in the card's dialog, and as a page of its own."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods

from merchant import fresh_login, htmx
from merchant.access import may as role_may
from merchant.models import Member
from merchant.money import Inexact, Money, NotMoney, exponent
from merchant.templatetags.show import digits, money_text
from merchant.views.guard import may
from transactions import refunds
from transactions.models import Transaction
from transactions.refunds import NotNow, Options
from transactions.statuses import AfterRefund, RefundReason, RefundStatus
from transactions.templatetags.ledger import buyer
from transactions.views import card

NOTE = 500
#: What a form holds, and is kept while the password is asked for.
NAMES = ("amount", "line", "reason", "note", "after", "notify", "key")


class AskForm(forms.Form):
    """The parts of a request that do not depend on the provider."""

    reason = forms.ChoiceField(
        choices=RefundReason,
        error_messages={"invalid_choice": _lazy("Choose a reason of the list.")},
    )
    note = forms.CharField(required=False, max_length=NOTE)
    after = forms.ChoiceField(
        required=False,
        choices=AfterRefund,
        error_messages={"invalid_choice": _lazy("Choose what happens to it.")},
    )
    notify = forms.BooleanField(required=False)
    line = forms.CharField(required=False, max_length=120, strip=False)
    key = forms.RegexField(r"\A[0-9a-f]{32}\Z")


@require_http_methods(["GET", "HEAD", "POST"])
@may("refund")
def ask(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    transaction = card.find(member, id)
    if transaction.pk != id:  # joined to another since the link was made
        return redirect("transactions:ask_refund", id=transaction.pk)
    prefetch_related_objects([transaction], "refunds", "disputes", "items")
    if request.method != "POST":
        draft = request.session.pop(_draft_name(transaction), None)
        return _show(request, transaction, draft or {}, {})
    return _asked(request, member, transaction)


def _asked(
    request: HttpRequest, member: Member, transaction: Transaction
) -> HttpResponse:
    form = AskForm(request.POST)
    trouble = {name: str(found[0]) for name, found in form.errors.items()}
    amount = _amount(transaction, request.POST, trouble)
    if trouble:
        return _show(request, transaction, request.POST, trouble, status=422)
    told = form.cleaned_data
    if _is_above(member, transaction, amount, told["line"]) and not (
        fresh_login.is_fresh(request)
    ):
        draft = {name: request.POST.get(name, "") for name in NAMES}
        request.session[_draft_name(transaction)] = draft
        return fresh_login.ask(request, address(transaction))
    try:
        refund = refunds.request(
            member,
            transaction,
            amount=None if told["line"] else amount,
            line=told["line"],
            reason=told["reason"],
            note=told["note"],
            after=told["after"] or AfterRefund.KEEP,
            notify=told["notify"],
            key=f"{transaction.pk}:{told['key']}",
            http=request,
        )
    except NotNow as error:
        trouble = {error.field: str(error)}
        return _show(request, transaction, request.POST, trouble, status=422)
    waits = refund.status == RefundStatus.AWAITING_APPROVAL
    words = _("Waits for approval") if waits else _("Refund asked for")
    # From the dialog, an address that differs in its # alone would load nothing.
    place = "" if htmx.is_htmx(request) else "#refunds"
    return htmx.redirect(request, _card(transaction) + place, words=words)


def _amount(row: Transaction, typed: Any, trouble: dict[str, str]) -> int | None:
    """Minor units that the form means; None where that is a line, or wrong."""
    if typed.get("line"):
        return None
    try:
        return typed_amount(typed.get("amount", ""), row.currency)
    except NotMoney as error:
        trouble["amount"] = str(error)
        return None


def typed_amount(text: str, currency: str) -> int:
    """Minor units of an amount as people type it: 44.99, 44,99, EUR 1,234.50.

    Raises NotMoney with a sentence.
    """
    places = exponent(currency)
    text = re.sub(rf"\s|{re.escape(currency)}", "", text, flags=re.IGNORECASE)
    if places and re.fullmatch(rf"\d+,\d{{1,{min(places, 2)}}}", text):
        text = text.replace(",", ".")
    elif re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    if not re.fullmatch(r"\d{1,14}(\.\d{1,8})?", text, re.ASCII):
        raise NotMoney(_("Write an amount, like %s.") % digits(1250, currency))
    try:
        return Money.from_major(text, currency).minor
    except Inexact:
        words = _("%(currency)s has %(places)d decimals.")
        told = {"currency": currency.upper(), "places": places}
        raise NotMoney(words % told) from None


def _is_above(member: Member, row: Transaction, amount: int | None, line: str) -> bool:
    if line:
        lines = {one.key: one.amount for one in refunds.options(row).lines}
        amount = lines.get(line, 0)
    return bool(refunds.above(member, row.project, amount or 0, row.currency))


# --------------------------------------------------------------------------- answers
def _show(
    request: HttpRequest,
    transaction: Transaction,
    typed: Any,
    trouble: dict[str, str],
    *,
    status: int = 200,
) -> HttpResponse:
    """The form; `typed` as it was sent, `trouble`: field -> what is wrong there."""
    posted = request.method == "POST"
    partial = "_form.html" if posted else "_dialog.html"
    return htmx.answer(
        request,
        page="transactions/refunds/ask.html",
        partial=f"transactions/refunds/{partial}",
        context=_context(request, transaction, typed, trouble),
        status=status,
    )


def _context(
    request: HttpRequest, row: Transaction, typed: Any, trouble: dict[str, str]
) -> dict[str, Any]:
    member: Member = request.member  # type: ignore[attr-defined]
    options = refunds.options(row)
    shown = {
        "amount": digits(options.left, row.currency) if row.currency else "",
        "reason": RefundReason.REQUESTED_BY_CUSTOMER.value,
        "after": AfterRefund.KEEP.value,
        "key": uuid4().hex,
    }
    shown |= {name: typed.get(name, "") for name in NAMES if name in typed}
    beside = {"amount", "reason", "note"}
    beside |= {"line"} if options.lines else set()
    beside |= {"after"} if options.revocable else set()
    return {
        "transaction": row,
        "options": options,
        "typed": shown,
        "trouble": {name: words for name, words in trouble.items() if name in beside},
        "sentence": next((w for n, w in trouble.items() if n not in beside), ""),
        "whole": money_text(options.left, row.currency),
        "label": money_text(_shown_amount(row, options, shown), row.currency),
        "who": buyer(row),
        "above": _above(member, row, options),
        "in_dialog": request.POST.get("dialog") == "1"
        or (request.method != "POST" and htmx.is_partial(request)),
        "ask_url": address(row),
        "card_url": _card(row),
        "enters_keys": role_may(member.role, "manage_connections")
        and row.connection.closed is None
        and not row.connection.has_api_key,
        "mode": "live" if row.livemode else "test",
    }


def _shown_amount(row: Transaction, options: Options, typed: dict[str, str]) -> int:
    """What the button is called after: the amount as it stands in the form."""
    line = next((one for one in options.lines if one.key == typed.get("line")), None)
    if line:
        return line.amount
    try:
        return typed_amount(typed.get("amount", ""), row.currency)
    except NotMoney:
        return options.left


def _above(member: Member, row: Transaction, options: Options) -> str:
    """Why all that is left needs a second member, said before it is asked for."""
    if options.why_not:
        return ""
    return refunds.above(member, row.project, options.left, row.currency)


def address(row: Transaction) -> str:
    return reverse("transactions:ask_refund", args=[row.pk])


def _card(row: Transaction) -> str:
    return reverse("transactions:card", args=[row.pk])


def _draft_name(row: Transaction) -> str:
    return f"refund-{row.pk}"
