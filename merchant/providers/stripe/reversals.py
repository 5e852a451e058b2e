"""What comes back to a payment: refunds, disputes, warnings of fraud, reviews."""

from __future__ import annotations

from merchant.providers.base import (
    Fact,
    Said,
    Unreadable,
    first,
    mapping,
    moment,
    say,
    stamp,
    text,
)
from merchant.providers.stripe import reading, words
from merchant.providers.stripe.reading import Body, Source
from merchant.providers.stripe.words import Weight

#: The key of a refund's metadata that holds our own id of it.
REQUEST = "merchant_refund"
#: The only trace of a hold that ran out, where the charge itself is not seen.
_RAN_OUT = "expired_uncaptured_charge"


def _named(body: Body) -> tuple[tuple[str, str], ...]:
    return reading.references(
        payment_intent=body.get("payment_intent"), charge=body.get("charge")
    )


def refund(body: Body, source: Source) -> list[Fact]:
    """The refund; or a hold that was let go, which Stripe writes down as one."""
    standing = reading.status_of(body, words.REFUND)
    if body.get("reason") == _RAN_OUT:
        return [_let_go(body, source)]
    said = {
        **_amount(body),
        **say(
            0,
            created=stamp(moment(body.get("created"))),
            reason=reading.readable(body.get("reason")),
            failure_reason=_failure(body, standing[0]),
            trace=_trace(body),
            request=text(mapping(body.get("metadata")).get(REQUEST), 60),
        ),
    }
    named = _named(body)
    return [
        reading.fact("refund", "refund", body, source, standing, said, references=named)
    ]


def _let_go(body: Body, source: Source) -> Fact:
    return reading.fact(
        "payment",
        "refund",
        body,
        source,
        ("released", 0),
        say(0, reason="the hold ran out before it was captured"),
        references=_named(body),
    )


def _amount(body: Body) -> dict[str, Said]:
    """As reading.amount, without the warning that only a payment has a column for."""
    said = reading.amount(body.get("amount"), body.get("currency"), 0)
    said.pop("warning", None)
    return said


def _failure(body: Body, status: str) -> str | None:
    reason = reading.readable(body.get("failure_reason"))
    waits = reading.readable(body.get("pending_reason"))
    return reason or (waits if status == "pending" else None)


def _trace(body: Body) -> str | None:
    """The acquirer reference number by which the customer's bank finds the money."""
    where = mapping(body.get("destination_details"))
    kind = where.get("type")
    own = mapping(where.get(kind)) if isinstance(kind, str) else {}
    return text(own.get("reference"), 120)


def dispute(body: Body, source: Source) -> list[Fact]:
    standing = reading.status_of(body, words.DISPUTE)
    evidence = mapping(body.get("evidence_details"))
    said = {
        **_amount(body),
        **say(
            0,
            created=stamp(moment(body.get("created"))),
            reason=_claim(body),
            due_by=stamp(moment(evidence.get("due_by"))),
            answered=body.get("status") in words.DISPUTE_ANSWERED or None,
        ),
    }
    said.pop("verified", None)
    named = _named(body)
    return [
        reading.fact(
            "dispute", "dispute", body, source, standing, said, references=named
        )
    ]


def _claim(body: Body) -> str | None:
    reason = reading.readable(body.get("reason"))
    status = body.get("status")
    if isinstance(status, str) and status.startswith("warning"):
        return f"inquiry: {reason}" if reason else "inquiry"
    return reason


# ------------------------------------------------------------------------- warnings
def early_fraud_warning(body: Body, source: Source) -> list[Fact]:
    kind = reading.readable(body.get("fraud_type")) or "no reason given"
    words_ = f"The card's issuer warns of fraud: {kind}."
    if body.get("actionable") is False:
        words_ += " The charge was already refunded or disputed."
    return [_warning("early_fraud_warning", body, source, words_, Weight.FRAUD)]


def review(body: Body, source: Source) -> list[Fact]:
    """A payment that somebody should look at; a closed review takes its words back."""
    if not isinstance(body.get("open"), bool):
        raise Unreadable("the review does not say whether it is open")
    opened = body["open"]
    why = reading.readable(first(body.get("closed_reason"), body.get("reason")))
    warning = f"Stripe wants a review: {why or 'no reason given'}." if opened else ""
    if not opened and why not in {"approved", None}:
        warning = f"The review was closed: {why}."
    return [_warning("review", body, source, warning, Weight.REVIEW, state=not opened)]


def _warning(
    kind: str,
    body: Body,
    source: Source,
    warning: str,
    weight: int,
    state: bool = False,
) -> Fact:
    # "created" is the weakest status: a warning says nothing about money.
    return reading.fact(
        "payment",
        kind,
        body,
        source,
        ("created", int(state)),
        {"warning": Said(warning, weight)},
        references=_named(body),
        summary=warning or "The review was closed: approved",
    )
