"""What a query string asks of a member's inbound events."""

from __future__ import annotations

import django_filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from merchant.models import Connection, Member
from webhooks.list_filter import MODES, ListFilter
from webhooks.models import InboundEvent
from webhooks.selectors import connections_of

#: A list is not merged from more strands than this.
MOST_STRANDS = 12
#: Columns that only the page of one event shows.
HEAVY = ("body", "headers", "fingerprint")


class InboundFilter(ListFilter):
    """Events by connection, type (its beginning), state, project and mode.

    `connections` are those that the member may see, `strands` the events asked for.
    """

    connection = django_filters.MultipleChoiceFilter(
        label=_("Connection"), method="leave"
    )
    type = django_filters.CharFilter(
        label=_("Type"), field_name="event_type", lookup_expr="istartswith"
    )
    state = django_filters.MultipleChoiceFilter(
        label=_("State"), choices=InboundEvent.State.choices
    )
    project = django_filters.MultipleChoiceFilter(label=_("Project"), method="leave")
    livemode = django_filters.ChoiceFilter(
        label=_("Mode"), choices=MODES, method="by_mode"
    )

    def __init__(self, query: QueryDict, member: Member) -> None:
        self.connections = connections_of(member)
        rows = InboundEvent.objects.defer(*HEAVY).select_related("connection__project")
        super().__init__(query, queryset=rows)
        shops = {c.project.slug: c.project.name for c in self.connections}
        self.filters["connection"].extra["choices"] = [
            (str(connection.pk), str(connection)) for connection in self.connections
        ]
        self.filters["project"].extra["choices"] = list(shops.items())

    def by_mode(
        self, rows: QuerySet[InboundEvent], name: str, value: str
    ) -> QuerySet[InboundEvent]:
        """An event's own flag wins; without one it is as its connection."""
        live = value == "true"
        unsaid = Q(livemode=None, connection__livemode=live)
        return rows.filter(Q(livemode=live) | unsaid)

    # ----------------------------------------------------------------- what it asks
    @property
    def wanted(self) -> list[Connection]:
        """The connections whose events are asked for."""
        ids = set(self.chosen("connection"))
        slugs = set(self.chosen("project"))
        return [
            connection
            for connection in self.connections
            if (not ids or str(connection.pk) in ids)
            and (not slugs or connection.project.slug in slugs)
        ]

    @property
    def strands(self) -> list[QuerySet[InboundEvent]]:
        """The rows, in parts that an index serves alone; none if there are errors."""
        if self.form.errors:
            return []
        wanted = [connection.pk for connection in self.wanted]
        if len(wanted) > MOST_STRANDS:
            return [self.qs.filter(connection__in=wanted)]
        return [self.qs.filter(connection=pk) for pk in wanted]

    def shown(self, name: str, label: str) -> str:
        return label.capitalize() if name == "state" else label
