"""What a dialect is given and what it answers; values only, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """An event as a dialect sees it.

    key             "msg_...", the same in every try
    name            one of webhooks.catalogue
    livemode        of the payment
    subject_kind    "transaction", "subscription" or "payout"
    payload         see webhooks.models.Event
    created         when the event was entered, UTC
    attempt         1 for the first try of a delivery, then 2, 3 ...
    expires         when the last try will have been made, UTC
    """

    key: str
    name: str
    livemode: bool
    subject_kind: str
    payload: Mapping[str, Any]
    created: datetime
    attempt: int = 1
    expires: datetime | None = None

    @property
    def object(self) -> Mapping[str, Any]:
        """The API's object at that moment."""
        return self.payload["object"]

    @property
    def part(self) -> Mapping[str, Any]:
        """The refund, dispute or delivery item that it is about; empty if none."""
        part = self.payload.get("part")
        return part if isinstance(part, Mapping) else {}


@dataclass(frozen=True, slots=True, repr=False)
class SigningKeys:
    """What proves who sent it. `secrets`: every live one, newest first, as shown to
    the merchant; `private_key`: PEM, the newest; `older_private_keys`: those that are
    still valid. Has no repr, so that no log can show it.
    """

    secrets: tuple[str, ...] = ()
    private_key: str = ""
    older_private_keys: tuple[str, ...] = ()

    def turn(self, attempt: int) -> SigningKeys:
        """The one secret or key that signs this try, where there is room for one.

        The tries take turns, the newest first. While an old secret is valid, a
        receiver that does not know the new one yet refuses the first try and takes the
        second, seconds later; one that has changed takes the first.
        """
        pairs = (self.private_key, *self.older_private_keys)
        secret = _taking_turns(self.secrets, attempt) if self.secrets else None
        return SigningKeys(
            secrets=(secret,) if secret else (),
            private_key=_taking_turns(pairs, attempt),
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes out: the body's exact bytes, and the headers that sign them."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Spoken(Protocol):
    """The shape of a dialect's module."""

    def word(self, news: News) -> str:
        """What it calls the event; "" where it does not send this. Pure and cheap."""

    def body(self, news: News) -> bytes | None:
        """The body, or None where the dialect does not send this. Pure."""

    def sign(
        self, news: News, body: bytes, keys: SigningKeys, at: datetime
    ) -> dict[str, str]:
        """Headers that prove the body as sent at `at`, with Content-Type."""


def _taking_turns(keys: tuple[str, ...], attempt: int) -> str:
    return keys[(max(attempt, 1) - 1) % len(keys)]
