"""Refunds for programs: asked for as on the page, and driven by Stripe's SDKs alike."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from merchant import idempotency
from merchant.api_errors import Problem, body, missing
from merchant.api_query import PAGING, Query, limit_of, single
from merchant.api_view import ApiView
from merchant.brackets import gather
from merchant.models import ApiKey, Project
from transactions import paging, refunds
from transactions.api import refund_schema
from transactions.api.transactions import DEFAULT_LIMIT, named
from transactions.filter_values import Scope, as_uuid, moment, zone_named
from transactions.models import Refund, Transaction
from transactions.rendering import refund_object
from transactions.statuses import RefundReason, RefundStatus

#: Names of the payment that Stripe's SDKs use; any id of ours or the provider's fits.
PAYMENTS = ("transaction", "charge", "payment_intent")
ASKED = (*PAYMENTS, "amount", "reason")
FILTERS = ("transaction", "charge", "payment_intent", "status", "livemode")
SPANS = {"created[gte]": "gte", "created[lt]": "lt"}
#: No amount has more digits than this.
_DIGITS = 15


class RefundList(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "refund"}

    @refund_schema.LIST
    def get(self, request: Request) -> Response:
        key: ApiKey = request.auth
        query = gather(request.GET.lists())
        for name in query:
            if name not in (*PAGING, *FILTERS, *SPANS):
                raise _unknown(name)
        strands = _strands(key.project, query)
        visible = refunds.of_project(key.project)
        after = _place(visible, query, "starting_after")
        before = _place(visible, query, "ending_before")
        if after and before:
            message = "Give starting_after or ending_before, not both."
            raise Problem(message, "parameter_invalid", param="ending_before")
        rows = cast("list[QuerySet[Transaction]]", strands)
        page = paging.take(
            rows, limit_of(query, DEFAULT_LIMIT), after=after, before=before
        )
        listed = {
            "object": "list",
            "url": "/v1/refunds",
            "has_more": page.has_newer if before else page.has_older,
            "data": [refund_object(cast("Refund", row)) for row in page.rows],
        }
        return Response(listed)

    @refund_schema.CREATE
    def post(self, request: Request) -> Response:
        api_key: ApiKey = request.auth
        asked = _asked(request)
        key = idempotency.key_of(request.headers)

        def do() -> idempotency.Answer:
            return _request(request, api_key, asked, key)

        (status, told), again = idempotency.once(api_key.project, key, asked, do)
        headers = {"Idempotent-Replayed": "true"} if again else None
        return Response(told, status=status, headers=headers)


class RefundDetail(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @refund_schema.DETAIL
    def get(self, request: Request, id: str) -> Response:
        return Response(refund_object(_find(request.auth.project, id)))


# ---------------------------------------------------------------------------- asking
def _asked(request: Request) -> dict[str, Any]:
    """What the body asks for, JSON or form, in one spelling. Raises Problem."""
    data = request.data
    if not hasattr(data, "items"):
        raise Problem("The body must be an object.", "request_unreadable")
    given = {name: value for name, value in data.items() if value not in (None, "")}
    for name in given:
        if name not in ASKED:
            raise _unknown(str(name))
    named = [name for name in PAYMENTS if name in given]
    if not named:
        message = "Name the payment: transaction (or charge, payment_intent)."
        raise Problem(message, "parameter_missing", param="transaction")
    found: dict[str, Any] = {}
    for name in named:
        if not isinstance(given[name], str) or len(given[name]) > 200:
            raise Problem(f"{name} must be an id.", "parameter_invalid", param=name)
        found[name] = given[name]
    if "amount" in given:
        found["amount"] = _amount(given["amount"])
    if "reason" in given:
        if given["reason"] not in RefundReason.values:
            words = ", ".join(RefundReason.values)
            message = f"reason must be one of {words}."
            raise Problem(message, "parameter_invalid", param="reason")
        found["reason"] = given["reason"]
    return found


def _amount(value: object) -> int:
    text = str(value) if not isinstance(value, bool | float) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        message = "amount must be a whole number of minor units, such as 1999."
        raise Problem(message, "parameter_invalid", param="amount")
    return int(text)


def _request(
    request: Request, api_key: ApiKey, asked: dict[str, Any], key: str
) -> idempotency.Answer:
    try:
        refund = refunds.request(
            api_key,
            _payment(api_key.project, asked),
            amount=asked.get("amount"),
            reason=asked.get("reason", RefundReason.REQUESTED_BY_CUSTOMER),
            key=key,
            http=request._request,
        )
    except refunds.NotNow as no:
        # As much an answer as a refund: asked again it is the same.
        param = no.field or None
        problem = Problem(str(no), no.code, param=param)
        return problem.status, body(problem, request._request)
    return 200, refund_object(refund)


def _payment(project: Project, asked: dict[str, Any]) -> Transaction:
    """The purchase that is named; by several names they must mean the same one."""
    rows = {named(project, asked[name], name) for name in PAYMENTS if name in asked}
    if len(rows) > 1:
        message = "charge, payment_intent and transaction name different payments."
        raise Problem(message, "parameter_invalid", param="transaction")
    return rows.pop()


# --------------------------------------------------------------------------- reading
def _strands(project: Project, query: Query) -> list[QuerySet[Refund]]:
    """The refunds of the project that fit, test and live apart as their index is."""
    rows = refunds.of_project(project).filter(_times(project, query))
    for param in PAYMENTS:
        if (id := single(query, param)) is not None:
            rows = rows.filter(transaction=named(project, id, param))
    statuses = [word for text in query.get("status", []) for word in text.split(",")]
    for word in statuses:
        if word not in RefundStatus.values:
            words = ", ".join(RefundStatus.values)
            message = f"status must be one of {words}."
            raise Problem(message, "parameter_invalid", param="status")
    if statuses:
        rows = rows.filter(status__in=statuses)
    mode = single(query, "livemode")
    if mode not in (None, "true", "false"):
        message = "livemode must be true or false."
        raise Problem(message, "parameter_invalid", param="livemode")
    modes = [True, False] if mode is None else [mode == "true"]
    return [rows.filter(livemode=live) for live in modes]


def _times(project: Project, query: Query) -> Q:
    """created[gte], created[lt], as the list of transactions reads them."""
    scope = Scope([project], zone_named(project.time_zone))
    found = Q()
    for param, lookup in SPANS.items():
        text = single(query, param)
        if text is None:
            continue
        try:
            found &= Q(**{f"created__{lookup}": moment(text, scope)})
        except ValueError as error:
            message = f"{param} {error}."
            raise Problem(message, "parameter_invalid", param=param) from error
    return found


def _place(rows: QuerySet[Refund], query: Query, param: str) -> paging.Position | None:
    id = single(query, param)
    if id is None:
        return None
    known = as_uuid(id)
    row = rows.filter(pk=known).first() if known else None
    if row is None:
        raise missing(param)
    return paging.Position(row.created, row.pk)


def _find(project: Project, id: str) -> Refund:
    """By our id, or the provider's."""
    rows = refunds.of_project(project)
    known = as_uuid(id)
    row = rows.filter(pk=known).first() if known else None
    row = row or rows.filter(provider_id=id).exclude(provider_id="").first()
    if row is None:
        raise missing()
    return row


def _unknown(name: str) -> Problem:
    shown = name[:60]
    message = f"There is no parameter {shown!r} here; see /v1/docs."
    return Problem(message, "parameter_unknown", param=shown)
