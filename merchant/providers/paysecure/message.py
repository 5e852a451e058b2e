"""What came, out of its wrapper: the parts that Paysecure signs, and the rest.

Three shapes are in use: {"message": purchase, "status"}, {"payload": payout, "status"}
and the bare object.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

from merchant.providers import wire
from merchant.providers.base import (
    Envelope,
    Incoming,
    Unreadable,
    digest,
    mapping,
)
from merchant.providers.paysecure.words import PAYOUTS, PURCHASES, normal

Kind = Literal["purchase", "payout"]
_IDS: dict[Kind, str] = {"purchase": "purchaseId", "payout": "payoutId"}
_WRAPPERS = ("message", "payload")
_BRANDS = ("brand_id", "brandId")

_ID = re.compile("[A-Za-z0-9_-]{1,64}")
_BRAND = re.compile("[^|\\s\\x00-\\x1f\\x7f\\ud800-\\udfff]{1,100}")


@dataclass(frozen=True, slots=True)
class Message:
    """A purchase or payout and what names it.

    status     in the one spelling of words.normal
    spellings  the status as the body spells it, in the places that name it
    brand      "" for payouts: their signature covers none
    """

    kind: Kind
    id: str
    status: str
    spellings: tuple[str, ...]
    brand: str
    content: dict[str, Any]

    @property
    def updated(self) -> int:
        """The provider's time of this state, Unix seconds; 0 when it is no time.

        The only thing that puts the states of a purchase in order.
        """
        found = wire.number(self.content.get("updated_on"))
        return int(found) if found is not None and 0 < found < 10**11 else 0


def opened(payload: Any) -> Message:
    """The message of a webhook or of the API. Raises Unreadable when it is none."""
    root = mapping(payload)
    content = _unwrapped(root)
    kind, id = _named(content)
    spellings = [content.get("status")]
    if content is not root and root.get("status") not in (None, ""):
        spellings.append(root["status"])
    status = normal(spellings[0])
    if status is None or any(normal(other) != status for other in spellings):
        # One of the two could be the signed one, the other the one that is acted on.
        raise Unreadable("It names no status, or two that contradict each other.")
    brand = _brand(content) if kind == "purchase" else ""
    return Message(
        kind, id, status, tuple(str(word) for word in spellings), brand, content
    )


def identify(incoming: Incoming, payload: Any) -> Envelope:
    """Paysecure gives events neither id nor type: both are made of what changed.

    The same state may come by several addresses in several wrappers, so the
    fingerprint leaves those differences out. Raises Unreadable.
    """
    message = opened(payload)
    test = message.content.get("is_test")
    word = (PURCHASES if message.kind == "purchase" else PAYOUTS).get(message.status)
    told = word.event if word else message.status
    key = "|".join((message.kind, message.id, message.status, message.brand))
    return Envelope(
        event_id=f"{digest(key.encode())}:{message.updated}",
        event_type=f"{message.kind}.{told}",
        livemode=not test if isinstance(test, bool) else None,
        account=message.brand,
        fingerprint=_fingerprint(message),
    )


def reply(
    incoming: Incoming, envelope: Envelope, payload: Any, duplicate: bool
) -> None:
    """Any 2xx will do."""
    return


def _unwrapped(root: dict[str, Any]) -> dict[str, Any]:
    wrapped = [root[name] for name in _WRAPPERS if isinstance(root.get(name), dict)]
    if len(wrapped) > 1:
        raise Unreadable("It holds two objects, and the signature can mean only one.")
    return wrapped[0] if wrapped else root


def _named(content: dict[str, Any]) -> tuple[Kind, str]:
    """Kind and id. Raises Unreadable unless there is exactly one, of harmless signs."""
    found = [(kind, content[key]) for kind, key in _IDS.items() if key in content]
    if len(found) != 1:
        raise Unreadable("It is neither a purchase nor a payout: no id, or both.")
    kind, id = found[0]
    # No "|": a purchase signed as X|PAID|B must not pass as the payout "X|PAID".
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise Unreadable(f"Its {_IDS[kind]} is no id.")
    return kind, id


def _brand(content: dict[str, Any]) -> str:
    """Live deliveries write brand_id, the documents brandId."""
    found = {content[name] for name in _BRANDS if isinstance(content.get(name), str)}
    if len(found) != 1:
        raise Unreadable("It names no brand, or two.")
    (brand,) = found
    if not _BRAND.fullmatch(brand):
        raise Unreadable("Its brand is no brand id.")
    return brand


def _fingerprint(message: Message) -> str:
    same = {
        name: value
        for name, value in message.content.items()
        if name not in {*_BRANDS, "status"}
    }
    # Numbers with decimals are Decimals here; their repr keeps 20.0 and "20.0" apart.
    plain = json.dumps(same, sort_keys=True, separators=(",", ":"), default=repr)
    return digest(plain.encode("ascii"))
