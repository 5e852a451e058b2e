"""Stripe's two envelopes: an event with the object inside, and a thin one without."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from merchant.providers.base import (
    Envelope,
    Fact,
    Incoming,
    Keys,
    Reply,
    Unreadable,
    Want,
    digest,
    mapping,
    moment,
    text,
)
from merchant.providers.stripe import (
    accounts,
    bills,
    charges,
    intents,
    reading,
    reversals,
    sessions,
    words,
)
from merchant.providers.stripe.reading import Body, Source

SNAPSHOT, THIN = "event", "v2.core.event"

#: `object` of data.object -> its reader. An object tells its state whatever the event
#: is called; the same object in two events is the same fact.
READERS: dict[str, Callable[[Body, Source], list[Fact]]] = {
    "payment_intent": intents.intent,
    "charge": charges.charge,
    "checkout.session": sessions.session,
    "refund": reversals.refund,
    "dispute": reversals.dispute,
    "radar.early_fraud_warning": reversals.early_fraud_warning,
    "review": reversals.review,
    "invoice": bills.invoice,
    "invoice_payment": bills.invoice_payment,
    "subscription": accounts.subscription,
    "payout": accounts.payout,
}

#: Where a thin event may send us: one object of a kind that we read, nothing else.
PATH = re.compile(
    "/v1/(?:checkout/sessions|payment_intents|charges|refunds|disputes|subscriptions"
    "|invoices|invoice_payments|payouts|radar/early_fraud_warnings|reviews)"
    "/[A-Za-z0-9_-]{1,120}"
)
_CONTEXT = re.compile("[A-Za-z0-9_/-]{1,80}")
#: It counts the deliveries that are still to come, so a retry may carry another.
_VOLATILE = re.compile(rb'"pending_webhooks"\s*:\s*\d+')


def identify(incoming: Incoming, payload: Any) -> Envelope:
    """Id, type, mode and account of the event. Raises Unreadable.

    A thin event takes the id of the snapshot event that reports the same.
    """
    body = _envelope(payload)
    livemode = body.get("livemode")
    return Envelope(
        # Its own, also for a thin event that names its snapshot: both may reach one
        # connection, and their facts are the same ones anyway.
        event_id=str(body["id"]),
        event_type=_type(body),
        livemode=livemode if isinstance(livemode, bool) else None,
        account=_account(body),
        fingerprint=digest(_VOLATILE.sub(b"", incoming.body)),
    )


def read(payload: Any, keys: Keys) -> list[Fact]:
    """What the event says; nothing for a type that is not ours. Raises Unreadable."""
    body = _envelope(payload)
    account = _account(body)
    if keys.account and account and account != keys.account:
        raise Unreadable(
            f"the event belongs to the account {account}, this connection takes only "
            f"those of {keys.account}; change the connection's account, or send the "
            "events elsewhere"
        )
    if _type(body) in words.IGNORED:
        return []
    source = _source(body, account or keys.account)
    if body["object"] == THIN:
        return _point(body, source)
    before = mapping(body["data"].get("previous_attributes"))
    return read_object(body["data"]["object"], source, before)


def read_object(
    found: Body, source: Source, before: dict[str, Any] | None = None
) -> list[Fact]:
    """The facts of one object of Stripe's; none for a kind that is not ours."""
    kind = found.get("object")
    if kind == "subscription":
        return accounts.subscription(found, source, before)
    reader = READERS.get(kind) if isinstance(kind, str) else None
    return reader(found, source) if reader else []


def reply(
    incoming: Incoming, envelope: Envelope, payload: Any, duplicate: bool
) -> Reply | None:
    """Stripe is content with any 2xx."""
    return None


# ------------------------------------------------------------------------- envelope
def _envelope(payload: Any) -> Body:
    """The event with everything in it that must be there. Raises Unreadable."""
    body = mapping(payload)
    kind = body.get("object")
    if kind not in (SNAPSHOT, THIN):
        raise Unreadable('this is no event of Stripe: "object" says something else')
    if reading.id_of(body.get("id")) is None or isinstance(body["id"], dict):
        raise Unreadable("the event has no id")
    if text(body.get("type")) is None or not isinstance(body["type"], str):
        raise Unreadable("the event has no type")
    data = mapping(body.get("data"))
    if kind == SNAPSHOT and not isinstance(data.get("object"), dict):
        raise Unreadable("the event carries no data.object")
    return body


def _type(body: Body) -> str:
    name = text(body["type"], 120) or ""
    return name.removeprefix("v1.") if body["object"] == THIN else name


def _account(body: Body) -> str:
    """The connected account; a thin event names it by its context, last part."""
    if body["object"] == SNAPSHOT:
        return reading.id_of(body.get("account")) or ""
    context = text(body.get("context"), 80) or ""
    last = context.rpartition("/")[2]
    return last if last.startswith("acct_") and reading.id_of(last) else ""


def _source(body: Body, account: str) -> Source:
    livemode = body.get("livemode")
    return Source(
        type=_type(body),
        at=moment(body.get("created")),
        livemode=livemode if isinstance(livemode, bool) else None,
        account=account,
    )


# ----------------------------------------------------------------------------- thin
def _point(body: Body, source: Source) -> list[Fact]:
    """A thin event tells nothing by itself: its object has to be asked for."""
    if source.type not in words.TYPES:
        return []
    path = mapping(body.get("related_object")).get("url")
    if not isinstance(path, str) or not PATH.fullmatch(path):
        raise Unreadable("the event's related_object.url is no path of Stripe's API")
    context = body.get("context")
    if context is not None and (
        not isinstance(context, str) or not _CONTEXT.fullmatch(context)
    ):
        raise Unreadable("the event's context is none that can be sent back")
    return [
        Fact(
            topic="payment",
            object_kind="event",
            object_id=body["id"],
            status="created",
            at=source.at,
            wants=(pointer(path, source, context or ""),),
            summary="An event without its object; the object is asked for",
        )
    ]


def pointer(path: str, source: Source, context: str) -> Want:
    """All that is needed to read the object later as if it had come with the event."""
    seconds = int(source.at.timestamp()) if source.at else 0
    mode = {True: "live", False: "test", None: "any"}[source.livemode]
    return Want("object", f"{path} {source.type} {seconds} {mode} {context}".strip())


def pointed(want: str) -> tuple[str, Source, str]:
    """Path, source and context out of such a question. Raises ValueError."""
    path, kind, seconds, mode, *rest = want.split(" ")
    context = rest[0] if rest else ""
    if not PATH.fullmatch(path) or (context and not _CONTEXT.fullmatch(context)):
        raise ValueError(f"{path} is no path of Stripe's API")
    last = context.rpartition("/")[2]
    at: datetime | None = moment(int(seconds)) if int(seconds) else None
    livemode = {"live": True, "test": False}.get(mode)
    account = last if last.startswith("acct_") else ""
    return path, Source(kind, at, livemode, account), context
