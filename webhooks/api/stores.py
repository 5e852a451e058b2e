"""Webhook subscriptions of a store, by PayNow's contract: its clients manage ours.

https://docs.paynow.gg (management API, webhooks), and the shape that its SDK's guide
shows, which has several events and a secret of the caller's own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from merchant import api_body, idempotency
from merchant.api_errors import Problem, missing
from merchant.api_query import single
from merchant.api_view import ApiView
from merchant.brackets import gather
from merchant.models import ApiKey, Connection, Project
from webhooks import endpoints, words
from webhooks.api import store_history, store_schema
from webhooks.api.endpoints import name_of, of_project, told_as_problems
from webhooks.catalogue import UnknownEvent
from webhooks.delivery import resending
from webhooks.models import Delivery, Endpoint
from webhooks.models.endpoint import Dialect
from webhooks.samples import sample_news

JSON = "json_v1"
#: What a key that may not change anything sees instead of a secret.
HIDDEN = "********"
MOST_EVENTS = 50
#: PayNow's shape has these; we send no messages to Discord.
DISCORD = {
    "discord_description_template": None,
    "discord_title": None,
    "discord_color": None,
    "discord_format": "Invalid",
}
READ, WRITE = "read", "write"


class StoreWebhooks(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ, "POST": WRITE}

    @store_schema.LIST
    def get(self, request: Request, store: str) -> Response:
        project = _store(request.auth, store)
        rows = _of_store(project).order_by("created", "pk")
        may = WRITE in request.auth.scopes
        told = [_subscription(row, _shown(request, row) if may else "") for row in rows]
        return Response(told)

    @store_schema.CREATE
    def post(self, request: Request, store: str) -> Response:
        project = _store(request.auth, store)
        given = api_body.read(request, None)
        events = _events(given)
        if not events:
            raise _missing("subscribed_to")
        url = api_body.text(given, "url", 2048)
        if not url:
            raise _missing("url")
        _check_kind(given)
        asked = {"route": f"POST /v1/stores/{project.pk}/webhooks", "body": given}

        def do() -> idempotency.Answer:
            endpoint, _secret = endpoints.create(
                project,
                url=url,
                events=events,
                dialect=Dialect.PAYNOW,
                secret=api_body.text(given, "secret", 255) or "",
                by=name_of(request.auth),
                request=request._request,
            )
            return 200, _subscription(endpoint, "")

        with told_as_problems():
            (_status, told), headers = idempotency.once_if_asked(
                project, request.headers, asked, do
            )
        row = _of_store(project).filter(pk=told["id"]).first()
        return Response(told | {"secret": _secret(row)}, headers=headers)


class StoreWebhook(ApiView):
    scopes: ClassVar[dict[str, str]] = {"PATCH": WRITE, "DELETE": WRITE}

    @store_schema.CHANGE
    def patch(self, request: Request, store: str, id: str) -> Response:
        endpoint = _find(_store(request.auth, store), id)
        given = api_body.read(request, None)
        terms: dict[str, Any] = {
            "url": api_body.text(given, "url", 2048),
            "events": _events(given),
        }
        terms = {name: value for name, value in terms.items() if value}
        _check_kind(given)
        by = {"by": name_of(request.auth), "request": request._request}
        with told_as_problems():
            if terms:
                endpoints.change(endpoint, **by, **terms)
            if api_body.yes_or_no(given, "reset_secret"):
                endpoints.roll(endpoint, overlap=timedelta(0), **by)
        return Response(_subscription(endpoint, _secret(endpoint)))

    @store_schema.DELETE
    def delete(self, request: Request, store: str, id: str) -> Response:
        endpoint = _find(_store(request.auth, store), id)
        with told_as_problems():
            endpoints.delete(
                endpoint, by=name_of(request.auth), request=request._request
            )
        return Response(status=204)


class StoreHistory(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @store_schema.HISTORY
    def get(self, request: Request, store: str, id: str) -> Response:
        endpoint = _find(_store(request.auth, store), id)
        query = gather(request.GET.lists())
        page = api_body.whole(
            {"page": single(query, "page")}, "page", 0, store_history.LAST_PAGE
        )
        state = single(query, "state") or store_history.ALL
        if state not in store_history.STATES:
            known = ", ".join(store_history.STATES)
            raise api_body.wrong("state", f"must be one of {known}")
        told = store_history.page(endpoint, page or 0, state)
        return Response({"page": page or 0, "history": told})


class StoreResend(ApiView):
    scopes: ClassVar[dict[str, str]] = {"POST": WRITE}

    @store_schema.RESEND
    def post(self, request: Request, store: str) -> Response:
        project = _store(request.auth, store)
        given = api_body.read(request, None)
        id = api_body.text(given, "webhook_id", 100)
        if not id:
            raise _missing("webhook_id")
        delivery = _delivery(project, id)
        if delivery is None:
            raise missing("webhook_id")
        asked = {"route": f"POST /v1/stores/{project.pk}/resend", "body": given}

        def do() -> idempotency.Answer:
            resending.again(delivery, name_of(request.auth))
            return 204, {}

        try:
            _answer, headers = idempotency.once_if_asked(
                project, request.headers, asked, do
            )
        except resending.NotPossible as error:
            raise Problem(str(error), "not_possible", 409) from error
        return Response(status=204, headers=headers)


class StoreVariables(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": READ}

    @store_schema.VARIABLES
    def get(self, request: Request, store: str) -> Response:
        _store(request.auth, store)
        told = [
            {
                "event_type": words.pascal(word),
                "variables": store_history.variables(sample_news(names[0])),
            }
            for word, names in words.PAYNOW.items()
        ]
        return Response(told)


# ----------------------------------------------------------------------------- whose
def _store(key: ApiKey, named: str) -> Project:
    """The key's project, by its slug or id, or by the PayNow store that it is connected
    with. Raises Problem for every other store."""
    project = key.project
    if named in (project.slug, str(project.pk)):
        return project
    stores = Connection.objects.filter(project=project, provider="paynow", closed=None)
    if "\x00" not in named and stores.filter(account=named).exists():
        return project
    raise missing("storeId")


def _of_store(project: Project) -> QuerySet[Endpoint]:
    """What a client of PayNow's can manage: endpoints that speak its dialect."""
    return of_project(project).filter(dialect=Dialect.PAYNOW)


