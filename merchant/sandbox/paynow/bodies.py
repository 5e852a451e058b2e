"""PayNow's objects of a purchase, as its webhooks carry them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from merchant.providers.paynow.reading import flake_of
from merchant.sandbox.story import Article, Line, Purchase, Step

#: The one store of the sandbox, opened when PayNow's calendar was young.
STORE_ID = str(flake_of(datetime(2025, 3, 1, 9, tzinfo=UTC)) + 370_816)
#: When everything on sale was put there.
_OPENED = datetime(2025, 3, 2, 10, tzinfo=UTC)
#: One payment in eleven parts is tax (10 % on top of the net price).
_TAX = 11
Body = dict[str, Any]


def flake(at: datetime, *name: object) -> str:
    """An id made at that moment: always the same for the same name."""
    mark = int.from_bytes(hashlib.sha256(repr(name).encode()).digest()[:4], "big")
    later = timedelta(milliseconds=mark % 500)
    return str(flake_of(at + later) | mark >> 10)


def rfc(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class Sale:
    """One order of a purchase: the first, or a later one of its subscription.

    `word` tells the sales of one purchase apart; `begun` and `ended` in UTC.
    """

    purchase: Purchase
    word: str
    begun: datetime
    ended: datetime

    def id(self, thing: object) -> str:
        return flake(self.begun, self.purchase.number, self.word, thing)

    @property
    def order_id(self) -> str:
        return self.id("order")

    @property
    def payment_id(self) -> str:
        return self.id("payment")

    @property
    def subscription_id(self) -> str | None:
        return None if self.word == "first" else subscription_id(self.purchase)


def first_sale(purchase: Purchase) -> Sale:
    begun = purchase.steps[0].at
    ended = purchase.when("paid") or purchase.when("failed") or begun
    return Sale(purchase, "first", begun, ended)


def renewal(purchase: Purchase, step: Step) -> Sale:
    """The order by which a subscription pays another period."""
    return Sale(purchase, rfc(step.at), step.at - timedelta(seconds=20), step.at)


def subscription_id(purchase: Purchase) -> str:
    return flake(purchase.steps[0].at, purchase.number, "subscription")


def checkout_id(purchase: Purchase) -> str:
    return flake(purchase.steps[0].at, purchase.number, "checkout")


# -------------------------------------------------------------------------- people
def customer(purchase: Purchase) -> Body:
    buyer = purchase.buyer
    steam = buyer.steam_id and {
        "id": buyer.steam_id,
        "name": buyer.key,
        "avatar_url": f"https://avatars.example.net/{buyer.steam_id}.jpg",
    }
    return {
        "id": customer_id(purchase),
        "name": buyer.name,
        "steam": steam or None,
        "minecraft": None,
        "profile": {"platform": "steam", **steam} if steam else None,
    }


def customer_id(purchase: Purchase) -> str:
    return flake(_OPENED, "customer", purchase.buyer.key)


# ------------------------------------------------------------------------ products
def product_ids(article: Article) -> tuple[str, str]:
    """The product and its version."""
    return flake(_OPENED, article.key), flake(_OPENED, article.key, "version")


def product(article: Article, currency: str) -> Body:
    id, version = product_ids(article)
    return {
        "id": id,
        "store_id": STORE_ID,
        "version_id": version,
        "image_url": None,
        "slug": article.key,
        "name": article.name,
        "description": f"<p>{article.name}</p>",
        "enabled": True,
        "label": None,
        "sort_order": 0,
        "price": article.prices[currency],
        "single_game_server_only": False,
        "allow_one_time_purchase": True,
        "allow_subscription": article.key == "club",
        "subscription_interval_value": 1 if article.key == "club" else None,
        "subscription_interval_scale": "month" if article.key == "club" else None,
        "remove_after_enabled": False,
        "remove_after_time_value": None,
        "remove_after_time_scale": None,
        "tags": [],
        "tag_names": "",
        "gameservers": [],
        "gameserver_names": "",
        "commands": [],
        "created_at": rfc(_OPENED),
        "updated_at": rfc(_OPENED),
        "metadata": {"sku": article.sku},
    }


def line_id(purchase: Purchase, number: int, kind: str = "line") -> str:
    return flake(purchase.steps[0].at, purchase.number, kind, number)


def _taxed(total: int) -> Body:
    tax = total // _TAX
    return {
        "discount_amount": 0,
        "subtotal_amount": total - tax,
        "tax_amount": tax,
        "total_amount": total,
    }


def _line(sale: Sale, number: int, line: Line) -> Body:
    price = line.article.prices[sale.purchase.currency]
    id, version = product_ids(line.article)
    monthly = sale.subscription_id is not None
    return {
        "id": sale.id(f"line {number}"),
        "checkout_line_id": line_id(sale.purchase, number, "checkout line"),
        "product_id": id,
        "product_version_id": version,
        "product": product(line.article, sale.purchase.currency),
        "product_name": line.article.name,
        "product_image_url": None,
        "subscription_id": sale.subscription_id,
        "subscription_line_id": sale.id("subscription line") if monthly else None,
        "subscription_interval_value": 1 if monthly else None,
        "subscription_interval_scale": "month" if monthly else None,
        "trial_id": None,
        "gift_to_customer": None,
        "price": price,
        "quantity": line.quantity,
        **_taxed(price * line.quantity),
        "selected_gameserver_id": None,
    }


def checkout(purchase: Purchase) -> Body:
    lines = []
    for number, line in enumerate(purchase.lines):
        id, version = product_ids(line.article)
        lines.append(
            {
                "id": line_id(purchase, number, "checkout line"),
                "product_id": id,
                "product_version_id": version,
                "metadata": {},
            }
        )
    metadata = {"shop_order": f"S-{purchase.number}"}
    return {"id": checkout_id(purchase), "metadata": metadata, "lines": lines}


# -------------------------------------------------------------------------- objects
def order(sale: Sale, status: str = "completed") -> Body:
    purchase = sale.purchase
    paid = status not in {"created", "canceled"}
    return {
        "id": sale.order_id,
        "store_id": STORE_ID,
        "customer": customer(purchase),
        "checkout_id": checkout_id(purchase),
        "checkout": checkout(purchase),
        "subscription_id": sale.subscription_id,
        "applied_coupons": [],
        "applied_giftcards": [],
        "coupon_id": None,
        "type": "one_time" if sale.subscription_id is None else "subscription",
        "currency": purchase.currency.upper(),
        "tax_inclusive": True,
        **_taxed(purchase.total),
        "created_at": rfc(sale.begun),
        "completed_at": rfc(sale.ended) if paid else None,
        "billing_name": purchase.buyer.name,
        "billing_email": purchase.buyer.email,
        "billing_address_country": purchase.buyer.country,
        "customer_ip": f"198.51.100.{purchase.number % 250 + 1}",
        "giftcard_usage_amount": 0,
        "lines": [_line(sale, n, line) for n, line in enumerate(purchase.lines)],
        "product_names": ", ".join(line.article.name for line in purchase.lines),
        "product_tags": "",
        "product_gameservers": "",
        "status": status,
    }


def figures(purchase: Purchase) -> Body:
    """Amounts that a payment and everything about it carry; minor units."""
    total = purchase.total
    tax = total // _TAX
    gateway = min(total - tax, total * 29 // 1000 + 30) if total else 0
    platform = min(total - tax - gateway, total * 4 // 100)
    return {
        "gateway": "paypal" if purchase.method == "paypal" else "stripe",
        "currency": purchase.currency.upper(),
        "tax_inclusive": True,
        "amount": total,
        "gateway_fee_amount": gateway,
        "tax_amount": tax,
        "platform_fee_amount": platform,
        "store_net_amount": total - tax - gateway - platform,
    }


def payment(sale: Sale, failure: str = "") -> Body:
    ended = rfc(sale.ended)
    end = (
        {"failed_at": ended, "failure_code": failure}
        if failure
        else {"billing_country": sale.purchase.buyer.country, "completed_at": ended}
    )
    return {
        "id": sale.payment_id,
        "store_id": STORE_ID,
        "order_id": sale.order_id,
        "customer": customer(sale.purchase),
        **figures(sale.purchase),
        "status": "failed" if failure else "completed",
        "created_at": rfc(sale.begun),
        "pending_at": None,
        **end,
    }


def refund_id(purchase: Purchase, step: Step) -> str:
    return flake(step.at, purchase.number, "refund", step.number)


def refund(sale: Sale, step: Step) -> Body:
    purchase = sale.purchase
    sums = figures(purchase)
    share = sums["store_net_amount"]
    if step.amount < purchase.total:
        share = share * step.amount // purchase.total
    return {
        "id": refund_id(purchase, step),
        "store_id": STORE_ID,
        "order_id": sale.order_id,
        "customer": customer(purchase),
        "payment_id": sale.payment_id,
        **sums,
        "store_refund_amount": share,
        "created_at": rfc(step.at),
        "approved_at": rfc(step.at),
        "pending_at": rfc(step.at),
        "completed_at": rfc(step.at + timedelta(seconds=40)),
        "billing_email": purchase.buyer.email,
        "status": "completed",
    }


#: step -> (the payment's status, the chargeback's)
CHARGEBACKS = {
    "dispute": ("chargeback", "pending"),
    "dispute_won": ("completed", "won"),
    "dispute_lost": ("chargeback", "lost"),
}


def chargeback(sale: Sale, step: Step) -> Body:
    status, chargeback_status = CHARGEBACKS[step.kind]
    opened = sale.purchase.when("dispute") or step.at
    return {
        "id": sale.payment_id,
        "store_id": STORE_ID,
        "order_id": sale.order_id,
        "customer": customer(sale.purchase),
        **figures(sale.purchase),
        "status": status,
        "chargeback_status": chargeback_status,
        "chargeback_at": rfc(opened),
    }


def delivery_items(sale: Sale, step: Step) -> Iterator[Body]:
    """Everything of the order that PayNow hands over, as it stands after the step."""
    purchase = sale.purchase
    added = purchase.when("item_added") or sale.ended
    revoked = rfc(step.at) if step.kind == "item_revoked" else None
    for number, line in enumerate(purchase.lines):
        id, version = product_ids(line.article)
        yield {
            "id": line_id(purchase, number, "item"),
            "store_id": STORE_ID,
            "customer": customer(purchase),
            "order_customer_id": customer_id(purchase),
            "checkout_id": checkout_id(purchase),
            "order_id": sale.order_id,
            "order_line_id": sale.id(f"line {number}"),
            "subscription_id": None,
            "execute_on_gameserver_id": None,
            "execute_on_gameserver": None,
            "product_id": id,
            "product_version_id": version,
            "product": product(line.article, purchase.currency),
            "state": "revoked" if revoked else "usable",
            "added_at": rfc(added),
            "active_at": None,
            "expires_at": None,
            "removed_at": revoked,
            "revoked_at": revoked,
            "revoke_reason": "refund" if revoked else None,
        }


def discord_link(sale: Sale, step: Step) -> Body:
    purchase = sale.purchase
    article = purchase.lines[0].article
    id, version = product_ids(article)
    user = flake(_OPENED, "discord", purchase.buyer.key)
    return {
        "store_id": STORE_ID,
        "customer_id": customer_id(purchase),
        "customer": customer(purchase),
        "checkout_id": checkout_id(purchase),
        "checkout_line_id": line_id(purchase, 0, "checkout line"),
        "order_id": sale.order_id,
        "order": order(sale),
        "discord_user_id": user,
        "discord_user_name": purchase.buyer.key.replace("-", "_"),
        "discord_user_avatar_hash": hashlib.sha256(user.encode()).hexdigest()[:32],
        "product_id": id,
        "product_version_id": version,
        "product": product(article, purchase.currency),
        "enqueued_at": rfc(step.at),
    }


def _periods(purchase: Purchase, step: Step) -> int:
    """How many periods were paid, up to and with that step."""
    return 1 + sum(
        1
        for s in purchase.steps
        if s.kind == "subscription_renewed" and s.at <= step.at
    )


def subscription(purchase: Purchase, step: Step) -> Body:
    line = purchase.lines[0]
    id, version = product_ids(line.article)
    started = purchase.when("subscription_started") or step.at
    number = _periods(purchase, step)
    sums = _taxed(purchase.total)
    body = {
        "id": subscription_id(purchase),
        "store_id": STORE_ID,
        "customer_id": customer_id(purchase),
        "customer": customer(purchase),
        "checkout": checkout(purchase),
        "billing_cycle_sequence": number,
        "billing_email": purchase.buyer.email,
        **sums,
        "currency": purchase.currency.upper(),
        "interval_value": 1,
        "interval_scale": "month",
        "product_id": id,
        "product_version_id": version,
        "product_name": line.article.name,
        "product_image_url": None,
        "product": product(line.article, purchase.currency),
        "billing_country": purchase.buyer.country,
        **{f"initial_{name}": amount for name, amount in sums.items()},
        "initial_giftcard_usage_amount": 0,
        "customer_ip": f"198.51.100.{purchase.number % 250 + 1}",
        "current_period_start": rfc(started + timedelta(days=30 * (number - 1))),
        "current_period_end": rfc(started + timedelta(days=30 * number)),
        "created_at": rfc(started),
        "active_at": rfc(started),
        "checkout_id": checkout_id(purchase),
        "checkout_line_id": line_id(purchase, 0, "checkout line"),
        "status": "active",
        "lines": [],
    }
    if step.kind == "subscription_canceled":
        canceled = {"status": "canceled", "canceled_at": rfc(step.at)}
        body |= canceled | {"cancel_reason": "customer_request"}
    return body


def trial(purchase: Purchase, step: Step) -> Body:
    id, version = product_ids(purchase.lines[0].article)
    started = purchase.when("trial_started") or step.at
    return {
        "id": flake(started, purchase.number, "trial"),
        "store_id": STORE_ID,
        "customer_id": customer_id(purchase),
        "customer": customer(purchase),
        "checkout_id": checkout_id(purchase),
        "checkout_line_id": line_id(purchase, 0, "checkout line"),
        "product_id": id,
        "product_version_id": version,
        "product_name": purchase.lines[0].article.name,
        "product_image_url": None,
        "period_value": 7,
        "period_scale": "day",
        "starts_at": rfc(started),
        "ends_at": rfc(started + timedelta(days=7)),
        "status": "completed" if step.kind == "trial_completed" else "active",
        "created_at": rfc(started),
    }
