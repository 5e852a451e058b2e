"""The rows of a bulk action as a file: exactly those that its draft shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from merchant import audit
from merchant.models import Member
from merchant.views.guard import may, zone_of
from transactions import columns, layouts, selectors
from transactions.bulk_actions import ACTS
from transactions.exports import table, to_csv
from transactions.models import BulkAction, Transaction
from transactions.views import bulk_page

#: Rows that are fetched at a time: what a download holds in memory.
CHUNK = 500


@require_safe
@may("export")
def download(request: HttpRequest, id: UUID) -> HttpResponseBase:
    member: Member = request.member  # type: ignore[attr-defined]
    bulk = bulk_page.seen(member, id)
    if not ACTS[bulk.act].is_file:
        raise Http404
    keys = columns.of_layout(layouts.of(member)).keys
    found = table.headings(keys, zone_of(member))
    rows = _rows(member, bulk, table.needs(keys))
    detail = {"rows": bulk.found, "filter": bulk.described, "columns": keys}
    audit.note(member, "transactions.exported", bulk, detail=detail, request=request)
    response = StreamingHttpResponse(
        to_csv.lines(rows, found), content_type="text/csv; charset=utf-8"
    )
    name = f"transactions-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _rows(
    member: Member, bulk: BulkAction, needs: Sequence[str]
) -> Iterator[Transaction]:
    """The transactions in the draft's order, of those that the member may see now."""
    visible = selectors.visible_to(member)
    last = 0
    while True:
        items = bulk.items.filter(pk__gt=last).order_by("pk")
        pairs = list(items.values_list("pk", "transaction_id")[:CHUNK])
        if not pairs:
            return
        last = pairs[-1][0]
        known = visible.in_bulk([id for _, id in pairs])
        rows = [known[id] for _, id in pairs if id in known]
        prefetch_related_objects(rows, *needs)
        yield from rows
