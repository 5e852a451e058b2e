"""A file as the answer to a request: a download that no browser shows or keeps."""

from __future__ import annotations

from django.http import FileResponse

from transactions.exporting.files import Opened


def answer(opened: Opened) -> FileResponse:
    response = FileResponse(
        opened.file, as_attachment=True, filename=opened.name, content_type=opened.type
    )
    response["Content-Length"] = str(opened.size)
    response["Cache-Control"] = "no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
