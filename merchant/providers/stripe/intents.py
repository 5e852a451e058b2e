"""Payment intents: one attempt after the other to be paid one amount."""

from __future__ import annotations

from merchant.providers.base import (
    Fact,
    Said,
    first,
    labels,
    mapping,
    moment,
    rows,
    say,
    stamp,
    text,
)
from merchant.providers.stripe import charges, people, reading, words
from merchant.providers.stripe.reading import Body, Source
from merchant.providers.stripe.words import Weight


def intent(body: Body, source: Source) -> list[Fact]:
    """The intent, and the charges that old API versions and expansions put in it."""
    standing = _standing(body)
    said = {**_money(body), **_people(body), **_texts(body)}
    if standing[0] == "paid" and source.type == "payment_intent.succeeded":
        said |= say(Weight.REPORTED, paid=stamp(source.at))
    if reason := _reason(body, standing[0]):
        said |= say(Weight.INTENT, reason=reason)
    told = reading.fact(
        "payment",
        "payment_intent",
        body,
        source,
        standing,
        said,
        references=reading.references(
            payment_intent=body,
            charge=body.get("latest_charge"),
            invoice=body.get("invoice"),
        ),
    )
    return [told, *(fact for one in _charges(body) for fact in one_of(one, source))]


def one_of(charge: Body, source: Source) -> list[Fact]:
    """A charge inside an intent; what the event's type says is not about it."""
    inner = Source("", source.at, source.livemode, source.account)
    return charges.charge(charge, inner)


def _charges(body: Body) -> list[Body]:
    latest = body.get("latest_charge")
    nested = rows(mapping(body.get("charges")).get("data"))
    return nested or ([latest] if isinstance(latest, dict) else [])


def _standing(body: Body) -> tuple[str, int]:
    standing = reading.status_of(body, words.INTENT)
    if standing[0] == "created" and mapping(body.get("last_payment_error")):
        return words.INTENT_FAILED
    if body.get("status") == "requires_action" and _partly_funded(body):
        return words.INTENT_FUNDED
    if standing[0] == "canceled" and _was_held(body):
        return "released", standing[1]
    return standing


def _partly_funded(body: Body) -> bool:
    """A bank transfer of which a part came: less remains than was asked for."""
    steps = mapping(mapping(body.get("next_action")).get(_TRANSFER))
    remaining = reading.whole(steps.get("amount_remaining"))
    asked = reading.whole(body.get("amount"))
    return remaining is not None and asked is not None and 0 < remaining < asked


_TRANSFER = "display_bank_transfer_instructions"


def _was_held(body: Body) -> bool:
    """Only an expanded charge shows that money had been held."""
    return any(
        charge.get("status") == "succeeded" and charge.get("captured") is False
        for charge in _charges(body)
    )


def _money(body: Body) -> dict[str, Said]:
    received = body.get("amount_received")
    if received not in (None, 0):  # nothing received says nothing about the price
        return reading.amount(received, body.get("currency"), Weight.RECEIVED)
    return reading.amount(body.get("amount"), body.get("currency"), Weight.ASKED)


def _people(body: Body) -> dict[str, Said]:
    error = mapping(body.get("last_payment_error"))
    method = first(
        *(value for value in (body.get("payment_method"),) if isinstance(value, dict)),
        error.get("payment_method"),
    )
    offered = body.get("payment_method_types")
    return {
        **people.only_method(offered),
        **people.method(Weight.INTENT, method),
        **people.customer(
            Weight.INTENT,
            email=body.get("receipt_email"),
            shipping=body.get("shipping"),
            number=body.get("customer"),
        ),
    }


def _texts(body: Body) -> dict[str, Said]:
    metadata = labels(body.get("metadata"))
    return {
        **say(
            Weight.INTENT,
            created=stamp(moment(body.get("created"))),
            description=text(body.get("description")),
            metadata=metadata,
        ),
        **say(Weight.HINT, order_reference=reading.order_of(metadata)),
        **say(
            Weight.INTENT,
            method_details=reading.texts(presentment=reading.presentment(body)),
        ),
    }


def _reason(body: Body, status: str) -> str | None:
    error = mapping(body.get("last_payment_error"))
    if status == "failed":
        code = first(error.get("decline_code"), error.get("code"))
        return reading.because(error.get("message"), code)
    if status in {"canceled", "released"}:
        return reading.readable(body.get("cancellation_reason"))
    if status == "partially_paid":
        return "a part of the bank transfer has come"
    if body.get("status") == "requires_action":
        return "waits for the customer"
    return None
