"""What the filters of the post room's lists have in common: chips, addresses, times."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from merchant import moments

MODES = (("true", _("Live")), ("false", _("Test")))
SINCE, UNTIL = "created[gte]", "created[lt]"
#: Rows may come into the books in another order than that of their times, but not by
#: more than this.
SKEW = timedelta(minutes=10)
#: No row has this number.
MOST_ID = 2**63 - 1


class Chip(NamedTuple):
    """One value of the filter as the page shows it; `without` is the query less it."""

    label: str
    value: str
    without: str


class MomentField(forms.Field):
    """A day, which starts in the zone of who looks, or a moment."""

    def to_python(self, value: Any) -> datetime | None:
        text = str(value or "").strip()
        if not text:
            return None
        try:
            return moments.read(text, timezone.get_current_timezone())
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class MomentFilter(django_filters.Filter):
    field_class = MomentField


class ListFilter(django_filters.FilterSet):
    """A filter of a list, each value of it visible and removable."""

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

    def query(self, *, but: Iterable[str] = (), **more: str) -> str:
        """The query in its cleanest spelling, less the names in `but`, with `more`
        added where not empty."""
        left_out = {*but, *more}
        kept = [pair for pair in self._pairs() if pair[0] not in left_out]
        added = [(name, value) for name, value in more.items() if value]
        return urlencode([*kept, *added])

    def lasting_query(self) -> str:
        """The same for a reader in any time zone: its days are moments."""
        found = {name: self.form.cleaned_data.get(name) for name in (SINCE, UNTIL)}
        return self.query(**{name: at.isoformat() for name, at in found.items() if at})

    def choices(self, name: str) -> list[tuple[str, str, bool]]:
        """(value, label, chosen) of a field that is chosen by ticking."""
        chosen = set(self.chosen(name))
        options = self.filters[name].extra["choices"]
        return [(value, str(label), value in chosen) for value, label in options]

    def chosen(self, name: str) -> list[str]:
        """The values as they were asked for, without empty ones."""
        return [text for text in self.data.getlist(name) if text.strip()]

    def typed(self, name: str) -> str:
        """What was typed into a field that holds one text."""
        return next(iter(self.chosen(name)), "")

    def kept(self, *names: str) -> list[tuple[str, str]]:
        """What a form has to carry along because it has no field for it."""
        return [(name, value) for name in names for value in self.chosen(name)]

    # ----------------------------------------------------------------- for subclasses
    def add_times(self) -> None:
        """Two filters whose names no Python word could spell; see `within`."""
        for name, label in ((SINCE, _("From")), (UNTIL, _("Before"))):
            self.filters[name] = MomentFilter(label=label, method=self.leave)
            self.filters[name].parent = self

    def leave(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """For what narrows the strands instead of the rows."""
        return rows

    def within(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those of the time that was asked for.

        An index has each owner's rows by id, so the times are also said as ids.
        """
        ids = rows.model._default_manager.values("pk")
        since, until = (self.form.cleaned_data.get(name) for name in (SINCE, UNTIL))
        if since:
            before = ids.filter(created__lt=since - SKEW).order_by("-created")[:1]
            rows = rows.filter(created__gte=since, pk__gt=Coalesce(before, 0))
        if until:
            after = ids.filter(created__gte=until + SKEW).order_by("created")[:1]
            rows = rows.filter(created__lt=until, pk__lt=Coalesce(after, MOST_ID))
        return rows

    def shown(self, name: str, label: str) -> str:
        """How a chip writes a value's label."""
        return label

    def _pairs(self) -> Iterator[tuple[str, str]]:
        for name in self.filters:
            yield from ((name, text) for text in dict.fromkeys(self.chosen(name)))

    def _shown(self, name: str, value: str) -> str:
        options: Mapping[str, Any] = dict(self.filters[name].extra.get("choices", ()))
        return self.shown(name, str(options.get(value, value))[:80])
