"""Invoices and the payments that settle them."""

from __future__ import annotations

from merchant.providers.base import (
    Fact,
    Said,
    Unreadable,
    Want,
    first,
    labels,
    mapping,
    moment,
    say,
    stamp,
    text,
)
from merchant.providers.stripe import people, reading, sessions, words
from merchant.providers.stripe.reading import Body, Source
from merchant.providers.stripe.words import Weight

_PAID_TYPES = {"invoice.paid", "invoice.payment_succeeded"}


def invoice(body: Body, source: Source) -> list[Fact]:
    """A bill, which is no purchase as long as a payment may still claim it."""
    standing = _standing(body, source)
    paid = standing[0] == "paid"
    said = {
        **_money(body, paid),
        **_people(body),
        **_texts(body),
        **say(Weight.INVOICE, reason=_reason(body, standing[0])),
    }
    if paid:
        said |= say(Weight.IMPLIED, paid=_paid_at(body, source))
    told = reading.fact(
        "invoice",
        "invoice",
        body,
        source,
        standing,
        said,
        references=reading.references(
            payment_intent=body.get("payment_intent"),
            charge=body.get("charge"),
            invoice=body,
        ),
        wants=_wants(body, source, paid),
    )
    return [told]


def _standing(body: Body, source: Source) -> tuple[str, int]:
    standing = reading.status_of(body, words.INVOICE)
    if standing[0] == "pending":
        return words.INVOICE_OPEN.get(source.type, standing)
    return standing


def _money(body: Body, paid: bool) -> dict[str, Said]:
    currency = body.get("currency")
    if paid:
        return reading.amount(body.get("amount_paid"), currency, Weight.BILLED)
    asked = first(body.get("amount_due"), body.get("total"))
    return reading.amount(asked, currency, Weight.DUE)


def _paid_at(body: Body, source: Source) -> str | None:
    """The bill's own word first, so that near-duplicate events say the same."""
    own = moment(mapping(body.get("status_transitions")).get("paid_at"))
    reported = source.at if source.type in _PAID_TYPES else None
    return stamp(own or reported or moment(body.get("created")))


def _wants(body: Body, source: Source, paid: bool) -> tuple[Want, ...]:
    linked = reading.references(
        payment_intent=body.get("payment_intent"), charge=body.get("charge")
    )
    if linked or not paid or not reading.whole(body.get("amount_paid")):
        return ()
    return (source.want("invoice_payments", reading.own_id(body)),)


def _people(body: Body) -> dict[str, Said]:
    return people.customer(
        Weight.INVOICE,
        name=body.get("customer_name"),
        email=body.get("customer_email"),
        phone=body.get("customer_phone"),
        address=body.get("customer_address"),
        shipping=body.get("customer_shipping"),
        number=body.get("customer"),
    )


def _texts(body: Body) -> dict[str, Said]:
    number = text(body.get("number"), 100)
    metadata = labels(body.get("metadata"))
    return {
        **say(
            Weight.INVOICE,
            created=stamp(moment(body.get("created"))),
            metadata=metadata,
            description=text(body.get("description")),
            receipt_url=reading.web_address(body.get("hosted_invoice_url")),
            items=sessions.items(body.get("lines")),
        ),
        **say(Weight.HINT, order_reference=reading.order_of(metadata)),
        **(
            say(Weight.HINT, description=f"Invoice {number}")
            if number and not text(body.get("description"))
            else {}
        ),
    }


def _reason(body: Body, status: str) -> str | None:
    error = mapping(body.get("last_finalization_error"))
    if status == "failed":
        if body.get("status") == "uncollectible":
            return "marked uncollectible"
        return text(error.get("message"), 240) or "the payment failed"
    if status == "canceled":
        return "voided"
    return "free" if status == "paid" and body.get("amount_paid") == 0 else None


# ------------------------------------------------------------- what settles a bill
def invoice_payment(body: Body, source: Source) -> list[Fact]:
    """A payment of a bill: since 2025-03-31 the only tie to a payment intent.

    One that is open or canceled ties nothing: the bill may be paid by another.
    """
    status = body.get("status")
    if not isinstance(status, str):
        raise Unreadable("the invoice_payment has no status")
    if status != "paid":
        return []
    by = mapping(body.get("payment"))
    when = moment(mapping(body.get("status_transitions")).get("paid_at"))
    said = {
        **reading.amount(body.get("amount_paid"), body.get("currency"), Weight.SHARE),
        **say(Weight.IMPLIED, paid=stamp(when or source.at)),
    }
    told = reading.fact(
        "payment",
        "invoice_payment",
        body,
        source,
        ("paid", 0),
        said,
        references=reading.references(
            payment_intent=by.get("payment_intent"),
            charge=by.get("charge"),
            invoice=body.get("invoice"),
        ),
    )
    return [told]
