"""What a query string asks of a member's events."""

from __future__ import annotations

from itertools import product

import django_filters
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from merchant.models import Member, Project
from merchant.selectors import projects_of
from webhooks.filters import MOST_STRANDS
from webhooks.list_filter import MODES, ListFilter
from webhooks.models import Event
from webhooks.record.delivery_filters import EVENTS, names_in


class EventFilter(ListFilter):
    """Events by name, subject, time, project and mode.

    shops     the projects that the member sees
    strands   the events asked for, in parts that an index serves alone; none if there
              are errors
    """

    event = django_filters.MultipleChoiceFilter(
        label=_("Event"), method="leave", choices=EVENTS
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
        mine = Event.objects.filter(project__in=[shop.pk for shop in self.shops])
        rows = mine.select_related("project").defer("payload")
        super().__init__(query, queryset=rows)
        self.add_times()
        self.filters["project"].extra["choices"] = [
            (shop.slug, shop.name) for shop in self.shops
        ]

    def by_mode(self, rows: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return rows.filter(livemode=value == "true")

    @property
    def strands(self) -> list[QuerySet[Event]]:
        if self.form.errors:
            return []
        slugs = set(self.chosen("project"))
        shops = [shop.pk for shop in self.shops if not slugs or shop.slug in slugs]
        names = names_in(self.chosen("event"))
        rows = self.within(self.qs)
        if self.form.cleaned_data["transaction"]:
            whole = rows.filter(project__in=shops)
            return [whole.filter(name__in=names) if names else whole]
        if not names and len(shops) <= MOST_STRANDS:
            return [rows.filter(project=shop) for shop in shops]
        if len(shops) * len(names) <= MOST_STRANDS:
            return [
                rows.filter(project=shop, name=name)
                for shop, name in product(shops, names)
            ]
        whole = rows.filter(project__in=shops)
        return [whole.filter(name__in=names) if names else whole]
