"""How much each role may give back alone, project by project: seen and set."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST, require_safe

from merchant import audit, htmx
from merchant.access import MAY, ROLES
from merchant.models import Member, Project
from merchant.money import NotMoney, currency_code
from merchant.selectors import projects_of
from merchant.views.guard import may
from transactions import refunds
from transactions.models import RefundLimit
from transactions.views.refund_form import typed_amount

#: Who can be limited: those who may ask, and API keys.
ASKERS = [
    *((role, role.capitalize()) for role in ROLES if role in MAY["refund"]),
    (RefundLimit.API_KEYS, _lazy("API keys")),
]
NAMES = ("role", "currency", "each", "daily")
#: Projects on the page.
MOST = 100


@require_safe
@may("set_refund_limits")
def page(request: HttpRequest) -> HttpResponse:
    return _show(request)


@require_POST
@may("set_refund_limits")
def set_limit(request: HttpRequest, id: UUID) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    project = get_object_or_404(projects_of(member), pk=id)
    typed = {name: request.POST.get(name, "").strip() for name in NAMES}
    if "remove" in request.POST:
        typed |= {"each": "", "daily": ""}
    trouble: dict[str, str] = {}
    told = _read(typed, trouble, removes="remove" in request.POST)
    if trouble:
        return _show(request, project=project, typed=typed, trouble=trouble)
    refunds.set_limit(member, project, **told)
    audit.note(
        member,
        "refund.limit_set",
        project,
        detail=told,
        request=request,
    )
    removed = told["each"] is None and told["daily"] is None
    words = _("Limit removed") if removed else _("Limit set")
    to = f"{reverse('transactions:refund_limits')}#{project.slug}"
    return htmx.redirect(request, to, words=words)


def _read(
    typed: dict[str, str], trouble: dict[str, str], *, removes: bool
) -> dict[str, Any]:
    """What refunds.set_limit takes; `trouble` says what is wrong, field by field."""
    if typed["role"] not in dict(ASKERS):
        trouble["role"] = _("Choose who is limited.")
    currency = ""
    try:
        currency = currency_code(typed["currency"])
    except NotMoney:
        trouble["currency"] = _("Write a currency code, like EUR.")
    amounts: dict[str, int | None] = {}
    for name in ("each", "daily"):
        amounts[name] = _amount(name, typed[name], currency, trouble)
    if not removes and not typed["each"] and not typed["daily"]:
        trouble["each"] = _("Write at least one of the two amounts.")
    return {"role": typed["role"], "currency": currency, **amounts}


def _amount(name: str, text: str, currency: str, trouble: dict[str, str]) -> int | None:
    if not text or not currency:
        return None
    try:
        return typed_amount(text, currency)
    except NotMoney as error:
        trouble[name] = str(error)
        return None


def _show(
    request: HttpRequest,
    *,
    project: Project | None = None,
    typed: dict[str, str] | None = None,
    trouble: dict[str, str] | None = None,
) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    shops = list(projects_of(member)[:MOST])
    known: dict[UUID, list[RefundLimit]] = {}
    rows = RefundLimit.objects.filter(project__in=shops).select_related("set_by")
    for limit in rows:
        known.setdefault(limit.project_id, []).append(limit)
    names = dict(ASKERS)
    context = {
        "shops": [
            {
                "project": shop,
                "limits": [
                    (limit, names.get(limit.role, limit.role))
                    for limit in known.get(shop.pk, [])
                ],
                "typed": typed if shop == project else {},
                "trouble": trouble if shop == project else {},
            }
            for shop in shops
        ],
        "askers": ASKERS,
    }
    return render(
        request,
        "transactions/refunds/limits.html",
        context,
        status=422 if trouble else 200,
    )
