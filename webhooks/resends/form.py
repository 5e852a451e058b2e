"""What is to be sent again, as somebody says it on a page; read into a plan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from merchant.models import Member
from webhooks.models import Endpoint, Resend
from webhooks.record import told
from webhooks.record.delivery_filters import DeliveryFilter
from webhooks.resends.plans import Chosen, Failed, Missing, Plan
from webhooks.templatetags.outgoing import endpoint_name

FAILED, MISSING, CHOSEN = Resend.What.FAILED, Resend.What.MISSING, Resend.What.CHOSEN

#: Deliveries that can be ticked one by one.
MOST_TICKED = 1_000
#: How far back one can go.
FARTHEST = timedelta(days=90)
FASTEST = 1_000

WHAT = (
    (FAILED, gettext_lazy("Everything that failed")),
    (MISSING, gettext_lazy("Everything that it was never told")),
)


class EndpointField(forms.ModelChoiceField):
    def label_from_instance(self, endpoint: Any) -> str:
        return f"{endpoint_name(endpoint)} ({endpoint.project.name})"


class HowForm(forms.Form):
    """Where it goes, and how fast."""

    to = EndpointField(
        Endpoint.objects.none(),
        label=gettext_lazy("To"),
        required=False,
        empty_label=gettext_lazy("The same endpoint"),
    )
    rate = forms.IntegerField(
        label=gettext_lazy("At most so many a second"),
        required=False,
        min_value=1,
        max_value=FASTEST,
        help_text=gettext_lazy("Empty: as fast as the endpoint's own limit allows."),
    )

    def __init__(self, data: QueryDict | None, member: Member, **more: Any) -> None:
        super().__init__(data, **more)
        rows = told.endpoints_of(member).filter(kind__in=told.LISTED)
        self.endpoints: QuerySet[Endpoint] = rows.order_by("project__name", "created")
        self.fields["to"].queryset = self.endpoints  # type: ignore[attr-defined]


class SinceForm(HowForm):
    """All of one kind since a moment."""

    what = forms.ChoiceField(label=gettext_lazy("What"), choices=WHAT)
    endpoint = EndpointField(Endpoint.objects.none(), label=gettext_lazy("Endpoint"))
    since = forms.DateTimeField(
        label=gettext_lazy("Since"),
        widget=forms.DateTimeInput({"type": "datetime-local"}, "%Y-%m-%dT%H:%M"),
    )
    field_order = ("what", "endpoint", "since", "to", "rate")

    def __init__(self, data: QueryDict | None, member: Member, **more: Any) -> None:
        super().__init__(data, member, **more)
        self.member = member
        self.fields["endpoint"].queryset = self.endpoints  # type: ignore[attr-defined]

    def clean_since(self) -> Any:
        since, now = self.cleaned_data["since"], timezone.now()
        if since > now:
            raise forms.ValidationError(_("This is still to come."))
        if since < now - FARTHEST:
            days = FARTHEST.days
            raise forms.ValidationError(_("At most %d days can be sent again.") % days)
        return since

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        endpoint, to = given.get("endpoint"), given.get("to")
        if endpoint and to and endpoint.project_id != to.project_id:
            self.add_error("to", _("This endpoint belongs to another project."))
        return given

    @property
    def plan(self) -> Plan:
        given = dict(self.cleaned_data)
        kind = {FAILED: Failed, MISSING: Missing}[given.pop("what")]
        return kind(**given, member=self.member)  # type: ignore[no-any-return]


class ChosenForm(HowForm):
    """Deliveries that were ticked in the list, or all that match its filter.

    Of a filter, none that came after the page was made (`upto`: the newest number
    then).
    """

    def __init__(self, data: QueryDict, member: Member, **more: Any) -> None:
        super().__init__(data, member, **more)
        self.ids = ticked(data)
        self.is_all = bool(data.get("all"))
        self.filter_query = data.get("query", "")
        self.member = member
        self.fields["upto"] = forms.IntegerField(
            required=False, min_value=0, max_value=2**63 - 1, widget=forms.HiddenInput
        )

    @property
    def plan(self) -> Plan:
        given = self.cleaned_data
        how: dict[str, Any] = {name: given.get(name) for name in ("to", "rate")}
        how["member"] = self.member
        if not self.is_all:
            return Chosen(**how, ids=self.ids)
        asked = DeliveryFilter(QueryDict(self.filter_query), self.member)
        # What means nothing stays as it is, and matches nothing.
        query = self.filter_query if asked.form.errors else asked.lasting_query()
        return Chosen(**how, query=query, upto=given.get("upto") or 0)

    @property
    def carried(self) -> list[tuple[str, str]]:
        """What the next page has to send along."""
        if not self.is_all:
            ids = ",".join(map(str, self.ids))
            return [("what", CHOSEN), ("query", self.filter_query), ("id", ids)]
        upto = self.cleaned_data.get("upto") or self.plan.newest()
        return [
            ("what", CHOSEN),
            ("all", "1"),
            ("query", self.filter_query),
            ("upto", str(upto)),
        ]


def ticked(data: QueryDict) -> list[int]:
    """The numbers of the rows that were ticked; several may stand in one field."""
    texts = [part for text in data.getlist("id") for part in text.split(",")]
    known = [t for t in texts if t.isascii() and t.isdecimal() and len(t) <= 18]
    return [int(text) for text in dict.fromkeys(known)][:MOST_TICKED]
