"""Webhook endpoints for programs, in the words of Stripe's API and its SDKs.

https://docs.stripe.com/api/webhook_endpoints
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from merchant import api_body, idempotency
from merchant.api_errors import Problem, missing
from merchant.api_query import PAGING, cursors, limit_of, refuse_unknown
from merchant.api_view import ApiView
from merchant.brackets import gather
from merchant.models import ApiKey, Project
from webhooks import endpoints, words
from webhooks.api import endpoint_schema
from webhooks.catalogue import UnknownEvent
from webhooks.dialects import stripe
from webhooks.endpoints import NotUsable
from webhooks.endpoints.terms import HIGHEST_RATE
from webhooks.models import Endpoint
from webhooks.models.endpoint import Dialect

DEFAULT_LIMIT = 10
#: What both a new endpoint and a change take.
TERMS = ("url", "enabled_events", "description", "metadata", "dialect", "rate")
#: Sent by Stripe's clients; the first needs no choice here, the others have none.
PASSED_OVER = ("api_version", "connect", "expand")
NEW = (*TERMS, *PASSED_OVER, "livemode", "secret", "disabled")
CHANGE = (*TERMS, *PASSED_OVER, "livemode", "disabled")
#: More names than there are events, whoever's they are.
MOST_EVENTS = 200
#: Our field -> the parameter that it comes from.
PARAMS = {"events": "enabled_events"}


class EndpointList(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "write"}

    @endpoint_schema.LIST
    def get(self, request: Request) -> Response:
        query = gather(request.GET.lists())
        refuse_unknown(query, (*PAGING, "expand"))
        limit = limit_of(query, DEFAULT_LIMIT)
        after, before = cursors(query)
        # A project has few, so all of them are read.
        rows = list(of_project(request.auth.project).order_by("-created", "-pk"))
        if after:
            rows = rows[_place(rows, after, "starting_after") + 1 :]
        if before:
            rows = rows[: _place(rows, before, "ending_before")]
        page = rows[-limit:] if before else rows[:limit]
        listed = {
            "object": "list",
            "url": "/v1/webhook_endpoints",
            "has_more": len(rows) > len(page),
            "data": [endpoint_object(row) for row in page],
        }
        return Response(listed)

    @endpoint_schema.CREATE
    def post(self, request: Request) -> Response:
        key: ApiKey = request.auth
        given = api_body.read(request, NEW)
        terms = _terms(given)
        if "dialect" not in terms:
            terms["dialect"] = _dialect_of(request, given)
        asked = {"route": "POST /v1/webhook_endpoints", "body": given}

        def do() -> idempotency.Answer:
            endpoint, _secret = endpoints.create(
                key.project,
                **terms,
                secret=api_body.text(given, "secret", 255) or "",
                enabled=not api_body.yes_or_no(given, "disabled"),
                by=name_of(key),
                request=request._request,
            )
            return 200, endpoint_object(endpoint)

        with told_as_problems():
            (_status, told), headers = idempotency.once_if_asked(
                key.project, request.headers, asked, do
            )
        return Response(told | _secret(key.project, told), headers=headers)


class EndpointDetail(ApiView):
    scopes: ClassVar[dict[str, str]] = {
        "GET": "read",
        "POST": "write",
        "DELETE": "write",
    }

    @endpoint_schema.DETAIL
    def get(self, request: Request, id: str) -> Response:
        return Response(endpoint_object(find(request.auth.project, id)))

    @endpoint_schema.CHANGE
    def post(self, request: Request, id: str) -> Response:
        key: ApiKey = request.auth
        endpoint = find(key.project, id)
        given = api_body.read(request, CHANGE)
        terms = _terms(given, endpoint.metadata)
        disabled = api_body.yes_or_no(given, "disabled")
        asked = {"route": f"POST /v1/webhook_endpoints/{endpoint.pk}", "body": given}

        def do() -> idempotency.Answer:
            if terms:
                endpoints.change(
                    endpoint, by=name_of(key), request=request._request, **terms
                )
            if disabled is not None:
                act = endpoints.pause if disabled else endpoints.enable
                act(endpoint, by=name_of(key), request=request._request)
            return 200, endpoint_object(endpoint)

        with told_as_problems():
            (_status, told), headers = idempotency.once_if_asked(
                key.project, request.headers, asked, do
            )
        return Response(told, headers=headers)

    @endpoint_schema.DELETE
    def delete(self, request: Request, id: str) -> Response:
        endpoint = find(request.auth.project, id)
        gone = str(endpoint.pk)
        with told_as_problems():
            endpoints.delete(
                endpoint, by=name_of(request.auth), request=request._request
            )
        return Response({"id": gone, "object": "webhook_endpoint", "deleted": True})


def endpoint_object(row: Endpoint) -> dict[str, Any]:
    """An endpoint in Stripe's shape, with what only ours have at its end."""
    enabled = row.state == Endpoint.State.ENABLED
    return {
        "id": str(row.pk),
        "object": "webhook_endpoint",
        "api_version": stripe.API_VERSION if row.dialect == Dialect.STRIPE else None,
        "application": None,
        "created": int(row.created.timestamp()),
        "description": row.description or None,
        "enabled_events": words.in_stripes_words(row.events, row.dialect),
        "livemode": row.livemode,
        "metadata": row.metadata,
        "status": "enabled" if enabled else "disabled",
        "url": row.url,
        "project": str(row.project_id),
        "dialect": row.dialect,
        "rate": row.rate,
        "reason": row.reason or None,
    }


