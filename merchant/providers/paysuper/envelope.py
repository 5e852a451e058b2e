"""The envelope of a PaySuper delivery: what is told, and what its sender wants back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from merchant.providers.base import (
    Envelope,
    Incoming,
    Reply,
    Unreadable,
    digest,
    mapping,
)

USER_VALIDATE = "user.validate"
#: The documents' page on declines says "canceled", the code that sends it "cancel".
SPELLINGS = {"payment.canceled": "payment.cancel"}

#: The tester's customer that must not exist, and the case it is sent in.
_NOBODY = "paysuper_test_"
_NOBODY_CASE = "non_existing_user"


@dataclass(frozen=True, slots=True)
class Message:
    """The parts of an envelope that do not change from one delivery to the next."""

    id: str
    event: str
    content: dict[str, Any]

    @property
    def testing(self) -> bool:
        """PaySuper's tester sent it: it looks like a payment and is none."""
        return bool(self.content.get("testing_case"))


def opened(payload: Any) -> Message:
    """The envelope. Raises Unreadable when the payload is not one."""
    envelope = mapping(payload)
    id, event = envelope.get("id"), envelope.get("event")
    content = envelope.get("object")
    if not (isinstance(id, str) and id and isinstance(event, str) and event):
        raise Unreadable("PaySuper's envelope needs an id and an event, both texts.")
    if not isinstance(envelope.get("type"), str):
        raise Unreadable("PaySuper's envelope needs a type, a text.")
    if not isinstance(content, dict):
        raise Unreadable("PaySuper's envelope needs an object.")
    return Message(id, event, content)


def identify(incoming: Incoming, payload: Any) -> Envelope:
    """The envelope's id names the event; only its object stays the same on a retry.

    `created_at` and `delivery_try` are the attempt's own. Raises Unreadable.
    """
    message = opened(payload)
    live = message.content.get("is_production")
    return Envelope(
        event_id=message.id,
        event_type=message.event,
        # The envelope's `live` is the project's; a sandbox order of it is a test.
        livemode=live if isinstance(live, bool) else None,
        fingerprint=_fingerprint(message.content),
        testing=message.testing,
    )


def reply(
    incoming: Incoming, envelope: Envelope, payload: Any, duplicate: bool
) -> Reply:
    """200 without a body; 400 for the customer that PaySuper's tester makes up.

    `user.validate` waits for it: anything but 200 refuses the payment.
    """
    content = mapping(mapping(payload).get("object"))
    case = content.get("testing_case")
    user = content.get("external_id")
    invented = isinstance(user, str) and user.startswith(_NOBODY)
    asked = mapping(payload).get("event") == USER_VALIDATE
    if case == _NOBODY_CASE or (asked and invented):
        return Reply(400, b'{"error":{"code":"INVALID_USER"}}', "application/json")
    return Reply(200)


def _fingerprint(content: dict[str, Any]) -> str:
    # Numbers with decimals are Decimals here; their repr keeps 59.5 and "59.5" apart.
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"), default=repr)
    return digest(plain.encode("ascii"))
