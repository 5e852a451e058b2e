"""A payload read for the dialects: what their shapes are built from, none required."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from webhooks.dialects.wire import mapping

#: States of a refund in which its provider has it, or is about to.
UNDER_WAY = frozenset(
    {"requested", "approved", "submitted", "unknown", "pending", "requires_action"}
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a purchase; `amount` is the whole line's, minor units or None.

    `product`: the provider's own id of it where the payload tells, else ours.
    """

    product: str
    name: str
    sku: str
    quantity: int
    amount: int | None
    platform: str


# No slots: cached_property keeps its value in the instance.
@dataclass(frozen=True)
class Purchase:
    """An event's payload (see webhooks.models.Event) as the dialects ask it.

    `name`: the event's. Texts are "" and objects empty where nothing is known; amounts
    are minor units. Subscriptions and payouts answer what they have in common with it.
    """

    payload: Mapping[str, Any]
    name: str = ""

    @classmethod
    def of(cls, object: Mapping[str, Any], payload: Mapping[str, Any]) -> Purchase:
        """`object` in place of the payload's own: a purchase as it stands now."""
        return cls({**payload, "object": object})

    # ------------------------------------------------------------------ the purchase
    @property
    def object(self) -> Mapping[str, Any]:
        return mapping(self.payload.get("object"))

    @property
    def id(self) -> str:
        return self.text("id")

    @property
    def status(self) -> str:
        return self.text("status")

    @property
    def reason(self) -> str:
        return self.text("status_reason")

    @property
    def currency(self) -> str:
        """Lower case; "" while unknown."""
        return self.text("currency")

    @property
    def livemode(self) -> bool:
        return self.object.get("livemode") is not False

    @property
    def is_unverified(self) -> bool:
        """The amount came unsigned and nobody has confirmed it."""
        return self.object.get("verified") is False

    @property
    def amount(self) -> int | None:
        return whole(self.object.get("amount")) if self.currency else None

    @property
    def refunded(self) -> int:
        return whole(self.object.get("amount_refunded")) or 0

    @property
    def is_refunded_whole(self) -> bool:
        if self.status == "refunded":
            return True
        return bool(self.amount) and self.refunded >= (self.amount or 0)

    @property
    def refund_is_under_way(self) -> bool:
        """Not one that only waits for a member's approval: its provider has none."""
        states = {str(refund.get("status")) for refund in self.rows("refunds")}
        if "awaiting_approval" in states and not states & UNDER_WAY:
            return False
        return self.object.get("refund_pending") is True or bool(states & UNDER_WAY)

    @property
    def metadata(self) -> dict[str, str]:
        found = mapping(self.object.get("metadata"))
        return {str(k): str(v) for k, v in found.items() if v is not None}

    @cached_property
    def lines(self) -> list[Line]:
        known = mapping(self.payload.get("products"))
        return [
            Line(
                product=_product(item, known),
                name=str(item.get("name") or ""),
                sku=str(item.get("sku") or ""),
                quantity=max(1, whole(item.get("quantity")) or 1),
                amount=whole(item.get("amount")) if self.currency else None,
                platform=str(item.get("platform") or ""),
            )
            for item in self.rows("items")
        ]

    def rows(self, name: str) -> list[Mapping[str, Any]]:
        """The objects of a list of the object's; [] for anything that is none."""
        value = self.object.get(name)
        return list(map(mapping, value)) if isinstance(value, list | tuple) else []

    def text(self, name: str) -> str:
        """A text of the object's; "" for anything that is none."""
        value = self.object.get(name)
        return value if isinstance(value, str) else ""

    def time(self, name: str) -> int | None:
        """Unix seconds; None while unknown."""
        return whole(self.object.get(name))

    # -------------------------------------------------------------------- whose it is
    def came_from(self, provider: str) -> bool:
        return self.object.get("provider") == provider

    def own_id(self, provider: str, kind: str) -> str | None:
        """The provider's own id of this kind, where it came from that provider.

        Of several it is the one that names the purchase, else the newest.
        """
        if not self.came_from(provider):
            return None
        listed = mapping(self.payload.get("references")).get(kind)
        found = [str(id) for id in listed] if isinstance(listed, list | tuple) else []
        named = self.text("provider_id")
        return named if named in found else found[-1] if found else None

    def account(self, provider: str) -> str:
        """The provider's brand, store or account, where it came from that provider."""
        brand = self.payload.get("brand")
        return str(brand) if brand and self.came_from(provider) else ""

    # -------------------------------------------------------------------- who paid how
    @property
    def customer(self) -> Mapping[str, Any]:
        return mapping(self.object.get("customer"))

    @property
    def person(self) -> Mapping[str, Any]:
        """{address, shipping, ip, locale, external_id, provider_id, identities}."""
        return mapping(mapping(self.payload.get("details")).get("customer"))

    @property
    def address(self) -> Mapping[str, Any]:
        return mapping(self.person.get("address"))

    @property
    def phone(self) -> str:
        value = mapping(self.payload.get("details")).get("phone")
        return value if isinstance(value, str) else ""

    @property
    def country(self) -> str:
        value = self.customer.get("country") or self.address.get("country")
        return value if isinstance(value, str) else ""

    @property
    def method(self) -> Mapping[str, Any]:
        """{type, brand, last4}."""
        return mapping(self.object.get("payment_method"))

    @property
    def method_details(self) -> Mapping[str, Any]:
        """{wallet, network, funding, country, expires, holder, ...}: texts."""
        return mapping(mapping(self.payload.get("details")).get("method"))

    @property
    def expires(self) -> tuple[str, str]:
        """Month and year of the card, two and four digits; "" both if unknown."""
        month, _, year = str(self.method_details.get("expires") or "").partition("/")
        return (month, year) if month.isdigit() and year.isdigit() else ("", "")

    # -------------------------------------------------------------- what came after it
    @property
    def part(self) -> Mapping[str, Any]:
        """The refund, dispute or delivery item that it is about."""
        return mapping(self.payload.get("part"))

    def part_amount(self) -> int | None:
        return whole(self.part.get("amount")) if self.currency else None

    def part_id(self, provider: str) -> str:
        """The part's own id at the provider it came from, else ours."""
        own = self.part.get("provider_id") if self.came_from(provider) else None
        return str(own or self.part.get("id") or "")


def _product(item: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    ours = str(item.get("product") or "")
    return str(known.get(ours) or ours)


def whole(value: object) -> int | None:
    """A whole number; None for anything else."""
    fits = isinstance(value, int) and not isinstance(value, bool)
    return value if fits and isinstance(value, int) else None
