"""Which endpoints a query string asks for, of those that a member may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from merchant.models import Member
from merchant.selectors import projects_of
from webhooks.models import Endpoint

SIZE = 25
OLDER, NEWER = "after", "before"
MODES = {"true": True, "false": False}

State = Endpoint.State

#: The tabs: name -> (label, which rows).
STATES: dict[str, tuple[Any, Q]] = {
    "all": (gettext_lazy("All"), Q()),
    "enabled": (gettext_lazy("Enabled"), Q(state=State.ENABLED)),
    "failing": (
        gettext_lazy("Failing"),
        Q(state=State.ENABLED, failing__isnull=False),
    ),
    "paused": (gettext_lazy("Paused"), Q(state=State.PAUSED)),
    "disabled": (gettext_lazy("Disabled"), Q(state=State.DISABLED)),
}


def visible_to(member: Member) -> QuerySet[Endpoint]:
    """The endpoints that were set up for the member's projects."""
    return Endpoint.objects.filter(
        project__in=projects_of(member), kind=Endpoint.Kind.ENDPOINT
    ).select_related("project__merchant")


def find(member: Member, id: UUID) -> Endpoint | None:
    return visible_to(member).filter(pk=id).first()


@dataclass(frozen=True, slots=True)
class Page:
    """`rows` newest first; `newer` and `older` are cursors, "" at either end."""

    rows: list[Endpoint]
    newer: str = ""
    older: str = ""


class EndpointList:
    """`errors`: a sentence for each parameter that means nothing here; then no row
    is shown."""

    def __init__(self, member: Member, query: QueryDict) -> None:
        self.query = query
        self.errors: list[str] = []
        self.rows = self._by_state(self._by_mode(self._by_project(visible_to(member))))
        if self.errors:
            self.rows = self.rows.none()

    @property
    def state(self) -> str:
        return self.query.get("state") or "all"

    @property
    def is_narrowed(self) -> bool:
        return bool(self.pairs())

    def pairs(self, *, without: str = "") -> list[tuple[str, str]]:
        """The filter in its cleanest spelling."""
        names = [n for n in ("project", "livemode", "state") if n != without]
        return [
            (name, text)
            for name in names
            for text in dict.fromkeys(self.query.getlist(name))
            if text.strip() and (name, text) != ("state", "all")
        ]

    def address(self, url: str, **more: str) -> str:
        added = [(name, text) for name, text in more.items() if text]
        query = urlencode([*self.pairs(), *added])
        return f"{url}?{query}" if query else url

    def page(self) -> Page:
        """The page asked for; a broken cursor is the first one."""
        before = self._cursor(self.query.get(NEWER))
        after = self._cursor(self.query.get(OLDER))
        if before:
            beyond = Q(created__gt=before.created) | Q(
                created=before.created, pk__gt=before.pk
            )
            rows = list(self.rows.filter(beyond).order_by("created", "pk")[: SIZE + 1])
            if len(rows) >= SIZE:
                more = len(rows) > SIZE
                return _page(rows[:SIZE][::-1], newer=more, older=True)
        elif after:
            beyond = Q(created__lt=after.created) | Q(
                created=after.created, pk__lt=after.pk
            )
            rows = self._first(self.rows.filter(beyond))
            if rows:
                return _page(rows[:SIZE], newer=True, older=len(rows) > SIZE)
        rows = self._first(self.rows)
        return _page(rows[:SIZE], newer=False, older=len(rows) > SIZE)

    def _first(self, rows: QuerySet[Endpoint]) -> list[Endpoint]:
        return list(rows.order_by("-created", "-pk")[: SIZE + 1])

    def _cursor(self, text: str | None) -> Endpoint | None:
        try:
            return self.rows.filter(pk=UUID(text)).first() if text else None
        except ValueError:
            return None

    # ------------------------------------------------------------------- what it asks
    def _by_project(self, rows: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
        typed = [
            word.strip()
            for text in self.query.getlist("project")
            for word in text.split(",")
            if word.strip()
        ]
        if not typed:
            return rows
        wanted = Q(project__slug__in=typed) | Q(project__in=_uuids(typed))
        return rows.filter(wanted)

    def _by_mode(self, rows: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
        """One for both modes is in either list."""
        typed = self.query.get("livemode", "").strip()
        if not typed:
            return rows
        if typed not in MODES:
            self.errors.append(_("livemode must be true or false."))
            return rows
        return rows.filter(Q(livemode=None) | Q(livemode=MODES[typed]))

    def _by_state(self, rows: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
        if self.state not in STATES:
            known = ", ".join(STATES)
            self.errors.append(_("state must be one of: %s.") % known)
            return rows
        return rows.filter(STATES[self.state][1])


def _page(rows: list[Endpoint], *, newer: bool, older: bool) -> Page:
    return Page(
        rows,
        newer=str(rows[0].pk) if newer else "",
        older=str(rows[-1].pk) if older else "",
    )


def _uuids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
