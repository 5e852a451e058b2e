"""The form in which an endpoint is set up and changed, and its table of events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from merchant.models import Project
from webhooks import custom_headers
from webhooks.catalogue import GROUPS, KINDS, Kind
from webhooks.endpoints.terms import (
    HIGHEST_RATE,
    LONGEST_DESCRIPTION,
    LONGEST_URL,
    USUAL_RATE,
)
from webhooks.models import Endpoint
from webhooks.models.endpoint import Dialect

ALL, SOME = "all", "some"
MODES = (
    ("both", gettext_lazy("Live and test")),
    ("live", gettext_lazy("Live only")),
    ("test", gettext_lazy("Test only")),
)
LIVEMODE = {"both": None, "live": True, "test": False}

#: What a group of events is called on pages.
GROUP_WORDS = {
    "payment": gettext_lazy("Payments"),
    "refund": gettext_lazy("Refunds"),
    "dispute": gettext_lazy("Disputes"),
    "fulfilment": gettext_lazy("Fulfilment"),
    "subscription": gettext_lazy("Subscriptions"),
    "trial": gettext_lazy("Trials"),
    "delivery_item": gettext_lazy("Delivery items"),
    "customer": gettext_lazy("Customers"),
    "payout": gettext_lazy("Payouts"),
}

#: Dialects that call events otherwise than we do.
OTHER_DIALECTS = [name for name in Dialect.values if name != Dialect.STANDARD]


@dataclass(frozen=True, slots=True)
class Choice:
    """An event as the table shows it; `said` is what each other dialect calls it, ""
    where it does not send it."""

    kind: Kind
    chosen: bool
    said: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Group:
    """`whole`: all of it is asked for, also what is added to it one day."""

    name: str
    words: Any
    whole: bool
    choices: list[Choice]

    @property
    def asked(self) -> str:
        return f"{self.name}.*"

    @property
    def is_open(self) -> bool:
        return self.whole or any(choice.chosen for choice in self.choices)


def groups(wanted: Iterable[str]) -> list[Group]:
    """The table of events, with those ticked that are wanted."""
    wanted = set(wanted)
    return [
        Group(
            name,
            GROUP_WORDS[name],
            f"{name}.*" in wanted,
            [
                Choice(kind, kind.name in wanted, said(kind))
                for kind in KINDS.values()
                if kind.group == name
            ],
        )
        for name in GROUPS
    ]


def said(kind: Kind) -> list[tuple[str, str]]:
    return [(name, getattr(kind, name)) for name in OTHER_DIALECTS]


class EndpointForm(forms.Form):
    """`endpoint`: the one that is changed; None for a new one of one of `projects`."""

    project = forms.ChoiceField(
        label=gettext_lazy("Project"),
        error_messages={"required": gettext_lazy("Choose a project.")},
    )
    url = forms.CharField(
        label=gettext_lazy("URL"),
        max_length=LONGEST_URL,
        error_messages={"required": gettext_lazy("Write the URL that takes events.")},
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=LONGEST_DESCRIPTION,
        required=False,
    )
    dialect = forms.ChoiceField(label=gettext_lazy("Dialect"), choices=Dialect.choices)
    which = forms.ChoiceField(choices=[(ALL, ""), (SOME, "")])
    events = forms.MultipleChoiceField(required=False)
    mode = forms.ChoiceField(label=gettext_lazy("Mode"), choices=MODES)
    rate = forms.IntegerField(
        label=gettext_lazy("Deliveries a second"),
        min_value=1,
        max_value=HIGHEST_RATE,
    )
    headers = forms.CharField(
        label=gettext_lazy("Custom headers"),
        max_length=16_000,
        required=False,
    )
    drop = forms.MultipleChoiceField(required=False)
    enabled = forms.BooleanField(label=gettext_lazy("Enabled"), required=False)
    waiting = forms.ChoiceField(
        choices=[("hold", ""), ("send", "")], required=False, initial="hold"
    )

    def __init__(
        self, data: Any, *, endpoint: Endpoint | None, projects: Sequence[Project]
    ) -> None:
        self.endpoint = endpoint
        self.known_headers = custom_headers.opened(endpoint) if endpoint else {}
        super().__init__(data, initial=_initial(endpoint, projects))
        self.fields["project"].choices = [(p.slug, p.name) for p in projects]  # type: ignore[attr-defined]
        if endpoint is not None:
            del self.fields["project"]
        names = [f"{group}.*" for group in GROUPS] + list(KINDS)
        self.fields["events"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]
        self.fields["drop"].choices = [(n, n) for n in self.known_headers]  # type: ignore[attr-defined]

    # -------------------------------------------------------------------- for the page
    @property
    def groups(self) -> list[Group]:
        return groups(self["events"].value() or ())

    @property
    def takes_all(self) -> bool:
        return self["which"].value() != SOME

    @property
    def dropped(self) -> list[str]:
        return list(self["drop"].value() or ())

    @property
    def summary(self) -> list[tuple[str, str]]:
        """(id of the field, what is wrong with it), for the top of the page."""
        return [
            (self[name].id_for_label or f"id_{name}", str(text))
            for name, texts in self.errors.items()
            if name in self.fields
            for text in texts
        ]

    @property
    def must_type_headers_again(self) -> bool:
        """What may prove something is not sent back, not even to who typed it."""
        return self.is_bound and bool(self["headers"].value())

    # -------------------------------------------------------------------- what it says
    def clean_headers(self) -> dict[str, str]:
        """What is typed, line by line, over what is kept already."""
        headers = {}
        for line in self.cleaned_data["headers"].splitlines():
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not line.strip():
                continue
            if not colon or not name or not value:
                raise forms.ValidationError(
                    _("Write one header in each line, such as X-Team: payments.")
                )
            headers[name] = value
        return headers

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("which") == SOME and not found.get("events"):
            self.add_error("events", _("Tick at least one event, or take all of them."))
        return found

    @property
    def terms(self) -> dict[str, Any]:
        """What webhooks.endpoints takes; only of a valid form."""
        given = self.cleaned_data
        return {
            "url": given["url"],
            "description": given["description"],
            "dialect": given["dialect"],
            "events": [] if given["which"] == ALL else given["events"],
            "livemode": LIVEMODE[given["mode"]],
            "rate": given["rate"],
            "headers": self._headers(given["headers"], set(given["drop"])),
        }

    def _headers(self, typed: dict[str, str], drop: set[str]) -> dict[str, str]:
        replaced = {name.lower() for name in typed}
        kept = {
            name: value
            for name, value in self.known_headers.items()
            if name not in drop and name.lower() not in replaced
        }
        return kept | typed


def _initial(endpoint: Endpoint | None, projects: Sequence[Project]) -> dict[str, Any]:
    if endpoint is None:
        return {
            "project": projects[0].slug if len(projects) == 1 else "",
            "dialect": Dialect.STANDARD,
            "which": ALL,
            "mode": "both",
            "rate": USUAL_RATE,
            "enabled": True,
        }
    mode = next(word for word, live in LIVEMODE.items() if live is endpoint.livemode)
    return {
        "url": endpoint.url,
        "description": endpoint.description,
        "dialect": endpoint.dialect,
        "which": SOME if endpoint.events else ALL,
        "events": endpoint.events,
        "mode": mode,
        "rate": endpoint.rate,
        "enabled": endpoint.state == Endpoint.State.ENABLED,
    }
