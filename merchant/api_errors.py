"""What the API says when it cannot do what was asked: one shape for every error."""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions, status
from rest_framework.response import Response

logger = logging.getLogger(__name__)

INVALID = "invalid_request_error"
AUTHENTICATION = "authentication_error"
PERMISSION = "permission_error"
RATE_LIMIT = "rate_limit_error"
IDEMPOTENCY = "idempotency_error"
API = "api_error"
TYPES = (INVALID, AUTHENTICATION, PERMISSION, RATE_LIMIT, IDEMPOTENCY, API)

#: Routes that PayNow's clients use; they understand PayNow's shape only.
PAYNOW_ROUTES = "/v1/stores/"
SECONDS_TO_COME_BACK = "5"
NO_KEY = "Send an API key: `Authorization: Bearer <key>`."


@dataclass(eq=False)
class Problem(Exception):
    """An error as the API tells it. `param` names the parameter that is wrong."""

    message: str
    code: str
    status: int = status.HTTP_400_BAD_REQUEST
    type: str = INVALID
    param: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def missing(param: str = "id") -> Problem:
    """What is not there, or is somebody else's: nobody learns which."""
    message = "There is nothing with this id, or the key may not see it."
    return Problem(message, "resource_missing", status.HTTP_404_NOT_FOUND, param=param)


def answer_error(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler: every error as a Response, also our own mistakes."""
    request = context["request"]._request
    problem = _problem(error)
    if problem.status >= 500:
        logger.exception("Request %s failed", request_id(request), exc_info=error)
    return Response(
        body(problem, request), status=problem.status, headers=problem.headers
    )


def unknown_route(request: HttpRequest) -> JsonResponse:
    """404 for what the API does not have, whatever the method."""
    message = (
        f"There is no {request.method} {request.path_info[:200]} here; see /v1/docs."
    )
    problem = Problem(message, "route_unknown", status.HTTP_404_NOT_FOUND)
    response = JsonResponse(body(problem, request), status=problem.status)
    return sign_off(response, request)


def before_the_view(request: HttpRequest, status: int) -> JsonResponse:
    """What Django itself refuses or fails at before a view of the API is reached."""
    problem = OUTSIDE.get(status) or _problem(Exception())
    response = JsonResponse(body(problem, request), status=status)
    return sign_off(response, request)


def body(problem: Problem, request: HttpRequest) -> dict[str, Any]:
    """The error as JSON, in the shape that the route's clients know."""
    if request.path_info.startswith(PAYNOW_ROUTES):
        return _as_paynow(problem, request)
    told = {
        "type": problem.type,
        "code": problem.code,
        "message": problem.message,
        "param": problem.param,
    }
    return {"error": told}


def request_id(request: HttpRequest) -> str:
    """The id that the answer carries and the log repeats; the same for one request."""
    if not hasattr(request, "_request_id"):
        request._request_id = f"req_{secrets.token_hex(8)}"  # type: ignore[attr-defined]
    return request._request_id  # type: ignore[attr-defined]


def sign_off(response: Any, request: HttpRequest) -> Any:
    """The headers of every answer of the API."""
    response["Request-Id"] = request_id(request)
    response.setdefault("Cache-Control", "no-store")
    return response


# ---------------------------------------------------------------- which error is which
def _problem(error: Exception) -> Problem:
    for kind, tell in KINDS:
        if isinstance(error, kind):
            return tell(error)
    message = "Something went wrong on our side. The Request-Id finds it in the log."
    return Problem(message, "internal", 500, API)


def _throttled(error: exceptions.Throttled) -> Problem:
    wait = max(1, math.ceil(error.wait or 0))
    return Problem(
        "Too many requests with this key; wait as many seconds as Retry-After says.",
        "rate_limit",
        error.status_code,
        RATE_LIMIT,
        headers={"Retry-After": str(wait)},
    )


def _unauthorized(error: exceptions.APIException) -> Problem:
    challenge = {"WWW-Authenticate": error.auth_header}  # type: ignore[attr-defined]
    code, message = "api_key_invalid", str(error.detail)
    if isinstance(error, exceptions.NotAuthenticated):
        code, message = "api_key_missing", NO_KEY
    return Problem(message, code, 401, AUTHENTICATION, headers=challenge)


def _plain(error: exceptions.APIException) -> Problem:
    code = {405: "method_not_allowed", 415: "media_type_unsupported"}
    said = code.get(error.status_code, "request_unreadable")
    return Problem(str(error.detail), said, error.status_code)


def _forbidden(error: Exception) -> Problem:
    message = str(error) or "The key may not do this."
    return Problem(message, "scope_missing", 403, PERMISSION)


def _away(error: Exception) -> Problem:
    message = "The database does not answer just now. Nothing is lost; try again soon."
    return Problem(
        message, "busy", 503, API, headers={"Retry-After": SECONDS_TO_COME_BACK}
    )


#: The first that fits tells.
KINDS: list[tuple[Any, Callable[[Any], Problem]]] = [
    (Problem, lambda error: error),
    ((exceptions.NotAuthenticated, exceptions.AuthenticationFailed), _unauthorized),
    ((exceptions.PermissionDenied, PermissionDenied), _forbidden),
    (exceptions.Throttled, _throttled),
    ((Http404, exceptions.NotFound), lambda error: missing()),
    (exceptions.APIException, _plain),
    (RequestDataTooBig, lambda e: Problem("The body is too large.", "too_large", 413)),
    (SuspiciousOperation, lambda e: Problem(str(e), "request_unreadable")),
    ((OperationalError, InterfaceError), _away),
]


#: Status -> what is said where no exception tells more.
OUTSIDE = {
    400: Problem("The request cannot be understood.", "request_unreadable"),
    403: Problem("This is not allowed.", "forbidden", 403, PERMISSION),
    404: Problem("There is nothing here; see /v1/docs.", "route_unknown", 404),
    503: _away(OperationalError()),
}

#: Status -> PayNow's word for it.
PAYNOW_CODES = {
    400: "bad-request",
    401: "unauthorized",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "payload-too-large",
    415: "unsupported-media-type",
    429: "too-many-requests",
    500: "internal-server-error",
    503: "service-unavailable",
}


def _as_paynow(problem: Problem, request: HttpRequest) -> dict[str, Any]:
    code = PAYNOW_CODES.get(problem.status, "bad-request")
    wrong = {
        "code": problem.code,
        "message": problem.message,
        "path": problem.param,
        "validation": None,
    }
    return {
        "status": problem.status,
        "code": code,
        "message": problem.message,
        "trace_id": request_id(request),
        "errors": [wrong] if problem.param else None,
    }
