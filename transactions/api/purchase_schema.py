"""Paysecure's status check described."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers

from merchant.api_schema import errors
from webhooks.dialects import paysecure
from webhooks.samples import sample

_SAMPLE = sample("payment.success", provider="paysecure")
EXAMPLE: dict[str, Any] = paysecure.purchase(_SAMPLE["object"], _SAMPLE)


class Purchase(serializers.Serializer):
    """The parts that tell how it stands; Paysecure's pages describe all of it."""

    purchaseId = serializers.CharField()  # noqa: N815 - Paysecure's spelling
    type = serializers.ChoiceField(["purchase"])
    status = serializers.CharField(help_text="PAID, REFUNDED, ERROR and so on.")
    status_history = serializers.ListField(child=serializers.DictField())
    purchase = serializers.DictField(help_text="Currency, products and total.")
    payment = serializers.DictField(allow_null=True)
    client = serializers.DictField()
    merchantRef = serializers.CharField()  # noqa: N815
    brandId = serializers.CharField()  # noqa: N815
    is_test = serializers.BooleanField()


DETAIL = extend_schema(
    operation_id="get_purchase",
    summary="Check a purchase as with Paysecure",
    description="By our id or any of the provider's, whichever provider it is: the "
    "same object as the dialect `paysecure` sends. Amounts are in major units, as "
    "Paysecure has them.",
    tags=["Transactions"],
    parameters=[OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)],
    responses={
        200: OpenApiResponse(
            Purchase, examples=[OpenApiExample("Paid", value=EXAMPLE)]
        ),
        **errors(404),
    },
)
