"""What a query string asks of a member's deliveries; for the page and for exports."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from itertools import product
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from merchant.models import Member, Project
from merchant.selectors import projects_of
from webhooks.catalogue import GROUPS, KINDS
from webhooks.filters import MOST_STRANDS
from webhooks.list_filter import MODES, ListFilter
from webhooks.models import Delivery, Endpoint
from webhooks.record import told

State = Delivery.State

#: What a list does not show.
HEAVY = ("event__payload", "endpoint__sealed_headers", "endpoint__metadata")
#: Names and whole groups, as an endpoint asks for them.
EVENTS = [
    *((f"{group}.*", f"{group}.*") for group in GROUPS),
    *((name, name) for name in KINDS),
]


def names_in(asked: Iterable[str]) -> list[str]:
    """The names of events that names and groups stand for."""
    single = set(asked)
    groups = {name.removesuffix(".*") for name in single if name.endswith(".*")}
    return [kind for kind in KINDS if kind in single or KINDS[kind].group in groups]


class DeliveryFilter(ListFilter):
    """Deliveries by endpoint, event, state, subject, time, project and mode.

    query      as in an address; times without a zone are in the active time zone
    shops      the projects that the member sees, `endpoints` theirs
    strands    the deliveries asked for, in parts that an index serves alone
    matching   the same as one query
    Both are empty where `errors_in_words` has something.
    """

    endpoint = django_filters.MultipleChoiceFilter(label=_("Endpoint"), method="leave")
    event = django_filters.MultipleChoiceFilter(
        label=_("Event"), method="by_name", choices=EVENTS
    )
    state = django_filters.MultipleChoiceFilter(
        label=_("State"), method="leave", choices=State.choices
    )
    transaction = django_filters.UUIDFilter(
        label=_("Transaction"), field_name="subject"
    )
    project = django_filters.MultipleChoiceFilter(label=_("Project"), method="leave")
    livemode = django_filters.ChoiceFilter(
        label=_("Mode"), choices=MODES, method="by_mode"
    )

    def __init__(self, query: QueryDict, member: Member) -> None:
        self.shops: list[Project] = list(projects_of(member))
        mine = Delivery.objects.filter(project__in=[shop.pk for shop in self.shops])
        rows = mine.select_related("event", "endpoint__project").defer(*HEAVY)
        super().__init__(query, queryset=rows)
        self.add_times()
        asked = [id for id in map(_as_uuid, self.chosen("endpoint")) if id]
        self.endpoints = told.listed_endpoints(self.shops, also=asked)
        self.filters["endpoint"].extra["choices"] = [
            (str(endpoint.pk), str(endpoint)) for endpoint in self.endpoints
        ]
        self.filters["project"].extra["choices"] = [
            (shop.slug, shop.name) for shop in self.shops
        ]

    def by_name(
        self, rows: QuerySet[Delivery], name: str, value: list[str]
    ) -> QuerySet[Delivery]:
        return rows.filter(name__in=names_in(value)) if value else rows

    def by_mode(
        self, rows: QuerySet[Delivery], name: str, value: str
    ) -> QuerySet[Delivery]:
        return rows.filter(livemode=value == "true")

    # ----------------------------------------------------------------- what it asks
    @property
    def wanted_shops(self) -> list[Project]:
        slugs = set(self.chosen("project"))
        return [shop for shop in self.shops if not slugs or shop.slug in slugs]

    @property
    def wanted_endpoints(self) -> list[Endpoint]:
        """Those that were named; none if none was."""
        ids = set(self.chosen("endpoint"))
        return [endpoint for endpoint in self.endpoints if str(endpoint.pk) in ids]

    @property
    def strands(self) -> list[QuerySet[Delivery]]:
        if self.form.errors:
            return []
        rows = self._rows
        if self.form.cleaned_data["transaction"]:
            return [self.matching]
        owner, ids = self._owners
        states = self.chosen("state")
        if not states and len(ids) <= MOST_STRANDS:
            return [rows.filter(**{owner: id}) for id in ids]
        if len(ids) * len(states) <= MOST_STRANDS:
            return [
                rows.filter(**{owner: id}, state=state)
                for id, state in product(ids, states)
            ]
        return [self.matching]

    @property
    def matching(self) -> QuerySet[Delivery]:
        if self.form.errors:
            return Delivery.objects.none()
        owner, ids = self._owners
        rows = self._rows.filter(**{f"{owner}__in": ids})
        states = self.chosen("state")
        return rows.filter(state__in=states) if states else rows

    def shown(self, name: str, label: str) -> str:
        return label.capitalize() if name == "state" else label

    @cached_property
    def _rows(self) -> QuerySet[Delivery]:
        return self.within(self.qs)

    @property
    def _owners(self) -> tuple[str, list[Any]]:
        """The column that the strands are parted by, and its values."""
        shops = self.wanted_shops
        if not self.chosen("endpoint"):
            return "project", [shop.pk for shop in shops]
        kept = {shop.pk for shop in shops}
        named = self.wanted_endpoints
        return "endpoint", [row.pk for row in named if row.project_id in kept]


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
