"""Sending again: one delivery, an event, or many at once after saying how many."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from merchant import htmx
from merchant.models import Member
from merchant.views.guard import may
from webhooks import resends
from webhooks.delivery import resending
from webhooks.models import Endpoint
from webhooks.record import told
from webhooks.resends.form import CHOSEN, FAILED, ChosenForm, SinceForm
from webhooks.resends.plans import Plan
from webhooks.views import deliveries, events
from webhooks.views.deliveries import member_of

PAGE = "webhooks/deliveries/resend.html"
#: What the form proposes.
SINCE_THEN = timedelta(hours=24)


# -------------------------------------------------------------------------------- one
@require_POST
@may("resend")
def resend_one(request: HttpRequest, id: str) -> HttpResponse:
    """This delivery again, or its event to another endpoint (`to`)."""
    member = member_of(request)
    row = deliveries.find(member, id)
    try:
        if request.POST.get("to"):
            to = _endpoint(member, request.POST["to"])
            sent = resending.event_to(row.event, to, member)
        else:
            sent = resending.again(row, member)
    except resending.NotPossible as error:
        return deliveries.show(request, row, trouble=str(error), status=409)
    page = reverse("webhooks:delivery", args=[sent.pk])
    return htmx.redirect(request, page, words=_("It is sent again"))


@require_POST
@may("resend")
def send_event(request: HttpRequest, key: str) -> HttpResponse:
    """An event to an endpoint (`endpoint`), whether or not it was told before."""
    member = member_of(request)
    row = events.find(member, key)
    try:
        to = _endpoint(member, request.POST.get("endpoint", ""))
        sent = resending.event_to(row, to, member)
    except resending.NotPossible as error:
        return events.show(request, row, trouble=str(error), status=409)
    page = reverse("webhooks:delivery", args=[sent.pk])
    return htmx.redirect(request, page, words=_("It is on its way"))


def _endpoint(member: Member, id: str) -> Endpoint:
    """Raises Http404 where the member has none of that id."""
    known = deliveries.as_uuid(id)
    found = told.endpoints_of(member).filter(pk=known).first() if known else None
    if found is None:
        raise Http404
    return found


# ------------------------------------------------------------------------------- many
@require_http_methods(["GET", "HEAD", "POST"])
@may("resend")
def resend(request: HttpRequest) -> HttpResponse:
    """All that failed or is missing since a moment, or what was chosen in the list.

    Nothing goes out before a page has said how many that is.
    """
    member = member_of(request)
    if request.method != "POST":
        return _ask(request, SinceForm(None, member, initial=_proposed(request.GET)))
    if request.POST.get("what") == CHOSEN:
        return _chosen(request, ChosenForm(request.POST, member))
    return _since(request, SinceForm(request.POST, member))


def _chosen(request: HttpRequest, form: ChosenForm) -> HttpResponse:
    if not form.is_valid():
        return _confirm_chosen(request, form, status=422)
    if not request.POST.get("confirmed"):
        return _confirm_chosen(request, form)
    try:
        return _send(request, form.plan, form.filter_query)
    except resending.NotPossible as error:
        return _confirm_chosen(request, form, trouble=str(error), status=409)


def _confirm_chosen(
    request: HttpRequest, form: ChosenForm, *, trouble: str = "", status: int = 200
) -> HttpResponse:
    number, more = form.plan.count()
    context = {
        "form": form,
        "fields": [form["to"], form["rate"]],
        "hidden": form.carried,
        "confirms": number > 0,
        "asks": _("Send %s again") % deliveries_words(number, more),
        "nothing": _("Nothing was selected."),
        "trouble": trouble,
        "back_url": _list(form.filter_query),
    }
    return render(request, PAGE, context, status=status)


def _since(request: HttpRequest, form: SinceForm) -> HttpResponse:
    if not form.is_valid():
        return _ask(request, form, status=422)
    if not request.POST.get("confirmed"):
        return _confirm_since(request, form)
    query = urlencode({"endpoint": str(form.cleaned_data["endpoint"].pk)})
    try:
        return _send(request, form.plan, query)
    except resending.NotPossible as error:
        return _confirm_since(request, form, trouble=str(error), status=409)


def _ask(request: HttpRequest, form: SinceForm, *, status: int = 200) -> HttpResponse:
    context = {
        "form": form,
        "fields": list(form),
        "back_url": reverse(deliveries.LIST),
    }
    return render(request, PAGE, context, status=status)


def _confirm_since(
    request: HttpRequest, form: SinceForm, *, trouble: str = "", status: int = 200
) -> HttpResponse:
    number, more = form.plan.count()
    failed = form.cleaned_data["what"] == FAILED
    words = deliveries_words(number, more) if failed else events_words(number, more)
    hidden = [(name, request.POST.get(name, "")) for name in form.fields]
    context = {
        "form": form,
        "facts": _facts(form),
        "hidden": hidden,
        "confirms": number > 0,
        "asks": (_("Send %s again") if failed else _("Send %s")) % words,
        "nothing": _("There is nothing to send."),
        "leaves_out": not failed,
        "trouble": trouble,
        "back_url": f"{reverse('webhooks:resend')}?{urlencode(hidden)}",
    }
    return render(request, PAGE, context, status=status)


def _facts(form: SinceForm) -> list[dict[str, Any]]:
    """What was filled in, to be read once more."""
    given = form.cleaned_data
    what = dict(form.fields["what"].choices)[given["what"]]  # type: ignore[attr-defined]
    same = given["to"] is None or given["to"] == given["endpoint"]
    rate = ngettext("%d a second", "%d a second", given["rate"] or 0)
    return [
        {"label": form["what"].label, "words": what},
        {"label": form["endpoint"].label, "endpoint": given["endpoint"]},
        {"label": form["since"].label, "when": given["since"]},
        {"label": form["to"].label, "words": _("The same endpoint")}
        if same
        else {"label": form["to"].label, "endpoint": given["to"]},
        {
            "label": form["rate"].label,
            "words": rate % given["rate"]
            if given["rate"]
            else _("As the endpoint's own limit allows"),
        },
    ]


def _send(request: HttpRequest, plan: Plan, query: str) -> HttpResponse:
    """Few are on their way now; where there are many, the page shows how far it is."""
    run = resends.start(plan, member_of(request), request)
    if not run.is_over:
        return htmx.redirect(request, reverse("webhooks:resend_run", args=[run.pk]))
    done = run.queued
    words = ngettext("%s is sent again", "%s are sent again", done) % f"{done:,}"
    return htmx.redirect(request, _list(query), words=words)


# ------------------------------------------------------------------------------ words
def deliveries_words(number: int, more: bool) -> str:
    words = ngettext("%s delivery", "%s deliveries", number)
    return words % f"{number:,}{'+' if more else ''}"


def events_words(number: int, more: bool) -> str:
    words = ngettext("%s event", "%s events", number)
    return words % f"{number:,}{'+' if more else ''}"


def _proposed(query: QueryDict) -> dict[str, Any]:
    """What the address says, and else what failed within a day."""
    since = timezone.localtime(timezone.now() - SINCE_THEN)
    proposed = {"what": FAILED, "since": since.replace(second=0, microsecond=0)}
    return proposed | {name: text for name, text in query.items() if text}


def _list(query: str) -> str:
    path = reverse(deliveries.LIST)
    return f"{path}?{query}" if query else path
