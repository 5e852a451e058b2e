"""Charges and what Stripe kept of them: method, risk, fees, money given back."""

from __future__ import annotations

from datetime import datetime, timedelta

from merchant.money import Money
from merchant.providers.base import (
    Fact,
    Said,
    Unreadable,
    first,
    labels,
    mapping,
    moment,
    rows,
    say,
    stamp,
    text,
)
from merchant.providers.stripe import people, reading, reversals, words
from merchant.providers.stripe.reading import Body, Source
from merchant.providers.stripe.words import Weight

#: A charge that succeeds later than this after it was made waited for a bank.
AT_ONCE = timedelta(seconds=60)


def charge(body: Body, source: Source) -> list[Fact]:
    """The charge, the refunds that older API versions list in it, expanded fees."""
    standing = _standing(body, source)
    captured = standing[0] == "paid"
    said = {**_money(body, captured), **_people(body), **_texts(body, standing[0])}
    if captured:
        said |= _paid(body, source) | _refunded(body)
    fees = body.get("balance_transaction")
    fees_id = reading.id_of(fees) if captured else None
    told = reading.fact(
        "payment",
        "charge",
        body,
        source,
        standing,
        said,
        figure=reading.whole(body.get("amount_refunded")) or 0,
        references=reading.references(
            payment_intent=body.get("payment_intent"),
            charge=body,
            invoice=body.get("invoice"),
        ),
        wants=(source.want("balance_transaction", fees_id),)
        if fees_id and not isinstance(fees, dict)
        else (),
        # Its fees are known now: not the same as before, though nothing else changed.
        occurrence=fees_id or "",
        summary=_summary(standing[0], said, fees_id),
    )
    found = [told]
    if captured and isinstance(fees, dict) and fees_id:
        found += balance_transaction({"source": reading.own_id(body), **fees}, source)
    return found + _listed_refunds(body, source, captured)


def _summary(status: str, said: dict[str, Said], fees_id: str | None) -> str:
    """Made of what tells two facts apart, so that one fact has one summary."""
    if "refunded_total" in said and (back := said["refunded_total"].value):
        currency = said["money"].value[1] if "money" in said else ""
        return f"Charge: {Money(back, currency).major} {currency.upper()} given back"
    known = ", its fees are known" if fees_id else ""
    return f"Charge: {words.in_words(status)}{known}"


def _standing(body: Body, source: Source) -> tuple[str, int]:
    if body.get("status") is None and body.get("paid") is True:  # before 2014
        body = {**body, "status": "succeeded"}
    standing = reading.status_of(body, words.CHARGE)
    if standing[0] != "paid" or body.get("captured") is not False:
        return standing
    given_back = body.get("refunded") is True or reading.whole(
        body.get("amount_refunded")
    )
    let_go = given_back or source.type == "charge.expired"
    return words.CHARGE_RELEASED if let_go else words.CHARGE_HELD


def _money(body: Body, captured: bool) -> dict[str, Said]:
    currency = body.get("currency")
    if not captured:
        return reading.amount(body.get("amount"), currency, Weight.ASKED)
    taken = body.get("amount_captured")  # unknown before 2020
    if taken in (None, 0):
        taken = body.get("amount")
    return reading.amount(taken, currency, Weight.CAPTURED)


def _paid(body: Body, source: Source) -> dict[str, Said]:
    made = moment(body.get("created"))
    if source.type == "charge.captured" or (
        source.type == "charge.succeeded" and _waited(made, source.at)
    ):
        return say(Weight.REPORTED, paid=stamp(source.at))
    # The same for charge.succeeded and every later event of a charge taken at once.
    return say(Weight.IMPLIED, paid=stamp(made))


def _waited(made: datetime | None, at: datetime | None) -> bool:
    return made is None or (at is not None and at - made > AT_ONCE)


