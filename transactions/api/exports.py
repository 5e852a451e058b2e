"""Exports for programs: asked for, looked after, fetched with the same key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from merchant import api_body
from merchant.api_errors import Problem, missing
from merchant.api_view import ApiView
from merchant.brackets import gather
from merchant.models import ApiKey
from transactions import attachment, exporting
from transactions.api import export_schema
from transactions.exporting import LISTS, NotPossible, Wish
from transactions.exporting.objects import export_object
from transactions.exports.lists import TABLES
from transactions.filter_values import as_uuid
from transactions.models import Export

ASKED = (
    "format", "style", "columns", "filters", "rows", "period_by", "time_zone",
)  # fmt: skip
#: What a row of the file is -> the list that it comes from.
ROWS = {
    table: name
    for name, listed in LISTS.items()
    if listed.names
    for table in listed.tables
}
#: What a body calls it -> what a wish does.
_NAMES = {"zone": "time_zone", "table": "rows"}


class ExportList(ApiView):
    scopes: ClassVar[dict[str, str]] = {"POST": "read"}

    @export_schema.CREATE
    def post(self, request: Request) -> Response:
        key: ApiKey = request.auth
        wish = _wish(key, api_body.read(request, ASKED))
        try:
            export = exporting.start(key, wish, http=request._request)
        except NotPossible as no:
            raise _problem(no) from no
        return Response(export_object(export))


class ExportDetail(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @export_schema.DETAIL
    def get(self, request: Request, id: str) -> Response:
        return Response(export_object(_find(request.auth, id)))


class ExportFile(ApiView):
    scopes: ClassVar[dict[str, str]] = {"GET": "read"}

    @export_schema.FILE
    def get(self, request: Request, id: str) -> HttpResponseBase:
        export = _find(request.auth, id)
        try:
            opened = exporting.open_file(request.auth, export, http=request._request)
        except NotPossible as no:
            raise Problem(str(no), "file_gone", 410, param="id") from no
        return attachment.answer(opened)


# ------------------------------------------------------------------------------ reading
def _find(key: ApiKey, id: str) -> Export:
    known = as_uuid(id)
    found = exporting.of_key(key).filter(pk=known).first() if known else None
    if found is None:
        raise missing()
    return found


def _wish(key: ApiKey, data: Mapping[str, Any]) -> Wish:
    """What the body asks for. Raises Problem."""
    rows, listing = _rows(_text(data, "rows", "transactions"))
    return Wish(
        listing=listing,
        format=_text(data, "format", "csv"),
        style=_text(data, "style", "people"),
        table=rows,
        columns=tuple(_texts(data, "columns")),
        query=urlencode(list(_filters(data.get("filters"), LISTS[listing].names))),
        period_by=_text(data, "period_by", ""),
        zone=_text(data, "time_zone", key.project.time_zone),
    )


def _rows(name: str) -> tuple[str, str]:
    """What a row is, and the list that such rows come from."""
    if name not in ROWS:
        raise api_body.wrong("rows", f"must be one of {', '.join(ROWS)}")
    return name, ROWS[name]


def _text(data: Mapping[str, Any], name: str, usual: str) -> str:
    value = data.get(name)
    if value in (None, ""):
        return usual
    if not isinstance(value, str) or len(value) > 200:
        raise api_body.wrong(name, "must be a text")
    return value


def _texts(data: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts, or one text with commas."""
    value = "" if data.get(name) is None else data[name]
    values = value.split(",") if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise api_body.wrong(name, "must be a list of texts")
    known = TABLES["transactions"].columns
    if len(values) > 2 * len(known):
        raise api_body.wrong(name, "has too many")
    return [text.strip() for text in values if text.strip()]


def _filters(filters: Any, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(name, text) as in the query of the list with these names;
    `{"created": {"gte": ...}}` is the same as `{"created[gte]": ...}`."""
    if filters in (None, ""):
        return
    if not isinstance(filters, Mapping):
        raise api_body.wrong(
            "filters", "must be an object, as in the query of the list"
        )
    flat: list[tuple[str, list[str]]] = []
    for name, value in filters.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        for edge, given in inner:
            values = given if isinstance(given, list) else [given]
            key = f"{name}[{edge}]" if edge else str(name)
            flat.append((key, [_said(key, each) for each in values]))
    # Whatever else stands in brackets, the list itself says what is wrong with it.
    roots = {name.partition("[")[0] for name in names}
    for name, texts in gather(flat).items():
        if name.partition("[")[0] not in roots:
            raise _unknown(name)
        yield from ((name, text) for text in texts)


def _said(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int) and len(str(value)) <= 300:
        return str(value)
    raise api_body.wrong(name[:60], "must be a text or a whole number")


# ----------------------------------------------------------------------------- refusing
def _problem(no: NotPossible) -> Problem:
    if no.code == "too_many":
        return Problem(
            str(no), "too_many_exports", 429, "rate_limit_error",
            headers={"Retry-After": "30"},
        )  # fmt: skip
    param = _NAMES.get(no.field, no.field) or None
    return Problem(str(no), "parameter_invalid", param=param)


def _unknown(name: str) -> Problem:
    shown = name[:60]
    message = f"There is no parameter {shown!r} here; see /v1/docs."
    return Problem(message, "parameter_unknown", param=shown)
