"""Transactions for programs: the same filter as on the page, answers in JSON."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet, prefetch_related_objects
from rest_framework.request import Request
from rest_framework.response import Response

from merchant.api_errors import Problem, missing
from merchant.api_query import PAGING, Query, limit_of, single
from merchant.api_view import ApiView
from merchant.brackets import gather
from merchant.models import Project
from transactions import selectors
from transactions.api import changes, schema
from transactions.filter_fields import ROOTS
from transactions.filter_values import as_uuid
from transactions.filters import TransactionFilter
from transactions.models import ProviderReference, Transaction
from transactions.paging import Position, take
from transactions.rendering import CHILDREN, transaction_object

DEFAULT_LIMIT = 25
#: No id of a provider's is longer.
LONGEST_ID = 200


class TransactionList(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @schema.LIST
    def get(self, request: Request) -> Response:
        asked = TransactionFilter.of_project(request.auth.project, request.GET)
        query = gather(request.GET.lists())
        _refuse_unknown(query)
        for param, sentence in asked.errors.items():
            raise Problem(sentence, "parameter_invalid", param=param)
        visible = selectors.of_project(request.auth.project)
        after = _place(visible, query, "starting_after")
        before = _place(visible, query, "ending_before")
        if after and before:
            message = "Give starting_after or ending_before, not both."
            raise Problem(message, "parameter_invalid", param="ending_before")
        page = take(
            asked.strands, limit_of(query, DEFAULT_LIMIT), after=after, before=before
        )
        prefetch_related_objects(page.rows, *CHILDREN)
        listed = {
            "object": "list",
            "url": "/v1/transactions",
            "has_more": page.has_newer if before else page.has_older,
            "data": [transaction_object(row) for row in page.rows],
        }
        return Response(listed)


class TransactionDetail(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read", "POST": "write"}

    @schema.DETAIL
    def get(self, request: Request, id: str) -> Response:
        visible = selectors.of_project(request.auth.project)
        row = find(visible.prefetch_related(*CHILDREN), id)
        return Response(transaction_object(row))

    @schema.CHANGE
    def post(self, request: Request, id: str) -> Response:
        visible = selectors.of_project(request.auth.project)
        row = find(visible.select_related("project__merchant"), id)
        told, headers = changes.change(request, row)
        return Response(told, headers=headers)


def find(rows: QuerySet[Transaction], id: str, param: str = "id") -> Transaction:
    """By our id, or that of a row that was joined to it. Raises Problem."""
    known: UUID | None = as_uuid(id)
    row = selectors.find(rows, known) if known else None
    if row is None:
        raise missing(param)
    return row


def named(project: Project, id: str, param: str = "id") -> Transaction:
    """By our id, or any id of the provider's. Raises Problem."""
    visible = selectors.of_project(project).select_related("project__merchant")
    known = as_uuid(id)
    row = selectors.find(visible, known) if known else None
    if row is None and len(id) <= LONGEST_ID and "\x00" not in id:
        of = ProviderReference.objects.filter(project=project, reference=id)
        row = visible.filter(pk__in=of.values("transaction_id")).first()
    if row is None:
        raise missing(param)
    return row


def _place(rows: QuerySet[Transaction], query: Query, param: str) -> Position | None:
    """Where the transaction stands that a cursor names; it need not pass the filter."""
    id = single(query, param)
    if id is None:
        return None
    row = find(rows.only("id", "created"), id, param)
    return Position(row.created, row.pk)


def _refuse_unknown(query: Query) -> None:
    """A misspelt filter that went unnoticed would give a list of something else."""
    for name in query:
        if name not in PAGING and name.partition("[")[0] not in ROOTS:
            shown = name[:60]
            message = f"There is no parameter {shown!r} here; see /v1/docs."
            raise Problem(message, "parameter_unknown", param=shown)
