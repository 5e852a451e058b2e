"""What stands between the server and the pages."""

from __future__ import annotations

import sys
from collections.abc import Callable

from django.conf import settings
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, JsonResponse

from merchant import health
from merchant.models import Member
from merchant.views import errors

Next = Callable[[HttpRequest], HttpResponse]

#: What the database raises when it is away, hung or full of others.
AWAY = (OperationalError, InterfaceError)
SECONDS_TO_COME_BACK = "5"


#: What browsers are told of every answer; those of our pages say more, and first.
SHUTTERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}


def close_the_shutters(get_response: Next) -> Next:
    """Outermost, so that no answer leaves without them: deliveries, health, files."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        for name, value in SHUTTERS.items():
            response.headers.setdefault(name, value)
        return response

    return middleware


def answer_health(get_response: Next) -> Next:
    """/healthz and /readyz, before anything that needs a host name or a database."""

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = PROBES.get(request.path_info.rstrip("/"))
        if answer is None:
            return get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        response = answer()
        response["Cache-Control"] = "no-store"
        return response

    return middleware


def _is_up() -> HttpResponse:
    return HttpResponse("ok", content_type="text/plain; charset=utf-8")


def _is_ready() -> HttpResponse:
    missing = health.missing()
    age = None if "database" in missing else health.heartbeat_age()
    told = {"ready": not missing, "missing": missing, "worker_heard_seconds_ago": age}
    return JsonResponse(told, status=503 if missing else 200)


PROBES: dict[str, Callable[[], HttpResponse]] = {
    "/healthz": _is_up,
    "/readyz": _is_ready,
}


def say_busy(get_response: Next) -> Next:
    """A page without its database answers 503 and when to come back, not 500."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        away = getattr(request, "database_is_away", False)
        return _busy(request) if away and response.status_code == 500 else response

    def process_exception(request: HttpRequest, exception: Exception):  # noqa: ANN202
        return _busy(request) if isinstance(exception, AWAY) else None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


@receiver(got_request_exception, dispatch_uid="merchant.say_busy")
def _note_that_the_database_is_away(request: HttpRequest, **_more: object) -> None:
    """Errors of inner middlewares come only here: they are a 500 afterwards."""
    if isinstance(sys.exc_info()[1], AWAY):
        request.database_is_away = True  # type: ignore[attr-defined]


def _busy(request: HttpRequest) -> HttpResponse:
    response = errors.busy(request)
    response["Retry-After"] = SECONDS_TO_COME_BACK
    return response


def know_the_member(get_response: Next) -> Next:
    """request.member: who looks, in which merchant; request.memberships: all of theirs.

    Costs nothing where no session came along, and never runs for the API.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request.memberships = _memberships(request)  # type: ignore[attr-defined]
        request.member = _chosen(request)  # type: ignore[attr-defined]
        response = get_response(request)
        if _is_a_page(request):
            # Somebody's customers must not stay behind in a shared browser.
            response.setdefault("Cache-Control", "no-store")
        return response

    return middleware


def _is_a_page(request: HttpRequest) -> bool:
    return not request.path_info.startswith("/v1/")


def _memberships(request: HttpRequest) -> list[Member]:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not _is_a_page(request):
        return []
    if not request.user.is_authenticated:
        return []
    found = request.user.memberships.select_related("merchant", "user")
    return list(found.prefetch_related("projects").order_by("created", "pk"))


def _chosen(request: HttpRequest) -> Member | None:
    """The member in the merchant that was switched to, else in the first one."""
    members: list[Member] = request.memberships  # type: ignore[attr-defined]
    if not members:
        return None
    chosen = request.session.get("merchant")
    return next((m for m in members if str(m.merchant_id) == chosen), members[0])