def _find(project: Project, id: str) -> Endpoint:
    try:
        row = _of_store(project).filter(pk=UUID(id)).first()
    except ValueError:
        row = None
    if row is None:
        raise missing("webhookId")
    return row


def _delivery(project: Project, id: str) -> Delivery | None:
    """By a history item's id, else the latest of a subscription that failed."""
    rows = Delivery.objects.filter(
        project=project,
        endpoint__kind=Endpoint.Kind.ENDPOINT,
        endpoint__dialect=Dialect.PAYNOW,
    ).select_related("event", "endpoint__project__merchant")
    if id.isascii() and id.isdigit() and len(id) <= 18:
        return rows.filter(pk=int(id)).first()
    try:
        mine = rows.filter(endpoint=UUID(id))
    except ValueError:
        return None
    failed = Q(state=Delivery.State.EXHAUSTED) | Q(
        state=Delivery.State.PENDING, attempts_made__gt=0
    )
    return mine.filter(failed).order_by("-id").first()


# --------------------------------------------------------------------------- reading
def _events(given: dict[str, Any]) -> list[str] | None:
    """Ours, of `subscribed_to` (one) or `events` (several); None where neither is."""
    one = api_body.text(given, "subscribed_to", 100)
    several = api_body.texts(given, "events", MOST_EVENTS)
    asked = [one] if one else several
    if asked is None:
        return None
    try:
        snake = [words.paynow_word(word) for word in asked]
    except UnknownEvent as error:
        param = "subscribed_to" if one else "events"
        raise Problem(str(error), "parameter_invalid", param=param) from error
    return [name for word in snake for name in words.PAYNOW[word]]


def _check_kind(given: dict[str, Any]) -> None:
    if given.get("type") not in (None, "", JSON):
        raise api_body.wrong("type", f"must be {JSON}: nothing is sent to Discord")


def _missing(param: str) -> Problem:
    return Problem(f"{param} is missing.", "parameter_missing", param=param)


# ---------------------------------------------------------------------------- telling
def _subscription(row: Endpoint, secret: str) -> dict[str, Any]:
    """An endpoint in both of PayNow's shapes at once."""
    snake = words.in_paynows_words(row.events)
    return {
        "id": str(row.pk),
        "url": row.url,
        "secret": secret or HIDDEN,
        "subscribed_to": words.pascal(snake[0]) if snake else "",
        "type": JSON,
        **DISCORD,
        "events": snake,
    }


def _secret(row: Endpoint | None) -> str:
    newest = endpoints.live_secrets(row).first() if row else None
    return newest.open() if newest else ""


def _shown(request: Request, row: Endpoint) -> str:
    """The secret of one that is listed; the audit log says who has seen it."""
    return endpoints.reveal(row, name_of(request.auth), request._request)
