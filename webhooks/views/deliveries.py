"""Deliveries for those who build the receiver: what went out, and what came back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from merchant import charts
from merchant.access import may as role_may
from merchant.models import Member
from merchant.views.guard import may
from webhooks import paging
from webhooks.models import Attempt, Delivery
from webhooks.record import rendering, told
from webhooks.record.delivery_filters import DeliveryFilter
from webhooks.templatetags.outgoing import milliseconds, phases_of
from webhooks.views import listing

LIST = "webhooks:deliveries"
#: Attempts on one page.
SHOWN = 20
MOST_DIGITS = 18


@require_safe
@may("view_deliveries")
def deliveries(request: HttpRequest) -> HttpResponse:
    member = member_of(request)
    asked = DeliveryFilter(request.GET, member)

    def more(page: paging.Page) -> dict[str, Any]:
        return {
            "now": timezone.now(),
            "may_resend": role_may(member.role, "resend"),
            "filter_query": asked.query(),
            "state": listing.ticks(asked, "state", _("State")),
            "endpoint": listing.ticks(asked, "endpoint", _("Endpoint")),
            "event": listing.ticks(asked, "event", _("Event")),
            "transaction": asked.typed("transaction"),
            "kept": asked.kept("project", "livemode"),
            "has_endpoints": bool(asked.endpoints),
            "may_add_endpoint": role_may(member.role, "manage_endpoints"),
        }

    return listing.answer(
        request,
        asked,
        view=LIST,
        folder="deliveries",
        counted=lambda number: ngettext("%s delivery", "%s deliveries", number),
        more=more,
    )


@require_safe
@may("view_deliveries")
def delivery(request: HttpRequest, id: str) -> HttpResponse:
    member = member_of(request)
    return show(request, find(member, id))


def find(member: Member, id: str) -> Delivery:
    """Raises Http404 where the member has none of that number."""
    number = _number(id)
    found = told.find_delivery(member, number) if number else None
    if found is None:
        raise Http404
    return found


def show(
    request: HttpRequest, row: Delivery, *, trouble: str = "", status: int = 200
) -> HttpResponse:
    """The page of one delivery; `trouble`: why nothing came of what was asked."""
    siblings = told.listed_endpoints([row.project])
    attempts = told.attempts_of(row, before(request), SHOWN + 1)
    context = {
        "delivery": row,
        "event": row.event,
        "endpoint": row.endpoint,
        "tries": [Try.of(row, attempt) for attempt in attempts[:SHOWN]],
        "older": attempts[SHOWN - 1].number if len(attempts) > SHOWN else 0,
        "now": timezone.now(),
        "trouble": trouble,
        "may_resend": role_may(member_of(request).role, "resend"),
        "others": [one for one in siblings if one.pk != row.endpoint_id],
    }
    page = "webhooks/deliveries/delivery.html"
    return render(request, page, context, status=status)


@dataclass(frozen=True, slots=True)
class Try:
    """An attempt as its page shows it; `body` as it was sent, None where the dialect
    has no words for the event any more."""

    attempt: Attempt
    body: bytes | None
    spans: list[dict[str, str]]

    @classmethod
    def of(cls, row: Delivery, attempt: Attempt) -> Try:
        return cls(attempt, rendering.body_of(row, attempt), _spans(attempt))


def _spans(attempt: Attempt) -> list[dict[str, str]]:
    """The parts of its time, each where it begins and how long it is."""
    passed, drawn = 0, []
    for words, length in phases_of(attempt):
        drawn.append(
            {
                "words": words,
                "length": milliseconds(length),
                "x": charts.share(passed, attempt.total_ms),
                "width": charts.share(length, attempt.total_ms),
            }
        )
        passed += length
    return drawn


def before(request: HttpRequest) -> int | None:
    """The number of the try whose earlier ones are asked for."""
    return _number(request.GET.get("before", ""))


def as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _number(text: str) -> int | None:
    """A whole number that a column can hold."""
    known = text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS
    return int(text) if known else None


def member_of(request: HttpRequest) -> Member:
    return request.member  # type: ignore[attr-defined, no-any-return]
