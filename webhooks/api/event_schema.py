"""The events of the API described: parameters, objects, an example."""

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
from webhooks.dialects import stripe
from webhooks.samples import sample_news

EXAMPLE: dict[str, Any] = stripe.event(sample_news("payment.success"))
LISTED = {"object": "list", "url": "/v1/events", "has_more": False, "data": [EXAMPLE]}


class EventData(serializers.Serializer):
    object = serializers.DictField(
        help_text="In Stripe's shape; where Stripe has no such event, ours."
    )
    previous_attributes = serializers.DictField(required=False)


class EventObject(serializers.Serializer):
    id = serializers.CharField(help_text="The same in every delivery and every list.")
    object = serializers.ChoiceField(["event"])
    api_version = serializers.CharField()
    created = serializers.IntegerField(help_text="Unix seconds.")
    data = EventData()
    livemode = serializers.BooleanField()
    pending_webhooks = serializers.IntegerField(
        help_text="How many endpoints have not acknowledged it yet."
    )
    request = serializers.DictField()
    type = serializers.CharField(
        help_text="Stripe's name; where Stripe has none, ours."
    )
    account = serializers.CharField(required=False)


class EventListObject(serializers.Serializer):
    object = serializers.ChoiceField(["list"])
    url = serializers.CharField()
    has_more = serializers.BooleanField()
    data = EventObject(many=True)


TEXT = {"type": "string", "maxLength": 100}
SECONDS = {"type": "integer", "minimum": 0}

#: name -> (schema, what it does).
PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "type": (
        TEXT,
        "One name of Stripe's or ours, or a group such as `charge.*`; not with types. "
        "A name that several of ours share takes all of them.",
    ),
    "types": (
        {"type": "array", "items": TEXT, "maxItems": 20},
        "Up to twenty such names.",
    ),
    "created": (SECONDS, "Entered in this second; Unix time."),
    "created[gt]": (SECONDS, "Entered after this second."),
    "created[gte]": (SECONDS, "Entered in this second or later."),
    "created[lt]": (SECONDS, "Entered before this second."),
    "created[lte]": (SECONDS, "Entered in this second or before."),
    "delivery_success": (
        {"type": "boolean"},
        "Whether every endpoint has acknowledged it.",
    ),
    "livemode": ({"type": "boolean"}, "Live or test; both when absent."),
    "limit": (
        {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
        "How many to answer with.",
    ),
    "starting_after": (TEXT, "Continues below this event, with older ones."),
    "ending_before": (
        TEXT,
        "Continues above this event, with newer ones: what a poller asks for.",
    ),
    "expand": (
        {"type": "array", "items": TEXT},
        "Accepted from Stripe's clients; objects are whole already.",
    ),
}


def _parameter(name: str, schema: dict[str, Any], words: str) -> OpenApiParameter:
    listed = schema.get("type") == "array"
    return OpenApiParameter(
        name,
        schema,
        OpenApiParameter.QUERY,
        description=words,
        style="form" if listed else None,
        explode=True if listed else None,
    )


LIST = extend_schema(
    operation_id="list_events",
    summary="List events",
    description="Newest first, by the contract of Stripe's `GET /v1/events`, so that "
    "any of its SDKs can poll. An event is listed once all that came before it are, so "
    "`ending_before` the last one that is known skips none.",
    tags=["Events"],
    parameters=[_parameter(name, *told) for name, told in PARAMETERS.items()],
    responses={
        200: OpenApiResponse(
            EventListObject, examples=[OpenApiExample("A list", value=LISTED)]
        ),
        **errors(400, 404),
    },
)
DETAIL = extend_schema(
    operation_id="get_event",
    summary="Get an event",
    tags=["Events"],
    parameters=[OpenApiParameter("id", OpenApiTypes.STR, OpenApiParameter.PATH)],
    responses={
        200: OpenApiResponse(
            EventObject, examples=[OpenApiExample("A payment", value=EXAMPLE)]
        ),
        **errors(404),
    },
)
