"""The rows of a bulk action as a file: exactly those that its draft shows."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe

from merchant import audit
from merchant.models import Member
from merchant.views.guard import may, zone_of
from transactions import columns, layouts, selectors
from transactions.bulk_actions import ACTS
from transactions.exports import to_csv
from transactions.exports.lists import shown
from transactions.exports.source import Source, of_few
from transactions.exports.spec import Spec, masks
from transactions.models import BulkAction
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
    spec = Spec(
        table="transactions",
        format="csv",
        columns=("id", *(key for key in keys if key != "id")),
        zone=str(zone_of(member)),
        bom=True,
        masked=masks(member.role),
        made_at=timezone.now(),
    )
    detail = {"rows": bulk.found, "filter": bulk.described, "columns": keys}
    audit.note(member, "transactions.exported", bulk, detail=detail, request=request)
    response = StreamingHttpResponse(
        _lines(spec, member, bulk), content_type="text/csv; charset=utf-8"
    )
    name = f"transactions-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(spec: Spec, member: Member, bulk: BulkAction) -> Iterator[bytes]:
    """The transactions in the draft's order, of those that the member may see now."""
    yield to_csv.head(spec)
    visible = selectors.visible_to(member)
    last = 0
    while True:
        items = bulk.items.filter(pk__gt=last).order_by("pk")
        pairs = list(items.values_list("pk", "transaction_id")[:CHUNK])
        if not pairs:
            return
        last = pairs[-1][0]
        place = {str(id): at for at, (_, id) in enumerate(pairs)}
        some = Source([visible.filter(pk__in=list(place))])
        rows = sorted(of_few(spec, some), key=lambda row: place[row[0]])
        yield to_csv.lines(rows, shown(spec), spec.manner).encode()
