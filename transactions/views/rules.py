"""The rule by which a product, or all of a project, is handed over: seen and set."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_POST, require_safe

from merchant import htmx
from merchant.access import may as role_may
from merchant.models import Member, Project
from merchant.selectors import projects_of
from merchant.views.guard import may
from transactions import fulfilment_rules, periods
from transactions.fulfilment_rules import NotARule, Rule
from transactions.models import FulfilmentRule, Product
from transactions.paging import Position

#: So much of the history is shown.
MOST_SHOWN = 20

NOW, DAY, ALL = "now", "day", "all"

#: What each rule means, as the form says it.
HINTS = {
    Rule.PROJECT: _lazy("No rule of its own."),
    Rule.MANUAL: _lazy("Waits in the queue until a member hands it over."),
    Rule.EXTERNAL: _lazy(
        "Your shop or the provider does it: done as soon as it is paid."
    ),
    Rule.NONE: _lazy("There is nothing to hand over."),
}


@require_safe
@may("view_transactions")
def of_product(request: HttpRequest, id: UUID) -> HttpResponse:
    product = _product(request, id)
    return _show(request, product.project, product)


@require_safe
@may("view_transactions")
def of_project(request: HttpRequest, id: UUID) -> HttpResponse:
    return _show(request, _project(request, id), None)


@require_POST
@may("set_rules")
def set_of_product(request: HttpRequest, id: UUID) -> HttpResponse:
    product = _product(request, id)
    return _set(request, product.project, product)


@require_POST
@may("set_rules")
def set_of_project(request: HttpRequest, id: UUID) -> HttpResponse:
    return _set(request, _project(request, id), None)


def context(
    request: HttpRequest, project: Project, product: Product | None
) -> dict[str, Any]:
    """What `rules/_rule.html` draws: the rule that holds, its history, and the form."""
    member: Member = request.member  # type: ignore[attr-defined]
    default = fulfilment_rules.of_projects([project])[project.pk]
    rows = list(fulfilment_rules.history(project, product)[:MOST_SHOWN])
    now = fulfilment_rules.now_of(rows, Rule.PROJECT if product else default)
    typed = request.POST
    choices = fulfilment_rules.OF_PRODUCT if product else fulfilment_rules.OF_PROJECT
    return {
        "product": product,
        "project": project,
        "rule_words": fulfilment_rules.in_words(now, default),
        "rule_history": [(row, _reaches(row)) for row in rows],
        "rule_runs": [(row, _how_far(row)) for row in rows if not row.applied],
        "rule_choices": [
            {
                "value": rule.value,
                "label": fulfilment_rules.in_words(rule, default),
                "hint": HINTS[rule],
                "chosen": rule == typed.get("rule", now),
            }
            for rule in choices
        ],
        "reach": typed.get("reach", NOW),
        "day": typed.get("day", ""),
        "today": timezone.localdate().isoformat(),
        "sets_rules": role_may(member.role, "set_rules"),
        "rule_url": _address(project, product),
        "set_url": _address(project, product, set=True),
    }


# --------------------------------------------------------------------------- answers
def _show(
    request: HttpRequest,
    project: Project,
    product: Product | None,
    *,
    trouble: str = "",
) -> HttpResponse:
    return htmx.answer(
        request,
        page="transactions/rules/page.html",
        partial="transactions/rules/_rule.html",
        context=context(request, project, product) | {"rule_trouble": trouble},
        status=422 if trouble else 200,
    )


def _set(
    request: HttpRequest, project: Project, product: Product | None
) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    try:
        fulfilment_rules.set(
            member,
            project,
            product,
            request.POST.get("rule", ""),
            since=_since(request),
            request=request,
        )
    except NotARule as error:
        return _show(request, project, product, trouble=str(error))
    if not htmx.is_partial(request):
        return htmx.redirect(request, _page_of(project, product), words=_("Rule set"))
    told = context(request, project, product)
    answer = render(request, "transactions/rules/_rule.html", told)
    return htmx.toast(request, answer, _("Rule set"))


def _since(request: HttpRequest) -> datetime | None | Literal["now"]:
    """From when on the form means; None is always. Raises NotARule."""
    reach = request.POST.get("reach", NOW)
    if reach == ALL:
        return None
    if reach == NOW:
        return "now"
    if reach != DAY:
        raise NotARule(_("Choose for which purchases the rule is."))
    try:
        day = datetime.fromisoformat(request.POST.get("day", "").strip()).date()
    except ValueError:
        raise NotARule(_("Choose the day from which on the rule holds.")) from None
    if not 1971 <= day.year <= 2900:
        raise NotARule(_("Choose the day from which on the rule holds."))
    return periods.midnight(day, timezone.get_current_timezone())  # type: ignore[arg-type]


# ----------------------------------------------------------------------------- words
def _reaches(row: FulfilmentRule) -> str:
    """For which purchases it was set: "now", "all", or "" where it is a day."""
    if row.since is None:
        return ALL
    return NOW if row.since == row.created else ""


def _how_far(row: FulfilmentRule) -> datetime | None:
    """Of the purchases, the newest first, the time of the last one that it reached."""
    return Position.read(row.reached).created if row.reached else None


# ------------------------------------------------------------------------- addresses
def _product(request: HttpRequest, id: UUID) -> Product:
    member: Member = request.member  # type: ignore[attr-defined]
    mine = Product.objects.select_related("project")
    return get_object_or_404(mine, pk=id, project__in=projects_of(member))


def _project(request: HttpRequest, id: UUID) -> Project:
    member: Member = request.member  # type: ignore[attr-defined]
    return get_object_or_404(projects_of(member), pk=id)


def _address(project: Project, product: Product | None, *, set: bool = False) -> str:
    kind, id = ("product", product.pk) if product else ("project", project.pk)
    return reverse(f"transactions:{'set_' if set else ''}{kind}_rule", args=[id])


def _page_of(project: Project, product: Product | None) -> str:
    if product is None:
        return _address(project, None)
    return f"{reverse('transactions:product', args=[product.pk])}#rule"
