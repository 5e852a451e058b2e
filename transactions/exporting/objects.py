"""An export as the API and our events tell it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import timezone

from transactions.exports.spec import is_in_minor
from transactions.models import Export, ExportAmounts


def amounts_of(export: Export) -> ExportAmounts:
    """How its amounts are written, be it chosen or as its style has them."""
    minor = is_in_minor(export.format, export.style, export.amounts)
    return ExportAmounts.MINOR if minor else ExportAmounts.DECIMAL


def export_object(export: Export) -> dict[str, Any]:
    """The API's object; times are Unix seconds, `url` null while there is no file."""
    ready = export.has_file(timezone.now())
    path = f"/v1/exports/{export.pk}/file"
    return {
        "id": str(export.pk),
        "object": "export",
        "status": export.state,
        "format": export.format,
        "style": export.style,
        "amounts": amounts_of(export),
        "columns": export.columns,
        "filters": export.described,
        "livemode": export.livemode,
        "rows_done": export.rows_done,
        "rows_total": export.rows_total,
        "receipt": export.receipt,
        "url": f"{settings.PUBLIC_URL}{path}" if ready else None,
        "error": export.error or None,
        "created": int(export.created.timestamp()),
        "expires": int(export.expires.timestamp()) if export.expires else None,
    }
