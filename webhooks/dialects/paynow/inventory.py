"""What PayNow hands over and what stands: items, accounts, subscriptions, trials."""

from __future__ import annotations

from typing import Any

from webhooks.dialects import wire
from webhooks.dialects.paynow import orders
from webhooks.dialects.purchase import Line, Purchase, whole

#: Our name of the event -> the item's state. PayNow has no word for an expired one.
_STATES = {
    "delivery_item.added": "usable",
    "delivery_item.activated": "active",
    "delivery_item.used": "used",
    "delivery_item.renewed": "renewed",
    "delivery_item.revoked": "revoked",
    "delivery_item.expired": "active",
}
_TRIALS = {"trialing": "active", "active": "active", "completed": "completed"}


def delivery_item(story: Purchase) -> dict[str, Any]:
    """A thing in the customer's inventory."""
    part, customer = story.part, orders.customer_of(story)
    line = _line_of(story, str(part.get("name") or ""))
    changed = wire.iso(story.time("updated"))
    revoked = story.name == "delivery_item.revoked"
    expired = story.name == "delivery_item.expired"
    active = story.name in {"delivery_item.activated", "delivery_item.renewed"}
    return {
        "id": story.part_id("paynow"),
        "store_id": orders.store_id(story),
        "customer": customer,
        "order_customer_id": customer["id"],
        "checkout_id": None,
        "order_id": orders.order_id(story),
        "order_line_id": None,
        "subscription_id": None,
        "execute_on_gameserver_id": None,
        "execute_on_gameserver": None,
        "product_id": line.product or None,
        "product_version_id": None,
        "product": orders.product_of(story, line),
        "state": _STATES[story.name],
        "added_at": wire.iso(whole(part.get("created"))),
        "active_at": changed if active else None,
        "expires_at": wire.iso(whole(part.get("expires"))),
        "removed_at": changed if expired or revoked else None,
        "revoked_at": changed if revoked else None,
        "revoke_reason": part.get("reason") if revoked else None,
    }


def _line_of(story: Purchase, name: str) -> Line:
    """The line of the purchase that an item was bought with, by its name."""
    named = (line for line in story.lines if line.name == name)
    return next(named, Line("", name, "", 1, None, ""))


def discord_link(story: Purchase) -> dict[str, Any]:
    """A Discord account that was tied to the purchase, with the whole order."""
    accounts = wire.mapping(story.person.get("identities"))
    discord = wire.mapping(accounts.get("discord"))
    order, line = orders.order(story), next(iter(story.lines), None)
    return {
        "store_id": order["store_id"],
        "customer_id": order["customer_id"],
        "customer": order["customer"],
        "checkout_id": None,
        "checkout_line_id": None,
        "order_id": order["id"],
        "order": order,
        "discord_user_id": discord.get("id"),
        "discord_user_name": discord.get("name"),
        "discord_user_avatar_hash": None,
        "product_id": line.product or None if line else None,
        "product_version_id": None,
        "product": orders.product_of(story, line) if line else None,
        "enqueued_at": wire.iso(story.time("updated")),
    }


# --------------------------------------------------------------------------- standing
def subscription(story: Purchase) -> dict[str, Any]:
    scale, value = _interval(story)
    canceled = story.name == "subscription.canceled"
    found = {
        **_standing(story),
        "checkout": {"id": None, "metadata": {}, "lines": []},
        "billing_cycle_sequence": _cycle(story),
        "billing_email": story.customer.get("email"),
        "subtotal_amount": None,
        "tax_amount": None,
        "discount_amount": None,
        "total_amount": story.amount,
        "currency": story.currency.upper() or None,
        "interval_value": value,
        "interval_scale": scale,
        "product": None,
        "billing_country": _details(story).get("country"),
        "initial_subtotal_amount": None,
        "initial_tax_amount": None,
        "initial_discount_amount": None,
        "initial_giftcard_usage_amount": None,
        "initial_total_amount": None,
        "customer_ip": None,
        "current_period_start": wire.iso(story.time("period_start")),
        "current_period_end": wire.iso(story.time("period_end")),
        "created_at": wire.iso(story.time("created")),
        "active_at": None,
        "status": "canceled" if canceled else "active",
        "lines": [],
    }
    if canceled:
        found |= {"canceled_at": _ended(story), "cancel_reason": story.reason or None}
    return found


def trial(story: Purchase) -> dict[str, Any]:
    scale, value = _interval(story)
    canceled = story.name == "trial.canceled"
    return {
        **_standing(story),
        "period_value": value,
        "period_scale": scale,
        "starts_at": wire.iso(story.time("period_start")),
        "ends_at": wire.iso(story.time("period_end")),
        "status": "canceled" if canceled else _TRIALS.get(story.status, "active"),
        "created_at": wire.iso(story.time("created")),
        "canceled_at": _ended(story) if canceled else None,
    }


def _standing(story: Purchase) -> dict[str, Any]:
    """What subscriptions and trials have in common."""
    own = story.text("provider_id") if story.came_from("paynow") else ""
    number = _details(story).get("customer") if story.came_from("paynow") else None
    return {
        "id": own or story.id,
        "store_id": orders.store_id(story),
        "customer_id": number,
        "customer": {
            "id": number,
            "name": story.customer.get("name"),
            "steam": None,
            "minecraft": None,
            "profile": None,
            "steam_id": None,
        },
        "checkout_id": None,
        "checkout_line_id": None,
        "product_id": None,
        "product_version_id": None,
        "product_name": story.text("product") or None,
        "product_image_url": None,
    }


def _ended(story: Purchase) -> str | None:
    return wire.iso(story.time("ends") or story.time("updated"))


def _cycle(story: Purchase) -> int | None:
    number = str(_details(story).get("period") or "")
    return int(number) if number.isdigit() and len(number) < 10 else None


def _interval(story: Purchase) -> tuple[str | None, int | None]:
    """ "3 months" -> ("month", 3)."""
    number, _, unit = story.text("interval").rpartition(" ")
    if number.isdigit() and len(number) < 10:
        return unit.removesuffix("s"), int(number)
    return (unit, 1) if unit else (None, None)


def _details(story: Purchase) -> Any:
    return wire.mapping(story.payload.get("details"))
