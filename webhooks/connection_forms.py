"""The forms of a connection, made of what its provider asks for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from merchant import credentials
from merchant.models import Connection, Member, Secret
from merchant.providers import PROVIDERS
from merchant.providers.connecting import Asked
from merchant.selectors import projects_of

MODES = (("live", _("Live")), ("test", _("Test")))
#: How long old keys stay live, in hours: what is offered of 0 to 7 days.
OVERLAPS = (
    ("24", _("24 hours more")),
    ("0", _("end at once")),
    ("1", _("1 hour more")),
    ("72", _("3 days more")),
    ("168", _("7 days more")),
)
#: What a new key takes the place of, beside the id of one key.
NONE, EVERY = "", "every"


class HiddenLines(forms.Textarea):
    """A text area that never shows again what was typed into it."""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        return super().get_context(name, None, attrs)


def field_of(asked: Asked, *, required: bool = False) -> forms.CharField:
    """The field for one thing that a provider asks for."""
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    if asked.example:
        attrs["placeholder"] = asked.example
    widget: forms.Widget
    if asked.long:
        attrs["rows"] = "4"
        widget = HiddenLines(attrs) if asked.secret else forms.Textarea(attrs)
    elif asked.secret:
        widget = forms.PasswordInput(attrs)
    else:
        widget = forms.TextInput(attrs)
    return forms.CharField(
        label=asked.label,
        help_text=asked.hint,
        required=required,
        max_length=20_000,
        widget=widget,
    )


class _Base(forms.Form):
    """Puts what a verb refused beside the field that it is about."""

    def refuse(self, error: credentials.NotUsable) -> None:
        self.add_error(error.field if error.field in self.fields else None, str(error))


class DetailsForm(_Base):
    """What is no key. `asked`: those of them that the provider has a use for."""

    mode = forms.ChoiceField(
        label=_("Mode"),
        choices=MODES,
        widget=forms.RadioSelect,
        help_text=_("Counts where an event does not say itself whether it is a test."),
    )
    base_url = forms.CharField(
        label=_("Base URL"),
        required=False,
        max_length=500,
        help_text=_("Where its API is asked, if that is not the usual place."),
        widget=forms.TextInput(
            {"autocomplete": "off", "spellcheck": "false", "inputmode": "url"}
        ),
    )

    def __init__(self, provider: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for asked in PROVIDERS[provider].setup.asks:
            if asked.name in {"account", "brand_ids"}:
                self.fields[asked.name] = field_of(asked)
        self.order_fields(["mode", "account", "brand_ids", "base_url"])

    @property
    def told(self) -> dict[str, Any]:
        """What connections.change takes."""
        given = self.cleaned_data
        return {
            "base_url": given["base_url"],
            "brand_ids": given.get("brand_ids", "").replace(",", "\n").splitlines(),
            "account": given.get("account", ""),
            "livemode": given["mode"] == "live",
        }


class OpenForm(DetailsForm):
    """A new connection, with whatever of its keys is at hand."""

    def __init__(self, member: Member, provider: str, *args: Any, **kwargs: Any):
        super().__init__(provider, *args, **kwargs)
        self.setup = setup = PROVIDERS[provider].setup
        self.fields["project"] = forms.ModelChoiceField(
            projects_of(member), label=_("Project"), empty_label=None
        )
        self.fields[setup.key.name] = field_of(setup.key)
        for asked in setup.asks:
            self.fields.setdefault(asked.name, field_of(asked))
        beside = [asked.name for asked in setup.asks]
        self.order_fields(["project", "mode", setup.key.name, *beside, "base_url"])

    @property
    def keys(self) -> dict[str, Any]:
        """What connections.open_connection takes beside the details."""
        names = ("secret", "public_key", "api_key", "user_token")
        given = {name: self.cleaned_data.get(name, "") for name in names}
        if self.setup.per_event:
            first, *more = lines(given["secret"]) or [""]
            given |= {"secret": first, "more_secrets": more}
        return given


class KeyForm(_Base):
    """One more key that proves deliveries, or one in the place of others."""

    instead = forms.ChoiceField(label=_("In the place of"), required=False)
    overlap = forms.ChoiceField(
        label=_("Old keys live for"),
        choices=OVERLAPS,
        required=False,
        help_text=_("Meanwhile what either of them signed gets in."),
    )
    label = forms.CharField(
        label=_("Label"),
        required=False,
        max_length=80,
        help_text=_("To tell keys apart here."),
        widget=forms.TextInput({"autocomplete": "off"}),
    )

    def __init__(
        self, connection: Connection, live: Sequence[Secret], *args: Any, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.setup = setup = PROVIDERS[connection.provider].setup
        self.live = {str(secret.pk): secret for secret in live}
        self.fields[setup.key.name] = field_of(setup.key, required=True)
        choices: list[tuple[str, Any]] = [(NONE, _("none: it is one more"))]
        if len(live) > 1:
            choices.append((EVERY, _("every key that is live now")))
        choices += [(id, key_words(secret)) for id, secret in self.live.items()]
        self.fields["instead"].choices = choices  # type: ignore[attr-defined]
        if not live:
            del self.fields["instead"], self.fields["overlap"]
        self.order_fields([setup.key.name, "label", "instead", "overlap"])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("instead") in self.live and len(self.keys) > 1:
            self.add_error("instead", _("One key can take the place of one key only."))
        return given

    @property
    def keys(self) -> list[str]:
        """What was typed: one key, or one a line where there is one per event."""
        typed = self.cleaned_data.get(self.setup.key.name, "")
        return lines(typed) if self.setup.per_event else [typed]

    @property
    def replaces(self) -> bool:
        return bool(self.cleaned_data.get("instead"))

    @property
    def only(self) -> Secret | None:
        """The one key whose place it takes."""
        return self.live.get(self.cleaned_data.get("instead", ""))

    @property
    def lasting(self) -> timedelta:
        """How long the old keys stay live."""
        return timedelta(hours=int(self.cleaned_data.get("overlap") or 24))


def key_words(secret: Secret) -> str:
    """Which key it is: its label, or the day it was added."""
    return secret.label or f"{secret.created:%d %b %Y, %H:%M} UTC"


def lines(typed: str) -> list[str]:
    return [line for line in typed.splitlines() if line.strip()]
