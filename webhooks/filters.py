"""What a query string asks of a member's inbound events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlencode

import django_filters
from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from merchant.models import Connection, Member
from webhooks.models import InboundEvent
from webhooks.selectors import connections_of

#: A list is not merged from more strands than this.
MOST_STRANDS = 12
#: Columns that only the page of one event shows.
HEAVY = ("body", "headers", "fingerprint")

MODES = (("true", _("Live")), ("false", _("Test")))


class Chip(NamedTuple):
    """One value of the filter as the page shows it; `without` is the query less it."""

    label: str
    value: str
    without: str


class InboundFilter(django_filters.FilterSet):
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

    def leave(
        self, rows: QuerySet[InboundEvent], name: str, value: Any
    ) -> QuerySet[InboundEvent]:
        """Narrows the connections instead, see `strands`."""
        return rows

    def by_mode(
        self, rows: QuerySet[InboundEvent], name: str, value: str
    ) -> QuerySet[InboundEvent]:
        """An event's own flag wins; without one it is as its connection."""
        live = value == "true"
        unsaid = Q(livemode=None, connection__livemode=live)
        return rows.filter(Q(livemode=live) | unsaid)

    # ----------------------------------------------------------------- what it asks
    @property
    def errors_in_words(self) -> list[str]:
        """A sentence for each parameter that means nothing here."""
        return [
            f"{self.form.fields[name].label}: {text}"
            for name, texts in self.form.errors.items()
            for text in texts
        ]

    @property
    def wanted(self) -> list[Connection]:
        """The connections whose events are asked for."""
        ids = set(self._chosen("connection"))
        slugs = set(self._chosen("project"))
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

    @property
    def chips(self) -> list[Chip]:
        pairs = list(self._pairs())
        return [
            Chip(
                str(self.form.fields[name].label),
                self._shown(name, value),
                urlencode([pair for pair in pairs if pair != (name, value)]),
            )
            for name, value in pairs
        ]

    def query(self, **more: str) -> str:
        """The query in its cleanest spelling, with `more` added where not empty."""
        added = [(name, value) for name, value in more.items() if value]
        return urlencode([*self._pairs(), *added])

    def choices(self, name: str) -> list[tuple[str, str, bool]]:
        """(value, label, chosen) of a field that is chosen by ticking."""
        chosen = set(self._chosen(name))
        options = self.filters[name].extra["choices"]
        return [(value, str(label), value in chosen) for value, label in options]

    @property
    def typed(self) -> str:
        return next(iter(self._chosen("type")), "")

    def _chosen(self, name: str) -> list[str]:
        return [text for text in self.data.getlist(name) if text.strip()]

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for name in self.filters:
            yield from ((name, text) for text in dict.fromkeys(self._chosen(name)))

    def _shown(self, name: str, value: str) -> str:
        options = dict(self.filters[name].extra.get("choices", ()))
        label = str(options.get(value, value))[:80]
        return label.capitalize() if name == "state" else label
