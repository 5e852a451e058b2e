"""How Stripe's API says no."""

from __future__ import annotations

from merchant.sandbox.story import Response


def error(status: int, message: str, **more: str) -> Response:
    told = {"type": "invalid_request_error", "message": message, **more}
    return Response(status, {"error": told})


def missing(id: str) -> Response:
    words = f"No such object: '{id}'"
    return error(404, words, code="resource_missing", param="id")
