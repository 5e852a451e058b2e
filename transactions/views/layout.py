"""The form where a member chooses the columns of the list, and the height of rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from merchant import htmx
from merchant.models import Member
from merchant.views.guard import may
from transactions import columns, layouts
from transactions.models import ListLayout
from transactions.views.way_back import way_back

PLACE = "place-"


@require_http_methods(["GET", "HEAD", "POST"])
@may("keep_views")
def layout(request: HttpRequest) -> HttpResponse:
    member: Member = request.member  # type: ignore[attr-defined]
    if request.method != "POST":
        return _answer(request, of_layout(layouts.of(member)))
    if "reset" in request.POST:
        layouts.reset(member)
        return htmx.redirect(request, way_back(request), words=_("Columns reset"))
    try:
        layouts.keep(member, ordered(request.POST), request.POST.get("density", ""))
    except layouts.NotKept as error:
        return _answer(request, of_post(request.POST), error=str(error))
    return htmx.redirect(request, way_back(request), words=_("Columns saved"))


def _answer(
    request: HttpRequest, form: dict[str, Any], error: str = ""
) -> HttpResponse:
    return htmx.answer(
        request,
        page="transactions/layout.html",
        partial="transactions/_layout_form.html",
        context={"layout_form": form | {"error": error}, "next": way_back(request)},
        status=422 if error else 200,
    )


# ------------------------------------------------------------------------------ form
def of_layout(layout: ListLayout) -> dict[str, Any]:
    """The form as the member has the list: their columns in order, then the others."""
    shown = columns.in_order(layout.columns)
    others = [key for key in columns.COLUMNS if key not in shown]
    places = {key: str(place) for place, key in enumerate([*shown, *others])}
    return _form(shown, places, layout.density)


def of_post(post: QueryDict) -> dict[str, Any]:
    """The form as it was sent."""
    places = {
        name.removeprefix(PLACE): text
        for name, text in post.items()
        if name.startswith(PLACE)
    }
    known = {key: str(text) for key, text in places.items() if key in columns.COLUMNS}
    return _form(post.getlist("column"), known, post.get("density", ""))


def _form(shown: Iterable[str], places: dict[str, str], density: str) -> dict[str, Any]:
    shown = set(shown)
    chosen = density if density in ListLayout.Density.values else "roomy"
    return {
        "choices": [
            {
                "key": key,
                "label": columns.COLUMNS[key].label,
                "shown": key in shown,
                "place": place,
            }
            for key, place in places.items()
            if key != columns.CUSTOMER.key
        ],
        "densities": [
            {"value": value, "label": label, "chosen": value == chosen}
            for value, label in ListLayout.Density.choices
        ],
        "most": len(columns.COLUMNS) - 1,
    }


# --------------------------------------------------------------------------- reading
def ordered(post: QueryDict) -> list[str]:
    """The ticked columns in the order of their places. Raises NotKept.

    Without script a place is typed: one that was given the number of another stands
    before it when it came from below, behind it when it came from above.
    """
    before = [name for name in post if name.startswith(PLACE)]
    stood = {name.removeprefix(PLACE): at for at, name in enumerate(before, start=1)}

    def order(key: str) -> tuple[int, int]:
        wanted = _place(key, post.get(f"{PLACE}{key}", ""))
        old = stood.get(key, wanted)
        return wanted, (wanted > old) - (wanted < old)

    return sorted(post.getlist("column"), key=order)


def _place(key: str, text: str) -> int:
    if not text.strip():
        return len(columns.COLUMNS)
    if text.strip().isascii() and text.strip().isdigit() and len(text) < 6:
        return int(text)
    column = columns.COLUMNS.get(key)
    label = column.label if column else key[:40]
    words = _("The place of “%(label)s” is a whole number from 1 to %(most)d.")
    raise layouts.NotKept(words % {"label": label, "most": len(columns.COLUMNS) - 1})
