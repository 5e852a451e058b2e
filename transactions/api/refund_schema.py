"""The refunds of the API described: parameters, bodies, examples."""

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
from transactions.api.examples import EXAMPLE
from transactions.api.schema import (
    ID,
    MINOR,
    MOMENT,
    PARAMETERS,
    RefundObject,
    parameter,
    several,
)
from transactions.statuses import RefundReason, RefundStatus

EXAMPLE_REFUND: dict[str, Any] = EXAMPLE["refunds"][0]
LISTED_REFUNDS = {
    "object": "list",
    "url": "/v1/refunds",
    "has_more": False,
    "data": [EXAMPLE_REFUND],
}
TEXT = {"type": "string", "maxLength": 200}
PAYMENT = "The purchase: our id, or any id of the provider's for it."


class RefundListObject(serializers.Serializer):
    object = serializers.ChoiceField(["list"])
    url = serializers.CharField()
    has_more = serializers.BooleanField()
    data = RefundObject(many=True)


class RefundRequest(serializers.Serializer):
    transaction = serializers.CharField(
        required=False, max_length=200, help_text=PAYMENT
    )
    charge = serializers.CharField(
        required=False, max_length=200, help_text="The same, as Stripe's SDKs say it."
    )
    payment_intent = serializers.CharField(
        required=False, max_length=200, help_text="The same, as Stripe's SDKs say it."
    )
    amount = serializers.IntegerField(
        required=False,
        min_value=1,
        help_text=f"How much to give back; all that is left when absent. {MINOR}",
    )
    reason = serializers.ChoiceField(RefundReason.choices, required=False)


#: name -> (schema, what it does).
FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "transaction": (TEXT, PAYMENT),
    "charge": (TEXT, "The same, as Stripe's SDKs say it."),
    "payment_intent": (TEXT, "The same, as Stripe's SDKs say it."),
    "status": (several(list(RefundStatus.values)), "Status of the refund."),
    "livemode": PARAMETERS["livemode"],
    "created[gte]": (MOMENT, PARAMETERS["created[gte]"][1]),
    "created[lt]": (MOMENT, PARAMETERS["created[lt]"][1]),
    "limit": PARAMETERS["limit"],
    "starting_after": (ID, "Continues below this refund, with older ones."),
    "ending_before": (ID, "Continues above this refund, with newer ones."),
}

LIST = extend_schema(
    operation_id="list_refunds",
    summary="List refunds",
    description="Newest first by (created, id); also those made elsewhere.",
    tags=["Refunds"],
    parameters=[parameter(name, *told) for name, told in FILTERS.items()],
    responses={
        200: OpenApiResponse(
            RefundListObject, examples=[OpenApiExample("A list", value=LISTED_REFUNDS)]
        ),
        **errors(400, 404),
    },
)
DETAIL = extend_schema(
    operation_id="get_refund",
    summary="Get a refund",
    description="By our id, or the provider's.",
    tags=["Refunds"],
    parameters=[OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)],
    responses={
        200: OpenApiResponse(
            RefundObject, examples=[OpenApiExample("Succeeded", value=EXAMPLE_REFUND)]
        ),
        **errors(404),
    },
)
CREATE = extend_schema(
    operation_id="create_refund",
    summary="Give money back",
    description="Needs a key with the scope `refund`. The answer comes before the "
    "provider is asked: the refund is `requested`, or `awaiting_approval` where it is "
    "above the limit that the project has set for its keys. The same Idempotency-Key "
    "with the same body is answered as the first time, with `Idempotent-Replayed`.",
    tags=["Refunds"],
    parameters=[
        OpenApiParameter(
            "Idempotency-Key",
            {"type": "string", "minLength": 1, "maxLength": 255},
            OpenApiParameter.HEADER,
            required=True,
            description="A random text of yours for this refund.",
        )
    ],
    request={
        "application/json": RefundRequest,
        "application/x-www-form-urlencoded": RefundRequest,
    },
    responses={
        200: OpenApiResponse(
            RefundObject,
            examples=[
                OpenApiExample(
                    "Requested",
                    value=EXAMPLE_REFUND | {"status": "requested", "provider_id": None},
                )
            ],
        ),
        **errors(400, 404, 409, 415),
    },
)
