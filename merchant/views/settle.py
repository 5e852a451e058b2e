"""Small choices of a member: theme, shortcuts, which merchant to look at."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from merchant.views.frame import THEMES

YEAR = 365 * 24 * 60 * 60


@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Kept in the profile, and in a cookie for the pages before the login."""
    chosen = request.POST.get("theme", "")
    if chosen not in {key for key, *_more in THEMES}:
        return back(request)
    if request.user.is_authenticated:
        request.user.theme = chosen
        request.user.save(update_fields=["theme"])
    return remember(back(request), "theme", chosen)


@require_POST
def shortcuts(request: HttpRequest) -> HttpResponse:
    """Single-key shortcuts on or off in this browser (WCAG 2.1.4)."""
    chosen = "on" if request.POST.get("shortcuts") == "on" else "off"
    return remember(back(request), "shortcuts", chosen)


@require_POST
@login_required
def merchant(request: HttpRequest) -> HttpResponse:
    """Looks at another merchant of which the person is a member."""
    chosen = request.POST.get("merchant", "")
    if chosen in {str(m.merchant_id) for m in request.memberships}:  # type: ignore[attr-defined]
        request.session["merchant"] = chosen
    return redirect("/")


def back(request: HttpRequest) -> HttpResponseRedirect:
    """To where the form stood, if that is a page of ours."""
    to = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(to if safe else "/")


def remember(response: HttpResponse, name: str, value: str) -> HttpResponse:
    response.set_cookie(
        name,
        value,
        max_age=YEAR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