def of_project(project: Project) -> QuerySet[Endpoint]:
    """The endpoints that were set up for the project, no callback of a purchase."""
    mine = Endpoint.objects.filter(project=project, kind=Endpoint.Kind.ENDPOINT)
    return mine.select_related("project__merchant")


def find(project: Project, id: str) -> Endpoint:
    """Raises Problem."""
    try:
        row = of_project(project).filter(pk=UUID(id)).first()
    except ValueError:
        row = None
    if row is None:
        raise missing()
    return row


def name_of(key: ApiKey) -> str:
    """How the audit log calls who did it."""
    return f"API key {key.hint}"


# ---------------------------------------------------------------------------- reading
def _terms(
    given: dict[str, Any], metadata: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What was given, as the verbs take it. `metadata`: what there is already."""
    terms: dict[str, Any] = {
        "url": api_body.text(given, "url", 2048),
        "events": _events(given),
        "description": api_body.text(given, "description", 200),
        "dialect": api_body.text(given, "dialect", 20) or None,
        "rate": api_body.whole(given, "rate", 1, HIGHEST_RATE),
        "metadata": _metadata(given, metadata),
    }
    terms = {name: value for name, value in terms.items() if value is not None}
    if "livemode" in given:
        terms["livemode"] = api_body.yes_or_no(given, "livemode")
    if metadata is None:
        for name, param in (("url", "url"), ("events", "enabled_events")):
            if not terms.get(name):
                message = f"{param} is missing."
                raise Problem(message, "parameter_missing", param=param)
    return terms


def _events(given: dict[str, Any]) -> list[str] | None:
    names = api_body.texts(given, "enabled_events", MOST_EVENTS)
    if names is None:
        return None
    if not names:
        raise api_body.wrong("enabled_events", 'must name an event, or "*" for all')
    try:
        return words.wanted(names)
    except UnknownEvent as error:
        raise Problem(
            str(error), "parameter_invalid", param="enabled_events"
        ) from error


def _metadata(
    given: dict[str, Any], before: dict[str, Any] | None
) -> dict[str, Any] | None:
    """All of it as it is to be: as with Stripe, keys are set beside the others."""
    if api_body.is_cleared(given):
        return {}
    fresh = api_body.metadata(given)
    if fresh is None:
        return None
    return {k: v for k, v in ((before or {}) | fresh).items() if v is not None}


def _dialect_of(request: Request, given: dict[str, Any]) -> str:
    """Who speaks Stripe's words is answered in them: its SDKs, and who names its
    events. Everybody else gets the standard."""
    from_sdk = request.headers.get("User-Agent", "").startswith("Stripe/")
    speaks = from_sdk or "Stripe-Version" in request.headers or "api_version" in given
    named = api_body.texts(given, "enabled_events", MOST_EVENTS) or []
    if speaks or words.asked_in_stripes_words(named):
        return Dialect.STRIPE
    return Dialect.STANDARD


def _place(rows: list[Endpoint], id: str, param: str) -> int:
    for place, row in enumerate(rows):
        if str(row.pk) == id:
            return place
    raise missing(param)


def _secret(project: Project, told: dict[str, Any]) -> dict[str, str]:
    """The secret for the answer to its creation, which is remembered without it."""
    endpoint = of_project(project).filter(pk=told["id"]).first()
    newest = endpoints.live_secrets(endpoint).first() if endpoint else None
    return {"secret": newest.open()} if newest else {}


@contextmanager
def told_as_problems() -> Iterator[None]:
    """What the verbs refuse, as the API tells it."""
    try:
        yield
    except NotUsable as error:
        code = "url_not_allowed" if error.field == "url" else "parameter_invalid"
        param = PARAMS.get(error.field, error.field) or None
        raise Problem(str(error), code, param=param) from error
