"""Checkout sessions: what was bought, by whom, for which order of the shop."""

from __future__ import annotations

from typing import Any

from merchant.providers.base import (
    Fact,
    Said,
    Want,
    first,
    labels,
    mapping,
    moment,
    rows,
    say,
    stamp,
    text,
)
from merchant.providers.stripe import people, reading, words
from merchant.providers.stripe.reading import Body, Source
from merchant.providers.stripe.words import Weight

#: These say that money came at their own time.
_PAID_TYPES = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
}


#: Quantities fit a database's small whole number.
MOST = 10**9


def session(body: Body, source: Source) -> list[Fact]:
    """The session; its line items are in no webhook and have to be asked for."""
    standing = _standing(body, source)
    said = {
        **reading.amount(body.get("amount_total"), body.get("currency"), Weight.TOTAL),
        **_people(body),
        **_texts(body),
        **say(Weight.SESSION, items=items(body.get("line_items"))),
        **say(Weight.SESSION, reason=_reason(body, standing[0])),
    }
    if standing[0] == "paid" and source.type in _PAID_TYPES:
        said |= say(Weight.REPORTED, paid=stamp(source.at))
    told = reading.fact(
        "payment",
        "session",
        body,
        source,
        standing,
        said,
        references=reading.references(
            payment_intent=body.get("payment_intent"),
            session=body,
            invoice=body.get("invoice"),
        ),
        wants=_wants(body, source),
    )
    return [told]


def _standing(body: Body, source: Source) -> tuple[str, int]:
    if body.get("status") is None:  # before 2021 only the event's name told
        done = source.type.removeprefix("checkout.session.") != "expired"
        body = {**body, "status": "complete" if done else "expired"}
    standing = reading.status_of(body, words.SESSION)
    if standing[0] != "pending":
        return standing
    if body.get("payment_status") in ("paid", "no_payment_required"):
        return words.SESSION_PAID
    # The object of a failed debit looks like that of a pending one.
    failed = source.type == "checkout.session.async_payment_failed"
    return words.SESSION_FAILED if failed else standing


def _reason(body: Body, status: str) -> str | None:
    if status == "paid" and body.get("payment_status") == "no_payment_required":
        setup = body.get("mode") == "setup"
        return "free: a method was saved for later" if setup else "free"
    if status == "pending":
        return "waits for the bank"
    if status == "failed":
        return "the bank did not pay"
    return None


def _wants(body: Body, source: Source) -> tuple[Want, ...]:
    complete = body.get("status") in ("complete", None)
    if not complete or body.get("mode") == "setup":
        return ()
    asked = []
    if not body.get("line_items"):
        asked.append(source.want("line_items", reading.own_id(body)))
    # A subscription's first session names only its bill; the bill knows who paid.
    bill, paid = reading.id_of(body.get("invoice")), body.get("payment_status")
    if bill and paid == "paid" and reading.id_of(body.get("payment_intent")) is None:
        asked.append(source.want("invoice_payments", bill))
    return tuple(asked)


def _people(body: Body) -> dict[str, Said]:
    who = mapping(body.get("customer_details"))
    # Where the shipping address stands: since 2025-03-31, since 2022-11-15, before.
    shipping = first(
        mapping(body.get("collected_information")).get("shipping_details"),
        body.get("shipping_details"),
        body.get("shipping"),
    )
    free = body.get("payment_status") == "no_payment_required"
    return {
        **({} if free else people.only_method(body.get("payment_method_types"))),
        **people.customer(
            Weight.SESSION,
            name=who.get("name"),
            email=first(who.get("email"), body.get("customer_email")),
            phone=who.get("phone"),
            address=who.get("address"),
            shipping=shipping,
            number=body.get("customer"),
            locale=body.get("locale"),
        ),
        **say(
            Weight.SESSION,
            method_details=reading.texts(presentment=reading.presentment(body)),
        ),
    }


def _texts(body: Body) -> dict[str, Said]:
    metadata = labels(body.get("metadata"))
    own = text(body.get("client_reference_id"), 200)
    return {
        **say(
            Weight.SESSION,
            created=stamp(moment(body.get("created"))),
            metadata=metadata,
            order_reference=own,
        ),
        **({} if own else say(Weight.HINT, order_reference=reading.order_of(metadata))),
    }


def items(listed: object) -> list[dict[str, Any]] | None:
    """Our line items of a list of Stripe's; None when there is none."""
    found = [
        {
            "key": reading.id_of(line) or str(position),
            "product": product_of(line) or "",
            "name": text(line.get("description"), 300) or "",
            "sku": "",
            "quantity": min(reading.whole(line.get("quantity")) or 1, MOST),
            "amount": reading.exact(
                first(line.get("amount_total"), line.get("amount")),
                line.get("currency"),
            ),
            "platform": "",
        }
        for position, line in enumerate(rows(mapping(listed).get("data")))
    ]
    return found or None


def product_of(line: Body) -> str | None:
    """The product's id: by its price, since 2025-03-31 an invoice's by its pricing."""
    price = mapping(first(line.get("price"), line.get("plan")))
    details = mapping(mapping(line.get("pricing")).get("price_details"))
    product = first(price.get("product"), details.get("product"))
    if isinstance(product, dict):
        product = product.get("id")
    return text(product, 200)
