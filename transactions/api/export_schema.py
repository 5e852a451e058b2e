"""The exports of the API described: bodies, answers, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers

from merchant.api_schema import errors
from transactions.exporting.changes import PERIODS
from transactions.exporting.lists import LISTS
from transactions.models import Export, ExportFormat, ExportStyle

EXAMPLE: dict[str, Any] = {
    "id": "0192f0c4-7a5e-7c3b-9d2e-5b1f6a7c8d90",
    "object": "export",
    "status": "ready",
    "format": "csv",
    "style": "programs",
    "columns": ["id", "created", "status", "amount", "currency"],
    "filters": "Status: Paid",
    "livemode": True,
    "rows_done": 2473,
    "rows_total": 2473,
    "receipt": {
        "object": "export_receipt",
        "table": "transactions",
        "format": "csv",
        "style": "programs",
        "sha256": "9f2c8a" + "0" * 58,
        "size": 318204,
        "rows": 2473,
        "merchant": "Dragon Games",
        "filters": "Status: Paid",
        "period": "",
        "time_zone": "Europe/Berlin",
        "made_by": "mk_…4f2a",
        "made_at": "2026-11-24T09:30:00Z",
        "sums": [{"currency": "eur", "rows": 2473, "amount": 4946000}],
    },
    "url": "https://pay.example.com/v1/exports/"
    "0192f0c4-7a5e-7c3b-9d2e-5b1f6a7c8d90/file",
    "error": None,
    "created": 1795512600,
    "expires": 1796117400,
}


class ExportObject(serializers.Serializer):
    id = serializers.UUIDField()
    object = serializers.ChoiceField(["export"])
    status = serializers.ChoiceField(Export.State.values)
    format = serializers.ChoiceField(ExportFormat.values)
    style = serializers.ChoiceField(ExportStyle.values)
    columns = serializers.ListField(child=serializers.CharField())
    filters = serializers.CharField(help_text="What was asked for, in words.")
    livemode = serializers.BooleanField(
        allow_null=True, help_text="Null: both test and live payments are in it."
    )
    rows_done = serializers.IntegerField(min_value=0)
    rows_total = serializers.IntegerField(
        allow_null=True, min_value=0, help_text="Null until they are counted."
    )
    receipt = serializers.DictField(
        allow_null=True,
        help_text="Of a ready one: rows, size, SHA-256, and `sums` per currency in "
        "minor units.",
    )
    url = serializers.CharField(
        allow_null=True,
        help_text="Downloads the file with the same key, for seven days.",
    )
    error = serializers.CharField(allow_null=True, help_text="Why it failed, in words.")
    created = serializers.IntegerField(help_text="Unix seconds.")
    expires = serializers.IntegerField(
        allow_null=True, help_text="Unix seconds; when the file goes."
    )


class ExportRequest(serializers.Serializer):
    format = serializers.ChoiceField(
        [*ExportFormat.values, "xls"],
        required=False,
        help_text="`xls` means xlsx. Default csv.",
    )
    style = serializers.ChoiceField(
        ExportStyle.values,
        required=False,
        help_text="`people` (default): amounts with a decimal point, times of the "
        "zone, text that no spreadsheet runs as a formula. `programs`: minor units, "
        "UTC, everything as it is.",
    )
    columns = serializers.ListField(
        child=serializers.CharField(max_length=60),
        required=False,
        help_text="Keys in their order; those of the list, with the id, when absent.",
    )
    filters = serializers.DictField(
        required=False,
        help_text="As in the query of `GET /v1/transactions`, or of the page of the "
        "refunds, disputes or payouts: a name with a text, or with a list of several. "
        "Those take `state`, `status` (but refunds), `project`, `provider`, "
        "`currency`, `amount[gte|lte]`, `created[gte|lt]`, `livemode` and `q`, "
        "disputes `reason` as well.",
    )
    rows = serializers.ChoiceField(
        [table for each in LISTS.values() if each.names for table in each.tables],
        required=False,
        help_text="What a row is: a transaction (default), a line item, a change of "
        "the balance, a refund, a dispute or a payout.",
    )
    period_by = serializers.ChoiceField(
        list(PERIODS),
        required=False,
        help_text="Of balance changes, what `created` or `paid` in the filters is "
        "about: when the change `happened` (default), or when its `purchase` was made.",
    )
    time_zone = serializers.CharField(
        required=False,
        max_length=64,
        help_text="Such as Europe/Berlin; the project's when absent.",
    )


ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)
CREATE = extend_schema(
    operation_id="create_export",
    summary="Make an export",
    description="A file of all rows that the filters show, as one picture of "
    "one moment. Up to about 5,000 rows are `ready` in this answer; larger ones are "
    "made meanwhile: look again until they are. Needs the scope `read`: it gives what "
    "the list gives. A CSV is a header line and rows, nothing else; sums are in "
    "`receipt`.",
    tags=["Exports"],
    request={
        "application/json": ExportRequest,
        "application/x-www-form-urlencoded": ExportRequest,
    },
    responses={
        200: OpenApiResponse(
            ExportObject, examples=[OpenApiExample("Ready", value=EXAMPLE)]
        ),
        **errors(400, 415),
    },
)
DETAIL = extend_schema(
    operation_id="get_export",
    summary="Get an export",
    description="How far it is, and where its file is once it is ready.",
    tags=["Exports"],
    parameters=[ID],
    responses={
        200: OpenApiResponse(
            ExportObject, examples=[OpenApiExample("Ready", value=EXAMPLE)]
        ),
        **errors(404),
    },
)
FILE = extend_schema(
    operation_id="get_export_file",
    summary="Download an export",
    description="The file itself, as an attachment. 410 while there is none, or none "
    "any more.",
    tags=["Exports"],
    parameters=[ID],
    responses={
        (200, "application/octet-stream"): OpenApiResponse(OpenApiTypes.BINARY),
        **errors(404, 410),
    },
)
