"""A purchase as PayNow tells it: the order, its payment, and what was taken back."""

from __future__ import annotations

from typing import Any

from merchant.providers.paynow.words import DECLINES
from webhooks.dialects import wire
from webhooks.dialects.purchase import Line, Purchase, whole

_CODES = {words: code for code, words in reversed(DECLINES.items())}
#: A dispute's state -> PayNow's word for it.
_CHARGEBACKS = {"open": "pending", "won": "won", "lost": "lost"}
#: Accounts elsewhere that PayNow's customers have as objects.
_ACCOUNTS = ("steam", "minecraft")


# ------------------------------------------------------------------------------ order
def order(story: Purchase) -> dict[str, Any]:
    """The completed order with its lines."""
    customer = customer_of(story)
    found = {
        "id": order_id(story),
        "store_id": store_id(story),
        "customer_id": customer["id"],
        "customer": customer,
        "checkout_id": None,
        "checkout": {"id": None, "metadata": story.metadata, "lines": []},
        "subscription_id": None,
        "applied_coupons": [],
        "applied_giftcards": [],
        "coupon_id": None,
        "type": "one_time",
        "pretty_id": story.text("order_reference") or None,
        "currency": story.currency.upper() or None,
        "tax_inclusive": None,
        "tax_amount": None,
        "discount_amount": None,
        "subtotal_amount": None,
        "total_amount": story.amount,
        "created_at": wire.iso(story.time("created")),
        "completed_at": wire.iso(story.time("paid")),
        "billing_name": story.customer.get("name"),
        "billing_email": story.customer.get("email"),
        "billing_address_country": story.country or None,
        "customer_ip": story.person.get("ip"),
        "giftcard_usage_amount": None,
        "lines": [_line(story, number) for number in range(len(story.lines))],
        "product_names": ", ".join(line.name for line in story.lines),
        "product_tags": "",
        "product_gameservers": "",
        "status": "completed",
    }
    return flagged(story, found)


def _line(story: Purchase, number: int) -> dict[str, Any]:
    line = story.lines[number]
    each, discount = wire.unit_price(line.amount, line.quantity)
    return {
        "id": f"{order_id(story)}-{number + 1}",
        "checkout_line_id": None,
        "product_id": line.product or None,
        "product_version_id": None,
        "product": product_of(story, line, each),
        "product_name": line.name,
        "product_image_url": None,
        "subscription_id": None,
        "subscription_line_id": None,
        "subscription_interval_value": None,
        "subscription_interval_scale": None,
        "trial_id": None,
        "gift_to_customer": None,
        "price": each,
        "quantity": line.quantity,
        "discount_amount": discount,
        "subtotal_amount": line.amount,
        "tax_amount": None,
        "total_amount": line.amount,
        "selected_gameserver_id": None,
    }


def product_of(
    story: Purchase, line: Line, price: int | None = None
) -> dict[str, Any] | None:
    """A product as far as a line knows it."""
    return {
        "id": line.product or None,
        "store_id": store_id(story),
        "version_id": None,
        "image_url": None,
        "slug": line.sku or None,
        "name": line.name,
        "description": "",
        "enabled": True,
        "label": None,
        "sort_order": 0,
        "price": price,
        "single_game_server_only": False,
        "allow_one_time_purchase": True,
        "allow_subscription": False,
        "subscription_interval_value": None,
        "subscription_interval_scale": None,
        "remove_after_enabled": False,
        "remove_after_time_value": None,
        "remove_after_time_scale": None,
        "tags": [],
        "tag_names": "",
        "gameservers": [],
        "gameserver_names": "",
        "commands": [],
        "created_at": None,
        "updated_at": None,
        "metadata": {"sku": line.sku} if line.sku else {},
    }


# ---------------------------------------------------------------------------- payment
def failed_payment(story: Purchase) -> dict[str, Any]:
    """The payment that was declined."""
    return {
        **_payment(story),
        "id": payment_id(story),
        "status": "failed",
        # PayNow's own reasons are told by its code again.
        "failure_code": _CODES.get(story.reason),
        "created_at": wire.iso(story.time("created")),
        "pending_at": None,
        "failed_at": wire.iso(story.time("updated")),
    }


def _payment(story: Purchase) -> dict[str, Any]:
    """What payments, refunds and chargebacks have in common: the payment's figures."""
    return {
        "store_id": store_id(story),
        "order_id": order_id(story),
        "customer": customer_of(story),
        "gateway": story.method_details.get("gateway"),
        "currency": story.currency.upper() or None,
        "tax_inclusive": None,
        "amount": story.amount,
        "gateway_fee_amount": None,
        "tax_amount": None,
        "platform_fee_amount": None,
        "store_net_amount": story.amount,
    }


# ------------------------------------------------------------------- what is taken back
def refund(story: Purchase) -> dict[str, Any]:
    """What went back. `amount` is the payment's: only `store_refund_amount` is its own.

    Readers work the refund out of its share in `store_net_amount`. That is the whole
    price here, without fees, so that the share is exact to the minor unit.
    """
    back = story.part_amount()
    return {
        **_payment(story),
        "id": story.part_id("paynow") or f"{order_id(story)}-refund",
        "payment_id": payment_id(story),
        "store_refund_amount": story.refunded if back is None else back,
        "created_at": wire.iso(whole(story.part.get("created"))),
        "approved_at": None,
        "pending_at": None,
        "completed_at": wire.iso(story.time("updated")),
        "billing_email": story.customer.get("email"),
        "status": "completed",
    }


def chargeback(story: Purchase) -> dict[str, Any]:
    """A chargeback; PayNow gives it the id of its payment."""
    return {
        **_payment(story),
        "id": payment_id(story),
        "status": "chargeback",
        "chargeback_status": _CHARGEBACKS.get(str(story.part.get("status")), "pending"),
        "chargeback_at": wire.iso(whole(story.part.get("created"))),
    }


# ------------------------------------------------------------------------ whose it is
def order_id(story: Purchase) -> str:
    return story.own_id("paynow", "order") or story.id


def payment_id(story: Purchase) -> str:
    """Where no payment of PayNow's is known, the order stands for its own."""
    return story.own_id("paynow", "payment") or order_id(story)


def store_id(story: Purchase) -> str | None:
    return story.account("paynow") or story.text("project") or None


def customer_of(story: Purchase) -> dict[str, Any]:
    """Id, name and accounts, with the flat `steam_id` of the SDK's guide."""
    person, accounts = story.person, wire.mapping(story.person.get("identities"))
    own = person.get("provider_id") if story.came_from("paynow") else None
    known = {name: _account(accounts.get(name)) for name in _ACCOUNTS}
    profile = next(
        ({**found, "platform": name} for name, found in known.items() if found), None
    )
    return {
        "id": own or story.customer.get("id"),
        "name": story.customer.get("name"),
        **known,
        "profile": profile,
        "steam_id": wire.mapping(accounts.get("steam")).get("id"),
    }


def _account(value: object) -> dict[str, Any] | None:
    known = wire.mapping(value)
    if not known.get("id"):
        return None
    return {"id": known["id"], "name": known.get("name"), "avatar_url": None}


def flagged(story: Purchase, found: dict[str, Any]) -> dict[str, Any]:
    """With `verified` false where the amount came unsigned and is not confirmed."""
    return {**found, "verified": False} if story.is_unverified else found
