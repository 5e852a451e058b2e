"""The public door of the post room: /hooks/<provider>/<connection>.

It stands before every other middleware, so that a delivery meets no session, no
cookie, no redirect, and no page of ours that could fail.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from django.db import Error, IntegrityError
from django.db import connection as database
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.utils import timezone

from merchant import addresses, connections, vault
from merchant.providers.base import Incoming
from webhooks import intake, refusals
from webhooks.intake import Receipt, problem

logger = logging.getLogger(__name__)

ROOT = "/hooks"
_PLACE = re.compile(
    r"/hooks/([a-z]{1,20})/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/?"
)

LONGEST = 1024 * 1024
#: What is read and thrown away of a body that is too long, so that its sender listens.
LONGEST_WASTE = 8 * LONGEST
SECONDS_FOR_WASTE = 5.0
CHUNK = 64 * 1024

SECONDS_TO_COME_BACK = "5"

_MEDIA_TYPE = re.compile(r"application/(json|[a-z0-9!#$&^_.+-]+\+json)")


class Turned(Exception):
    """A delivery that cannot even be looked at; has the answer."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code = status, code


class IntakeMiddleware:
    """Answers whatever is under /hooks itself, and lets everything else pass."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        path = request.path_info
        if not path.startswith(ROOT) or path[len(ROOT) :][:1] not in {"", "/"}:
            return self.get_response(request)
        return answer(request)


def answer(request: HttpRequest) -> HttpResponse:
    """The answer to a delivery: never a 3xx, never a 500."""
    try:
        return _respond(_take(request))
    except vault.Locked as error:
        logger.error("A delivery waits: %s", error)
    except Error as error:
        logger.warning("A delivery waits for the database: %s", type(error).__name__)
    except UnreadablePostError:
        # Nobody is left to read it.
        return _respond(problem(400, "body_incomplete", "The body did not arrive."))
    except Exception:
        logger.exception("A delivery could not be taken in; its sender tries again.")
    return _busy()


def _take(request: HttpRequest) -> Receipt:
    place = _PLACE.fullmatch(request.path_info)
    if place is None:
        return _unknown()
    if request.method != "POST":
        return problem(405, "method_not_allowed", "Deliveries are sent by POST.")
    # A lost connection shows when the row is written, so no query asks before.
    database.health_check_done = True  # type: ignore[attr-defined]
    provider, id = place[1], UUID(place[2])
    try:
        body = _read(request)
    except Turned as turned:
        _note(request, provider, id, turned)
        return problem(turned.status, turned.code, str(turned))
    incoming = Incoming(body, _headers(request), timezone.now())
    address = addresses.of(request)
    try:
        return _receive(provider, id, incoming, address)
    except Error:
        if not _is_lost():
            raise
        database.close()
    return _receive(provider, id, incoming, address)


def _receive(
    provider: str, id: UUID, incoming: Incoming, address: str | None
) -> Receipt:
    opened = connections.opened(id)
    if opened is None or opened[0].provider != provider:
        return _unknown()
    try:
        return intake.receive(*opened, incoming, address)
    except IntegrityError:
        # It was there a moment ago: deleted with all that it had.
        connections.forget(id)
        return _unknown()


def _is_lost() -> bool:
    """Whether the server hung up; a lock that took too long leaves the line usable."""
    return bool(getattr(database.connection, "closed", False))


# ------------------------------------------------------------------------- the body
def _read(request: HttpRequest) -> bytes:
    """The bytes as they came. Raises Turned."""
    length = request.META.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        raise Turned(411, "length_required", "Send a Content-Length.")
    if len(length) > 9 or int(length) > LONGEST:
        _read_away(request)
        raise Turned(413, "too_large", "A delivery has at most 1 MiB.")
    body = request.read()
    encoding = request.META.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding not in {"", "identity"}:
        raise Turned(415, "encoding", "Send the body as it is, without an encoding.")
    if not _is_json(request):
        raise Turned(415, "media_type", "The body must be application/json in UTF-8.")
    return body


def _is_json(request: HttpRequest) -> bool:
    """Whether the Content-Type says JSON, or nothing."""
    if not request.META.get("CONTENT_TYPE", "").strip():
        return True
    params = request.content_params or {}
    charset = params.get("charset", "utf-8").strip().strip('"').lower()
    media_type = (request.content_type or "").lower()
    return bool(_MEDIA_TYPE.fullmatch(media_type)) and charset in {"utf-8", "utf8"}


def _read_away(request: HttpRequest) -> None:
    """Reads and forgets, within bounds: who is still sending does not see an answer.

    In this thread: Granian stops a whole process for as long as a request that was
    answered still has a thread waiting in its body.
    """
    end = time.monotonic() + SECONDS_FOR_WASTE
    wasted = 0
    # The server's own errors have no common kind; there is nobody to tell them to.
    with suppress(Exception):
        while wasted < LONGEST_WASTE and time.monotonic() < end:
            chunk = request.read(CHUNK)
            if not chunk:
                break
            wasted += len(chunk)


def _headers(request: HttpRequest) -> dict[str, str]:
    """Names in lower case with hyphens, as the providers' modules expect them."""
    found = {
        name[5:].replace("_", "-").lower(): value
        for name, value in request.META.items()
        if name.startswith("HTTP_")
    }
    if content_type := request.META.get("CONTENT_TYPE"):
        found["content-type"] = content_type
    return found


# ---------------------------------------------------------------------- the answers
def _note(request: HttpRequest, provider: str, id: UUID, turned: Turned) -> None:
    """Lets the connection's people see it; the answer does not depend on that."""
    with suppress(Error, vault.Locked):
        opened = connections.opened(id)
        if opened is not None and opened[0].provider == provider:
            incoming = Incoming(b"", _headers(request), timezone.now())
            address = addresses.of(request)
            refusals.note(id, turned.code, str(turned), incoming, address)


def _unknown() -> Receipt:
    return problem(404, "connection_unknown", "There is no such connection.")


def _respond(receipt: Receipt) -> HttpResponse:
    response = HttpResponse(
        receipt.body, status=receipt.status, content_type=receipt.content_type
    )
    response.headers["Content-Length"] = str(len(receipt.body))
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    if receipt.status == 405:
        response.headers["Allow"] = "POST"
    return response


def _busy() -> HttpResponse:
    words = "The delivery could not be kept just now. Send it again soon."
    told = {"type": "api_error", "code": "busy", "message": words, "param": None}
    receipt = Receipt(503, json.dumps({"error": told}).encode())
    response = _respond(receipt)
    response.headers["Retry-After"] = SECONDS_TO_COME_BACK
    return response
