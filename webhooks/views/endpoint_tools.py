"""What helps to build the receiver of a webhook endpoint, and to try it."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from merchant import htmx
from merchant.views.guard import may
from webhooks import endpoints, resends, secrets
from webhooks.catalogue import KINDS
from webhooks.delivery import catch_up as catching_up
from webhooks.delivery import resending
from webhooks.dialects import DIALECTS
from webhooks.models import Endpoint
from webhooks.models.endpoint import Dialect
from webhooks.receivers import RECEIVERS
from webhooks.resends.plans import Held, LetGo
from webhooks.samples import sample_news
from webhooks.trying import handler_checks, test_sends
from webhooks.views.endpoints import (
    found,
    frame_of,
    member_of,
    page_of,
    show,
)
from webhooks.views.locked import says_when_locked

LONGEST_CUSTOMER = 200


# ---------------------------------------------------------------------------- a test
@require_POST
@may("manage_endpoints")
@says_when_locked
def send_test(request: HttpRequest, id: UUID) -> HttpResponse:
    endpoint = found(request, id)
    try:
        sent = test_sends.send_test(endpoint, member_of(request))
    except (test_sends.TooMany, test_sends.NotSent) as error:
        return show(request, endpoint, status=409, trouble=str(error))
    return htmx.redirect(request, test_page(endpoint, sent))


def test_page(endpoint: Endpoint, sent: test_sends.Exchange) -> str:
    """The endpoint's page with the whole exchange."""
    return f"{page_of(endpoint)}?test={sent.attempt.delivery_id}#test"


# ----------------------------------------------------------------------- what was held
@require_http_methods(["GET", "HEAD", "POST"])
@may("manage_endpoints")
def catch_up(request: HttpRequest, id: UUID) -> HttpResponse:
    endpoint = found(request, id)
    trouble = ""
    if request.method == "POST":
        try:
            return _carry_out(request, endpoint)
        except (_Wrong, resending.NotPossible) as error:
            trouble = str(error)
    rate = _whole(request.POST.get("rate", ""))
    plan = catching_up.plan(endpoint, rate if rate <= endpoint.rate else None)
    context = {
        "endpoint": endpoint,
        "plan": plan,
        "held_words": f"{plan.held:,}{'+' if plan.more else ''}",
        "short": plan.time_for(drop_replaced=True),
        "rate": request.POST.get("rate", plan.rate),
        "what": request.POST.get("what", "all"),
        "trouble": trouble,
    }
    template = "webhooks/endpoints/catch_up.html"
    return render(request, template, context, status=422 if trouble else 200)


class _Wrong(Exception):
    """What was filled in cannot be used; `str()` says why."""


def _carry_out(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Raises _Wrong and resending.NotPossible."""
    what, by = request.POST.get("what", ""), member_of(request)
    rate = _whole(request.POST.get("rate", ""))
    if what not in {"all", "newest", "none"}:
        raise _Wrong(_("Choose what to do with them."))
    if what == "none":
        run = resends.start(LetGo(endpoint=endpoint, member=by), by, request)
    elif 1 <= rate <= endpoint.rate:
        endpoints.enable(endpoint, by=by, request=request)
        newest = what == "newest"
        plan = Held(endpoint=endpoint, member=by, rate=rate, drop_replaced=newest)
        run = resends.start(plan, by, request)
    else:
        words = _("The rate is 1 to %d deliveries a second.") % endpoint.rate
        raise _Wrong(words)
    if run.is_over:
        return htmx.redirect(request, page_of(endpoint), words=_("It is under way"))
    return htmx.redirect(request, reverse("webhooks:resend_run", args=[run.pk]))


def _whole(typed: str) -> int:
    """A number that somebody typed; 0 for what is none."""
    known = typed.isascii() and typed.isdecimal() and len(typed) < 10
    return int(typed) if known else 0


# -------------------------------------------------------------------- does it do right
@require_http_methods(["GET", "HEAD", "POST"])
@may("manage_endpoints")
@says_when_locked
def check(request: HttpRequest, id: UUID) -> HttpResponse:
    """The results are shown once and not kept: they are worth what the handler is."""
    endpoint = found(request, id)
    context = frame_of(endpoint, "check")
    status = 200
    if request.method == "POST":
        typed = request.POST.get("customer", "").replace("\x00", "").strip()
        context["customer"] = customer = typed[:LONGEST_CUSTOMER]
        try:
            checked = handler_checks.check(
                endpoint, by=member_of(request), customer=customer
            )
            right = [one for one in checked if one.verdict.passed]
            context |= {"checked": checked, "passed": len(right)}
        except (handler_checks.TooSoon, secrets.NoKeys) as error:
            context["trouble"], status = str(error), 409
    return render(request, "webhooks/endpoints/check.html", context, status=status)


# -------------------------------------------------------------------------- to copy
@require_safe
@may("manage_endpoints")
def code(request: HttpRequest, id: UUID) -> HttpResponse:
    """A program that receives its letters, in the language that is asked for."""
    endpoint = found(request, id)
    receivers = RECEIVERS[endpoint.dialect]
    asked = request.GET.get("in", "").lower()
    chosen = next((r for r in receivers if r.language.lower() == asked), receivers[0])
    context = {
        **frame_of(endpoint, "code"),
        "receivers": receivers,
        "chosen": chosen,
    }
    return render(request, "webhooks/endpoints/code.html", context)


@require_safe
@may("manage_endpoints")
def sample(request: HttpRequest, name: str) -> HttpResponse:
    """What an event looks like in a dialect: an invented one."""
    dialect = request.GET.get("dialect", Dialect.STANDARD)
    if name not in KINDS or dialect not in DIALECTS:
        raise Http404
    news = sample_news(name)
    spoken = [d for d in Dialect.choices if DIALECTS[d[0]].word(news)]
    context = {
        "kind": KINDS[name],
        "dialect": dialect,
        "dialects": spoken,
        "body": DIALECTS[dialect].body(news),
    }
    return htmx.answer(
        request,
        page="webhooks/endpoints/sample.html",
        partial="webhooks/endpoints/_sample.html",
        context=context,
    )


@require_safe
@may("manage_endpoints")
def proved(request: HttpRequest) -> HttpResponse:
    """Where who was asked for the password beside a half-filled form arrives."""
    return render(request, "webhooks/endpoints/proved.html")
