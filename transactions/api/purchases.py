"""Paysecure's status check: a purchase as its webhook tells it, whoever took the money.

What the dialect `paysecure` sends and what is answered here are the same object, so
that a receiver may ask after what it was told.
"""

from __future__ import annotations

from typing import ClassVar

from django.db.models import prefetch_related_objects
from rest_framework.request import Request
from rest_framework.response import Response

from merchant.api_view import ApiView
from transactions import outgoing
from transactions.api import purchase_schema
from transactions.api.transactions import named
from transactions.rendering import CHILDREN
from webhooks.dialects import paysecure


class PurchaseDetail(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @purchase_schema.DETAIL
    def get(self, request: Request, id: str) -> Response:
        row = named(request.auth.project, id)
        prefetch_related_objects([row], *CHILDREN)
        payload = outgoing.payload_of(row)
        return Response(paysecure.purchase(payload["object"], payload))
