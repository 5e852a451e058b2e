"""Events for programs that poll, by the contract that Stripe's SDKs know.

https://docs.stripe.com/api/events/list
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from merchant import bulk
from merchant.api_errors import Problem, missing
from merchant.api_query import (
    PAGING,
    Query,
    cursors,
    limit_of,
    refuse_unknown,
    single,
    yes_or_no,
)
from merchant.api_view import ApiView
from merchant.brackets import gather
from webhooks import outbox, words
from webhooks.api import event_list, event_schema
from webhooks.catalogue import KINDS, TEST, UnknownEvent
from webhooks.dialects import stripe
from webhooks.models import Event

DEFAULT_LIMIT = 10
#: Stripe's own limit.
MOST_TYPES = 20
CREATED = ("created", "created[gt]", "created[gte]", "created[lt]", "created[lte]")
KNOWN = (*PAGING, *CREATED, "type", "types", "delivery_success", "livemode", "expand")
#: No moment of ours has more digits: the year 5138.
_DIGITS = 11

#: "charge.dispute.created", "charge.*"
_NAME = re.compile(r"[a-z_]{1,40}(\.[a-z_]{1,40}){0,4}\.([a-z_]{1,40}|\*)")
_SECOND = timedelta(seconds=1)


class EventList(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @event_schema.LIST
    def get(self, request: Request) -> Response:
        query = gather(request.GET.lists())
        refuse_unknown(query, KNOWN)
        mine = event_list.of_project(request.auth.project)
        after, before = cursors(query)
        page = event_list.take(
            _filtered(mine, query),
            limit_of(query, DEFAULT_LIMIT),
            after=_find(mine, after, "starting_after") if after else None,
            before=_find(mine, before, "ending_before") if before else None,
        )
        listed = {
            "object": "list",
            "url": "/v1/events",
            "has_more": page.has_more,
            "data": event_objects(page.rows),
        }
        return Response(listed)


class EventDetail(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @event_schema.DETAIL
    def get(self, request: Request, id: str) -> Response:
        row = _find(event_list.of_project(request.auth.project), id, "id")
        return Response(event_objects([row])[0])


def event_objects(rows: Sequence[Event]) -> list[dict[str, Any]]:
    """The events as Stripe's dialect tells them; what Stripe has no word for goes by
    our name and carries our object."""
    waiting = event_list.pending(rows)
    return [
        stripe.event(outbox.news_of(bulk.row_of(row)))
        | {
            "type": words.stripe_word(KINDS[row.name]),
            "pending_webhooks": waiting.get(row.pk, 0),
        }
        for row in rows
    ]


def _find(rows: QuerySet[Event], key: str, param: str) -> Event:
    row = rows.filter(key=key).first() if "\x00" not in key else None
    if row is None:
        raise missing(param)
    return row


# --------------------------------------------------------------------------- filters
def _filtered(rows: QuerySet[Event], query: Query) -> QuerySet[Event]:
    names = _names(query)
    rows = (
        rows.exclude(name=TEST.name) if names is None else rows.filter(name__in=names)
    )
    live = yes_or_no(query, "livemode")
    if live is not None:
        rows = rows.filter(livemode=live)
    rows = _between(rows, query)
    fully = yes_or_no(query, "delivery_success")
    return rows if fully is None else event_list.delivered(rows, fully)


def _names(query: Query) -> list[str] | None:
    """Ours, of type or types; None for all."""
    one, several = single(query, "type"), query.get("types")
    if one and several:
        message = "Give type or types, not both."
        raise Problem(message, "parameter_invalid", param="types")
    if several and len(several) > MOST_TYPES:
        message = f"types takes at most {MOST_TYPES} names."
        raise Problem(message, "parameter_invalid", param="types")
    asked = [one] if one else several
    if not asked:
        return None
    return sorted(
        {name for word in asked for name in _meant(word, "type" if one else "types")}
    )


def _meant(word: str, param: str) -> list[str]:
    """Ours. A name of Stripe's that we never have is nothing, as on a quiet day: its
    pollers ask for all that they know."""
    try:
        return words.ours_of(word)
    except UnknownEvent as error:
        if _NAME.fullmatch(word):
            return []
        raise Problem(str(error), "parameter_invalid", param=param) from error


def _between(rows: QuerySet[Event], query: Query) -> QuerySet[Event]:
    """created in Unix seconds: an event is of the whole second that it shows."""
    for param in CREATED:
        text = single(query, param)
        if text is None:
            continue
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
            message = f"{param} must be Unix seconds."
            raise Problem(message, "parameter_invalid", param=param)
        second = datetime.fromtimestamp(int(text), UTC)
        if param in ("created", "created[gte]"):
            rows = rows.filter(created__gte=second)
        if param == "created[gt]":
            rows = rows.filter(created__gte=second + _SECOND)
        if param in ("created", "created[lte]"):
            rows = rows.filter(created__lt=second + _SECOND)
        if param == "created[lt]":
            rows = rows.filter(created__lt=second)
    return rows
