"""What programs may write on a purchase: callbacks, an order reference, metadata."""

from __future__ import annotations

from typing import Any

from django.db import transaction as database
from rest_framework.request import Request

from merchant import api_body, http, idempotency
from merchant.api_errors import Problem, missing
from merchant.models import ApiKey
from transactions import callbacks, labels, selectors
from transactions.models import Callback, Transaction
from transactions.rendering import CHILDREN, transaction_object

#: Name of the parameter -> the outcome that is told to it.
CALLBACKS = {
    "success_callback": Callback.Outcome.SUCCESS,
    "failure_callback": Callback.Outcome.FAILURE,
}
ASKED = (*CALLBACKS, "order_reference", "metadata")
LONGEST_URL, LONGEST_REFERENCE = 2048, 200


def change(request: Request, row: Transaction) -> tuple[dict[str, Any], dict[str, str]]:
    """Does what the body asks for, all or nothing; the answer's body and headers.

    Raises Problem.
    """
    given = api_body.read(request, ASKED)
    urls = {name: api_body.text(given, name, LONGEST_URL) for name in CALLBACKS}
    reference = api_body.text(given, "order_reference", LONGEST_REFERENCE)
    metadata = api_body.metadata(given)
    asked = {"route": f"POST /v1/transactions/{row.pk}", "body": given}

    def do() -> idempotency.Answer:
        with database.atomic():
            for name, url in urls.items():
                if url is not None:
                    _call_back(request, row, name, url)
            labels.write(
                row,
                request.auth,
                order_reference=reference,
                metadata=metadata,
                clear=api_body.is_cleared(given),
                request=request._request,
            )
        return 200, changed_object(request.auth, row)

    try:
        (_status, told), headers = idempotency.once_if_asked(
            request.auth.project, request.headers, asked, do
        )
    except labels.TooMany as error:
        raise Problem(str(error), "parameter_invalid", param="metadata") from error
    except labels.Gone as error:
        raise missing() from error
    return told, headers


def changed_object(key: ApiKey, row: Transaction) -> dict[str, Any]:
    """The transaction as it stands now, with the callbacks that it has through us."""
    rows = selectors.of_project(key.project).prefetch_related(*CHILDREN)
    now = rows.get(pk=row.pk)
    set_on = callbacks.set_on(now)
    urls = {name: set_on[outcome] or None for name, outcome in CALLBACKS.items()}
    return transaction_object(now) | urls


def _call_back(request: Request, row: Transaction, name: str, url: str) -> None:
    try:
        callbacks.set_for(
            row, CALLBACKS[name], url, request.auth, request=request._request
        )
    except http.NotAllowed as error:
        raise Problem(str(error), "url_not_allowed", param=name) from error
