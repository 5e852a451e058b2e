"""Paysecure's status check: a purchase as its webhook tells it, whoever took the money.

What the dialect `paysecure` sends and what is answered here are the same object, so
that a receiver may ask after what it was told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import prefetch_related_objects
from rest_framework.request import Request
from rest_framework.response import Response

from merchant.api_view import ApiView
from transactions import outgoing
from transactions.api import purchase_schema
from transactions.api.transactions import named
from transactions.rendering import CHILDREN
from webhooks import outbox
from webhooks.dialects import paysecure
from webhooks.models import Event

#: News that Paysecure has no word for may be the newest; more than this is not read.
MOST_NEWS = 20
#: While these are as they were told, so is the status.
_HOLDS = ("status", "amount_refunded", "refund_pending")


class PurchaseDetail(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @purchase_schema.DETAIL
    def get(self, request: Request, id: str) -> Response:
        row = named(request.auth.project, id)
        prefetch_related_objects([row], *CHILDREN)
        payload = outgoing.payload_of(row)
        status = _told_last(payload["object"], row.pk)
        return Response(paysecure.purchase(payload["object"], payload, status))


def _told_last(object: Mapping[str, Any], id: UUID) -> str:
    """The status in the newest webhook about the purchase, as long as it holds; ""
    where there is none, so that the purchase speaks for itself.

    What was told depends on what happened as well as on how it stands now: of a hold
    that was let go the row alone only knows that it was canceled.
    """
    events = Event.objects.filter(subject=id, subject_kind="transaction")
    for event in events.order_by("-id").values()[:MOST_NEWS]:
        told = event["payload"].get("object", {})
        if any(told.get(name) != object[name] for name in _HOLDS):
            return ""
        if status := paysecure.word(outbox.news_of(event)):
            return status
    return ""
