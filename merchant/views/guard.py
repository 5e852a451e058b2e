"""Who gets into a view: signed in, and allowed to do what it does."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from merchant.access import MAY, ROLES
from merchant.access import may as role_may
from merchant.models import Member

View = Callable[..., HttpResponseBase]


def may(action: str) -> Callable[[View], View]:
    """Lets members through whose role may do `action`; shows times in their zone.

    Others see a page that says who can help them; who is not signed in, the login.
    """
    allowed = MAY[action]

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: object, **kwargs: object):  # noqa: ANN202
            if not request.user.is_authenticated:
                return _to_login(request)
            member: Member | None = request.member  # type: ignore[attr-defined]
            if member is None or not role_may(member.role, action):
                return no_access(request, allowed)
            with timezone.override(zone_of(member)):
                return view(request, *args, **kwargs)

        return guarded

    return guard


def no_access(request: HttpRequest, allowed: frozenset[str]) -> HttpResponse:
    """A page that says which roles may, and who gives them."""
    roles = [role for role in ROLES if role in allowed]
    return render(request, "errors/no_access.html", {"roles": roles}, status=403)


def zone_of(member: Member) -> ZoneInfo:
    """The member's time zone; the project's where they have only one; else UTC."""
    name = member.user.time_zone
    held = list(member.projects.all())
    if not name and len(held) == 1:
        name = held[0].time_zone
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _to_login(request: HttpRequest) -> HttpResponse:
    answer = redirect_to_login(request.get_full_path())
    if request.headers.get("HX-Request") == "true":
        # A plain redirect would put the login page inside the list.
        return HttpResponseClientRedirect(answer.url)
    return answer