def _refunded(body: Body) -> dict[str, Said]:
    """The cumulative figure, without what a partial capture let go: Stripe counts
    that as refunded, too."""
    if body.get("amount_refunded") is None:
        return {}
    back = reading.whole(body["amount_refunded"])
    if back is None:
        raise Unreadable("the charge's amount_refunded is no amount")
    found = reading.amount(max(0, back - _let_go(body)), body.get("currency"), 0)
    if "money" in found:
        return say(0, refunded_total=found["money"].value[0])
    return found


def _let_go(body: Body) -> int:
    """Wire units that were held and never captured."""
    asked = reading.whole(body.get("amount"))
    taken = reading.whole(body.get("amount_captured"))
    return max(0, asked - taken) if asked and taken else 0


def _listed_refunds(body: Body, source: Source, captured: bool) -> list[Fact]:
    """The refunds that a charge lists, API versions before 2022-11-15."""
    if not captured or _let_go(body):  # one of them is no refund, only a hold let go
        return []
    return [
        fact
        for one in rows(mapping(body.get("refunds")).get("data"))
        if one.get("status") is not None  # the oldest have none
        for fact in reversals.refund(
            {"charge": reading.own_id(body), **one},
            Source("", source.at, source.livemode, source.account),
        )
    ]


def _people(body: Body) -> dict[str, Said]:
    billing = mapping(body.get("billing_details"))
    outcome = mapping(body.get("outcome"))
    method = people.method(Weight.CHARGE, body.get("payment_method_details"))
    risk = reading.texts(
        holder=billing.get("name"),
        risk_level=outcome.get("risk_level"),
        risk_score=outcome.get("risk_score"),
        presentment=reading.presentment(body),
        statement=first(
            body.get("calculated_statement_descriptor"),
            body.get("statement_descriptor"),
        ),
        receipt_number=body.get("receipt_number"),
    )
    if risk:
        known = method["method_details"].value if "method_details" in method else {}
        method |= say(Weight.CHARGE, method_details={**known, **risk})
    mail = first(billing.get("email"), body.get("receipt_email"))
    return method | people.customer(
        Weight.CHARGE,
        name=billing.get("name"),
        email=mail,
        phone=billing.get("phone"),
        address=billing.get("address"),
        shipping=body.get("shipping"),
        number=body.get("customer"),
    )


def _texts(body: Body, status: str) -> dict[str, Said]:
    metadata = labels(body.get("metadata"))
    return {
        **say(
            Weight.CHARGE,
            created=stamp(moment(body.get("created"))),
            description=text(body.get("description")),
            metadata=metadata,
            receipt_url=reading.web_address(body.get("receipt_url")),
            reason=_reason(body) if status == "failed" else None,
        ),
        **say(Weight.HINT, order_reference=reading.order_of(metadata)),
    }


def _reason(body: Body) -> str | None:
    outcome = mapping(body.get("outcome"))
    message = first(body.get("failure_message"), outcome.get("seller_message"))
    code = first(outcome.get("reason"), body.get("failure_code"))
    return reading.because(message, code)


# ----------------------------------------------------------------------------- fees
def balance_transaction(body: Body, source: Source) -> list[Fact]:
    """What the charge brought after fees, in the currency that Stripe settles in."""
    charge_id = reading.id_of(body.get("source"))
    currency = body.get("currency")
    figures = {
        name: reading.exact(body.get(name), currency)
        for name in ("amount", "fee", "net")
    }
    if charge_id is None or any(value is None for value in figures.values()):
        return []
    settled = {
        "currency": str(currency).strip().lower(),
        **figures,
        "exchange_rate": reading.number_text(body.get("exchange_rate")),
    }
    told = reading.fact(
        "payment",
        "balance_transaction",
        {name: value for name, value in body.items() if name != "created"},
        Source("", None, source.livemode, source.account),
        ("paid", 0),
        say(0, settlement=settled),
        references=(("charge", charge_id),),
        summary="Fees and net amount are known",
    )
    return [told]
