"""The API described for machines (OpenAPI 3) and for people who read."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from merchant.api_errors import TYPES, sign_off


class KeySchemes(OpenApiAuthenticationExtension):
    """The three ways in which a key may come."""

    target_class = "merchant.api.KeyAuthentication"
    name = ["Bearer", "Basic", "APIKey"]  # noqa: RUF012

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "description": "The API key."},
            {
                "type": "http",
                "scheme": "basic",
                "description": "The API key as user name, no password.",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "`APIKey <key>`, as PayNow's clients send it.",
            },
        ]


class ErrorDetails(serializers.Serializer):
    type = serializers.ChoiceField(TYPES)
    code = serializers.CharField(help_text="One word for a program.")
    message = serializers.CharField(help_text="A sentence for a person.")
    param = serializers.CharField(
        allow_null=True, help_text="The parameter that is wrong."
    )


class Error(serializers.Serializer):
    error = ErrorDetails()


#: A header that every POST takes.
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255},
    OpenApiParameter.HEADER,
    description="A random text of yours: the same one with the same body is answered "
    "as the first time, and nothing is done twice.",
)

#: status -> when it is answered.
WHY = {
    400: "A parameter cannot be understood; `param` names it.",
    401: "There is no key, or it is unknown, revoked or expired.",
    403: "The key does not hold the scope.",
    404: "It is not there, or not the key's to see.",
    405: "The route does not take this method.",
    409: "A request with the same Idempotency-Key is being worked on.",
    410: "It was there and is gone, or is not there yet.",
    415: "The body is neither JSON nor a form.",
    429: "Too many requests with this key; Retry-After says when to come back.",
    500: "Our mistake; the Request-Id finds it in the log.",
    503: "The database is away; Retry-After says when to come back.",
}


def errors(*statuses: int) -> dict[int, OpenApiResponse]:
    """The error answers of an operation: those named, and those that every one has."""
    return {
        status: OpenApiResponse(Error, description=WHY[status])
        for status in sorted({*statuses, 401, 403, 405, 429, 500, 503})
    }


@cache
def schema_text() -> bytes:
    """The whole description; the same as long as the program runs."""
    schema = SchemaGenerator().get_schema(request=None, public=True)
    return json.dumps(schema, ensure_ascii=False, indent=1).encode()


@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    response = HttpResponse(schema_text(), content_type="application/json")
    response["Cache-Control"] = "no-cache"
    return sign_off(response, request)


@require_safe
@csp_update({"img-src": ["data:"]})  # Swagger UI's icons
def reference(request: HttpRequest) -> HttpResponse:
    """The page to read."""
    return render(request, "merchant/reference.html")
