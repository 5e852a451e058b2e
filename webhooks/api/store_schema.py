"""PayNow's webhook subscriptions described."""

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

from merchant.api_schema import IDEMPOTENCY_KEY, WHY
from webhooks import words
from webhooks.api import store_history

ID = "0198f6a2-7c1e-4b3a-9d52-1f0e6a4c8b11"
EXAMPLE: dict[str, Any] = {
    "id": ID,
    "url": "https://shop.example.com/hooks",
    "secret": "5f0c0a1bb6e24b0a9c1f9b3c0a7e4d11",
    "subscribed_to": "OnOrderCompleted",
    "type": "json_v1",
    "discord_description_template": None,
    "discord_title": None,
    "discord_color": None,
    "discord_format": "Invalid",
    "events": ["ON_ORDER_COMPLETED", "ON_REFUND"],
}


class PayNowDetail(serializers.Serializer):
    code = serializers.CharField(allow_null=True)
    message = serializers.CharField(allow_null=True)
    path = serializers.CharField(allow_null=True)
    validation = serializers.CharField(allow_null=True)


class PayNowError(serializers.Serializer):
    status = serializers.IntegerField()
    code = serializers.CharField(help_text="One word for a program.")
    message = serializers.CharField(help_text="A sentence for a person.")
    trace_id = serializers.CharField(allow_null=True)
    errors = PayNowDetail(many=True, allow_null=True)


class WebhookSubscription(serializers.Serializer):
    id = serializers.UUIDField()
    url = serializers.CharField()
    secret = serializers.CharField(
        help_text="What signs its deliveries; covered for keys without `write`."
    )
    subscribed_to = serializers.CharField(help_text="The first of `events`.")
    type = serializers.ChoiceField(["json_v1"])
    discord_description_template = serializers.CharField(allow_null=True)
    discord_title = serializers.CharField(allow_null=True)
    discord_color = serializers.IntegerField(allow_null=True)
    discord_format = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())


class SubscriptionChange(serializers.Serializer):
    url = serializers.CharField(required=False, max_length=2048)
    subscribed_to = serializers.CharField(
        required=False, max_length=100, help_text=f"One of {', '.join(words.PASCAL)}."
    )
    events = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        help_text="Several, as in ON_ORDER_COMPLETED.",
    )
    type = serializers.ChoiceField(["json_v1"], required=False)
    reset_secret = serializers.BooleanField(
        required=False, help_text="Makes a new secret; the old one ends at once."
    )


class SubscriptionRequest(serializers.Serializer):
    url = serializers.CharField(max_length=2048)
    subscribed_to = serializers.CharField(
        required=False,
        max_length=100,
        help_text=f"One of {', '.join(words.PASCAL)}; or give `events`.",
    )
    events = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        help_text="Several, as in ON_ORDER_COMPLETED.",
    )
    type = serializers.ChoiceField(["json_v1"], required=False)
    secret = serializers.CharField(
        required=False,
        max_length=255,
        help_text="One that the receiver has already, of 16 characters at least.",
    )


class Execution(serializers.Serializer):
    id = serializers.CharField()
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    status_code = serializers.IntegerField(help_text="0 where no answer came.")
    response = serializers.CharField(allow_null=True)


class QueuedWebhook(serializers.Serializer):
    id = serializers.CharField()
    webhook_id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    state = serializers.ChoiceField(["success", "pending", "failed"])
    next_retry = serializers.DateTimeField(allow_null=True)
    event = serializers.CharField()
    payload = serializers.DictField(allow_null=True)
    executions = Execution(many=True)


class History(serializers.Serializer):
    page = serializers.IntegerField()
    history = QueuedWebhook(many=True)


class Resend(serializers.Serializer):
    webhook_id = serializers.CharField(
        max_length=100,
        help_text="Of an item of the history; a subscription's id means its latest "
        "delivery that failed.",
    )


class Variables(serializers.Serializer):
    event_type = serializers.CharField()
    variables = serializers.ListField(child=serializers.CharField())


TAGS = ["PayNow's webhooks"]
STORE = OpenApiParameter(
    "store",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="The project's short name or id, or the id of the PayNow store that it "
    "is connected with.",
)
WEBHOOK = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)


def _errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """As merchant.api_schema.errors, in PayNow's shape."""
    return {
        status: OpenApiResponse(PayNowError, description=WHY[status])
        for status in sorted({*statuses, 401, 403, 404, 405, 429, 500, 503})
    }


def _json(serializer: type[serializers.Serializer]) -> dict[str, Any]:
    return {
        "application/json": serializer,
        "application/x-www-form-urlencoded": serializer,
    }


LIST = extend_schema(
    operation_id="list_subscriptions",
    summary="List webhooks, as with PayNow",
    description="The endpoints of the project that speak PayNow's dialect, the oldest "
    "first.",
    tags=TAGS,
    parameters=[STORE],
    responses={
        200: OpenApiResponse(
            WebhookSubscription(many=True),
            examples=[OpenApiExample("One", value=EXAMPLE)],
        ),
        **_errors(),
    },
)
CREATE = extend_schema(
    operation_id="create_subscription",
    summary="Set up a webhook, as with PayNow",
    description="Takes the shape of the live API (`subscribed_to`) and that of the "
    "SDK's guide (`events`, `secret`), and answers with both.",
    tags=TAGS,
    parameters=[STORE, IDEMPOTENCY_KEY],
    request=_json(SubscriptionRequest),
    responses={
        200: OpenApiResponse(
            WebhookSubscription, examples=[OpenApiExample("A new one", value=EXAMPLE)]
        ),
        **_errors(400, 409, 415),
    },
)
CHANGE = extend_schema(
    operation_id="change_subscription",
    summary="Change a webhook, as with PayNow",
    tags=TAGS,
    parameters=[STORE, WEBHOOK],
    request=_json(SubscriptionChange),
    responses={
        200: OpenApiResponse(
            WebhookSubscription, examples=[OpenApiExample("Changed", value=EXAMPLE)]
        ),
        **_errors(400, 415),
    },
)
DELETE = extend_schema(
    operation_id="delete_subscription",
    summary="Delete a webhook, as with PayNow",
    tags=TAGS,
    parameters=[STORE, WEBHOOK],
    responses={204: OpenApiResponse(description="It is gone."), **_errors()},
)
HISTORY = extend_schema(
    operation_id="list_subscription_history",
    summary="What was sent to a webhook, as with PayNow",
    tags=TAGS,
    parameters=[
        STORE,
        WEBHOOK,
        OpenApiParameter(
            "page",
            {
                "type": "integer",
                "minimum": 0,
                "maximum": store_history.LAST_PAGE,
                "default": 0,
            },
            OpenApiParameter.QUERY,
            description=f"Pages of {store_history.PER_PAGE}, the newest on page 0.",
        ),
        OpenApiParameter(
            "state",
            {"type": "string", "enum": list(store_history.STATES), "default": "all"},
            OpenApiParameter.QUERY,
        ),
    ],
    responses={200: OpenApiResponse(History), **_errors(400)},
)
RESEND = extend_schema(
    operation_id="resend_to_subscription",
    summary="Send again, as with PayNow",
    tags=TAGS,
    parameters=[STORE, IDEMPOTENCY_KEY],
    request=_json(Resend),
    responses={
        204: OpenApiResponse(description="It goes out."),
        **_errors(400, 409, 415),
    },
)
VARIABLES = extend_schema(
    operation_id="list_subscription_variables",
    summary="What the bodies of events hold, as with PayNow",
    tags=TAGS,
    parameters=[STORE],
    responses={200: OpenApiResponse(Variables(many=True)), **_errors()},
)
