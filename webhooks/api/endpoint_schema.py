"""The webhook endpoints of the API described: bodies, objects, an example."""

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

from merchant.api_schema import IDEMPOTENCY_KEY, errors
from webhooks.dialects import stripe
from webhooks.endpoints.terms import HIGHEST_RATE, USUAL_RATE
from webhooks.models.endpoint import Dialect

ID = "0198f6a2-7c1e-4b3a-9d52-1f0e6a4c8b11"
EXAMPLE: dict[str, Any] = {
    "id": ID,
    "object": "webhook_endpoint",
    "api_version": stripe.API_VERSION,
    "application": None,
    "created": 1795010590,
    "description": "Shop",
    "enabled_events": ["checkout.session.completed", "charge.refunded"],
    "livemode": None,
    "metadata": {"team": "shop"},
    "status": "enabled",
    "url": "https://shop.example.com/hooks",
    "project": "0198f6a0-11aa-7c40-8e21-55d0c1b2a390",
    "dialect": "stripe",
    "rate": USUAL_RATE,
    "reason": None,
}
NEW = EXAMPLE | {"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"}
LISTED = {
    "object": "list",
    "url": "/v1/webhook_endpoints",
    "has_more": False,
    "data": [EXAMPLE],
}


class WebhookEndpoint(serializers.Serializer):
    id = serializers.UUIDField()
    object = serializers.ChoiceField(["webhook_endpoint"])
    api_version = serializers.CharField(
        allow_null=True, help_text="In which of Stripe's versions its objects are."
    )
    application = serializers.CharField(allow_null=True)
    created = serializers.IntegerField(help_text="Unix seconds.")
    description = serializers.CharField(allow_null=True)
    enabled_events = serializers.ListField(child=serializers.CharField())
    livemode = serializers.BooleanField(
        allow_null=True, help_text="Takes that mode only; null takes both."
    )
    metadata = serializers.DictField()
    status = serializers.ChoiceField(["enabled", "disabled"])
    url = serializers.CharField()
    project = serializers.UUIDField()
    dialect = serializers.ChoiceField(Dialect.choices)
    rate = serializers.IntegerField(help_text="Deliveries a second, at most.")
    reason = serializers.CharField(
        allow_null=True, help_text="Why it is disabled, in words."
    )


class NewWebhookEndpoint(WebhookEndpoint):
    secret = serializers.CharField(
        required=False,
        help_text="What signs its deliveries; told this once. Absent in the dialect "
        "`paysecure`, which signs with the project's key pair.",
    )


class WebhookEndpointList(serializers.Serializer):
    object = serializers.ChoiceField(["list"])
    url = serializers.CharField()
    has_more = serializers.BooleanField()
    data = WebhookEndpoint(many=True)


class DeletedWebhookEndpoint(serializers.Serializer):
    id = serializers.UUIDField()
    object = serializers.ChoiceField(["webhook_endpoint"])
    deleted = serializers.BooleanField()


class WebhookEndpointChange(serializers.Serializer):
    url = serializers.CharField(
        required=False, max_length=2048, help_text="https and public."
    )
    enabled_events = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        min_length=1,
        max_length=200,
        help_text="Names of Stripe's or ours, groups such as `payment.*`, or `*`.",
    )
    description = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=200
    )
    metadata = serializers.DictField(required=False)
    dialect = serializers.ChoiceField(
        Dialect.choices,
        required=False,
        help_text="When absent: `stripe` where the request comes from Stripe's SDK or "
        "names its events, else `standard`.",
    )
    rate = serializers.IntegerField(required=False, min_value=1, max_value=HIGHEST_RATE)
    livemode = serializers.BooleanField(required=False, allow_null=True)
    disabled = serializers.BooleanField(
        required=False, help_text="True pauses it: what happens meanwhile is held."
    )
    api_version = serializers.CharField(
        required=False, help_text="Accepted from Stripe's clients."
    )


class WebhookEndpointRequest(WebhookEndpointChange):
    url = serializers.CharField(max_length=2048, help_text="https and public.")
    enabled_events = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=1,
        max_length=200,
        help_text="Names of Stripe's or ours, groups such as `payment.*`, or `*`.",
    )
    secret = serializers.CharField(
        required=False,
        max_length=255,
        help_text="One that the receiver has already; a new one is made when absent.",
    )


def _body(serializer: type[serializers.Serializer]) -> dict[str, Any]:
    return {
        "application/json": serializer,
        "application/x-www-form-urlencoded": serializer,
    }


def _paging(name: str, schema: dict[str, Any], words: str) -> OpenApiParameter:
    return OpenApiParameter(name, schema, OpenApiParameter.QUERY, description=words)


TAGS = ["Webhook endpoints"]
_UUID = {"type": "string", "format": "uuid"}
_ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)

LIST = extend_schema(
    operation_id="list_webhook_endpoints",
    summary="List webhook endpoints",
    description="Newest first.",
    tags=TAGS,
    parameters=[
        _paging(
            "limit",
            {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
            "How many to answer with.",
        ),
        _paging("starting_after", _UUID, "Continues below this endpoint."),
        _paging("ending_before", _UUID, "Continues above this endpoint."),
    ],
    responses={
        200: OpenApiResponse(
            WebhookEndpointList, examples=[OpenApiExample("A list", value=LISTED)]
        ),
        **errors(400, 404),
    },
)
CREATE = extend_schema(
    operation_id="create_webhook_endpoint",
    summary="Set up a webhook endpoint",
    description="Needs a key with the scope `write`. As with Stripe's API; `dialect`, "
    "`rate` and `livemode` are ours.",
    tags=TAGS,
    parameters=[IDEMPOTENCY_KEY],
    request=_body(WebhookEndpointRequest),
    responses={
        200: OpenApiResponse(
            NewWebhookEndpoint, examples=[OpenApiExample("A new one", value=NEW)]
        ),
        **errors(400, 409, 415),
    },
)
DETAIL = extend_schema(
    operation_id="get_webhook_endpoint",
    summary="Get a webhook endpoint",
    tags=TAGS,
    parameters=[_ID],
    responses={
        200: OpenApiResponse(
            WebhookEndpoint, examples=[OpenApiExample("Enabled", value=EXAMPLE)]
        ),
        **errors(404),
    },
)
CHANGE = extend_schema(
    operation_id="change_webhook_endpoint",
    summary="Change a webhook endpoint",
    description="Needs a key with the scope `write`. What is left out stays; keys of "
    "`metadata` are set beside the others. Another host is told to the owners.",
    tags=TAGS,
    parameters=[_ID, IDEMPOTENCY_KEY],
    request=_body(WebhookEndpointChange),
    responses={
        200: OpenApiResponse(
            WebhookEndpoint, examples=[OpenApiExample("Enabled", value=EXAMPLE)]
        ),
        **errors(400, 404, 409, 415),
    },
)
DELETE = extend_schema(
    operation_id="delete_webhook_endpoint",
    summary="Delete a webhook endpoint",
    description="With its log; what waits for it is not sent.",
    tags=TAGS,
    parameters=[_ID],
    responses={
        200: OpenApiResponse(
            DeletedWebhookEndpoint,
            examples=[
                OpenApiExample(
                    "Deleted",
                    value={"id": ID, "object": "webhook_endpoint", "deleted": True},
                )
            ],
        ),
        **errors(404),
    },
)
