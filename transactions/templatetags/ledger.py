"""Template words of the ledger: its statuses as badges, its items in a line."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from merchant.templatetags.show import money_text, short_time, spoken
from transactions import fulfilment, provider_pages
from transactions.fold.hearing import BY_STAFF
from transactions.models import (
    Dispute,
    LineItem,
    LookUp,
    Payout,
    Refund,
    TimelineEntry,
    Transaction,
)
from transactions.statuses import (
    TONES,
    Act,
    DisputeStatus,
    FulfilmentStatus,
    PayoutStatus,
    RefundStatus,
    Status,
)

register = template.Library()

#: Icons that say more than the tone's own.
ICONS = {
    Status.AUTHORIZED: "lock-closed",
    Status.PARTIALLY_REFUNDED: "arrow-uturn-left",
    Status.REFUNDED: "arrow-uturn-left",
    Status.DISPUTED: "shield-exclamation",
    Status.CHARGED_BACK: "shield-exclamation",
    Status.CANCELED: "no-symbol",
    Status.EXPIRED: "no-symbol",
    Status.FAILED: "x-circle",
}

TONE_ICONS = {
    "ok": "check-circle",
    "warn": "clock",
    "bad": "exclamation-circle",
    "info": "information-circle",
    "idle": "minus-circle",
}

REFUND_TONES: dict[str, str] = {
    RefundStatus.SUCCEEDED: "ok",
    RefundStatus.FAILED: "bad",
    RefundStatus.CANCELED: "idle",
    RefundStatus.DECLINED: "idle",
    RefundStatus.EXPIRED: "idle",
    RefundStatus.REQUESTED: "info",
    RefundStatus.APPROVED: "info",
    RefundStatus.SUBMITTED: "info",
    RefundStatus.PENDING: "info",
}

DISPUTE_TONES: dict[str, str] = {
    DisputeStatus.OPEN: "bad",
    DisputeStatus.WON: "ok",
    DisputeStatus.LOST: "bad",
}

PAYOUT_TONES: dict[str, str] = {
    PayoutStatus.CREATED: "info",
    PayoutStatus.PENDING: "info",
    PayoutStatus.PAID: "ok",
    PayoutStatus.FAILED: "bad",
    PayoutStatus.CANCELED: "idle",
}

FULFILMENT_TONES = {
    FulfilmentStatus.WAITING: "warn",
    FulfilmentStatus.DONE: "ok",
    FulfilmentStatus.REVOKED: "idle",
    FulfilmentStatus.NOT_NEEDED: "idle",
}
FULFILMENT_ICONS = {
    FulfilmentStatus.WAITING: "archive-box",
    FulfilmentStatus.DONE: "check-circle",
    FulfilmentStatus.REVOKED: "arrow-uturn-left",
    FulfilmentStatus.NOT_NEEDED: "minus-circle",
}

#: What staff did -> the tone of its line; claims come and go, so they are idle.
ACT_TONES: dict[str, str] = {
    Act.DONE: "ok",
    Act.UNDONE: "warn",
    Act.REVOKED: "bad",
    Act.KEPT: "info",
    Act.ACCEPTED: "info",
    Act.WITHDRAWN: "warn",
    Act.CLEARED: "info",
}
#: What an act says beside what was done, in this order.
ACT_WORDS = ("item", "reference", "note")

#: State of something handed over -> tone; unknown words are idle.
HANDED_TONES = {"added": "ok", "usable": "ok", "used": "ok", "failed": "bad"}


def _badge(tone: str, word: Any, icon: str = "") -> dict[str, Any]:
    return {"tone": tone, "word": word, "icon": icon or TONE_ICONS[tone]}


@register.inclusion_tag("components/_badge.html")
def status_badge(transaction: Transaction) -> dict[str, Any]:
    return status_word(transaction.status)


@register.inclusion_tag("components/_badge.html")
def status_word_badge(status: str) -> dict[str, Any]:
    """The badge of a status word, as it stands on timeline entries of payments."""
    return status_word(status)


def status_word(status: str) -> dict[str, Any]:
    known = dict(Status.choices)
    if status not in known:
        return _badge("idle", status.replace("_", " ").capitalize())
    found = Status(status)
    return _badge(TONES[found], found.label, ICONS.get(found, ""))


@register.inclusion_tag("components/_badge.html")
def refund_badge(refund: Refund) -> dict[str, Any]:
    tone = REFUND_TONES.get(RefundStatus(refund.status), "warn")
    return _badge(tone, refund.get_status_display())


@register.simple_tag
def amount_words(minor: int | None, currency: str) -> str:
    """ "EUR 1,234.56" inside a sentence or an attribute."""
    return money_text(minor, currency)


@register.inclusion_tag("components/_badge.html")
def dispute_badge(dispute: Dispute) -> dict[str, Any]:
    tone = "warn" if dispute.in_review else DISPUTE_TONES[dispute.status]
    return _badge(tone, dispute.get_status_display(), "shield-exclamation")


@register.inclusion_tag("components/_badge.html")
def payout_badge(payout: Payout) -> dict[str, Any]:
    return _badge(PAYOUT_TONES[payout.status], payout.get_status_display())


@register.inclusion_tag("components/_badge.html")
def fulfilment_badge(state: str) -> dict[str, Any]:
    """Whether it is handed over: the state of a purchase, or of one line of it."""
    found = FulfilmentStatus(state)
    return _badge(FULFILMENT_TONES[found], found.label, FULFILMENT_ICONS[found])


@register.inclusion_tag("components/_badge.html")
def handed_badge(status: str) -> dict[str, Any]:
    word = status.replace("_", " ").capitalize()
    return _badge(HANDED_TONES.get(status, "idle"), word)


@register.inclusion_tag("components/_time.html")
def arrival(when: datetime) -> dict[str, Any]:
    """When money is there: mostly a day, which providers write as its midnight UTC."""
    day = when.astimezone(UTC)
    is_day = day.time() == time.min
    words = f"{day.day} {day:%b %Y}" if is_day else short_time(when)
    return {"when": when, "iso": day.isoformat(timespec="seconds"), "words": words}


@register.simple_tag
def to_hand_over(transaction: Transaction) -> list[LineItem]:
    """The lines that wait."""
    lines = transaction.items.all()
    return [line for line in lines if line.fulfilment == FulfilmentStatus.WAITING]


@register.simple_tag
def row_target(transaction: Transaction) -> str:
    """What htmx calls the row of the transaction in the queue."""
    return f"#row-{transaction.pk}"


@register.simple_tag
def is_on_it(transaction: Transaction) -> bool:
    """Whether somebody has the handing over to themselves at this moment."""
    return fulfilment.is_claimed(transaction)


@register.inclusion_tag("components/_time.html")
def clock(when: datetime | None) -> dict[str, Any]:
    """A time of today, on the minute: 14:05."""
    if when is None:
        return {"when": None}
    words = f"{timezone.localtime(when):%H:%M}"
    return {"when": when, "iso": when.isoformat(timespec="seconds"), "words": words}


#: (seconds in one, its words), from the largest down.
_SPANS = (
    (86400, lambda n: ngettext("%d day ago", "%d days ago", n) % n),
    (3600, lambda n: ngettext("%d hour ago", "%d hours ago", n) % n),
    (60, lambda n: ngettext("%d minute ago", "%d minutes ago", n) % n),
)


@register.simple_tag
def since(when: datetime | None) -> str:
    """How long ago, roughly: "3 days ago"; for beside the time itself."""
    if when is None:
        return ""
    seconds = int((timezone.now() - when).total_seconds())
    for one, words in _SPANS:
        if seconds >= one:
            return words(seconds // one)
    return _("just now")


@register.filter
def in_words(reason: str) -> str:
    """A reason as people say it, where a provider gave one of its code words."""
    is_code = "_" in reason and reason.replace("_", "").isalnum()
    return spoken(reason) if is_code else reason


@register.simple_tag
def sold(transaction: Transaction) -> str:
    """What was bought, in a line: the first item, or what the provider called it."""
    items = list(transaction.items.all())
    return items[0].name if items else transaction.description


@register.simple_tag
def sold_besides(transaction: Transaction) -> str:
    """ "+2 more" where a purchase has several lines."""
    more = len(transaction.items.all()) - 1
    return _("+%d more") % more if more > 0 else ""


@register.simple_tag
def buyer(transaction: Transaction) -> str:
    """Whom a row is called after: the name, else the e-mail, else the provider's id."""
    return (
        transaction.customer_name
        or transaction.customer_email
        or transaction.provider_id
    )


#: Words that capitalising alone would get wrong.
BRANDS = {
    "visa": "Visa",
    "mastercard": "Mastercard",
    "amex": "Amex",
    "jcb": "JCB",
    "unionpay": "UnionPay",
    "paypal": "PayPal",
    "ideal": "iDEAL",
    "apple_pay": "Apple Pay",
    "applepay": "Apple Pay",
    "google_pay": "Google Pay",
    "googlepay": "Google Pay",
    "sepa_debit": "SEPA debit",
}


@register.filter
def method_name(word: str) -> str:
    """A method or brand as people write it."""
    plain = word.replace("_", " ")
    known = BRANDS.get(plain.lower().replace(" ", "_"))
    return known or plain[:1].upper() + plain[1:]


@register.simple_tag
def method_besides(transaction: Transaction) -> str:
    """The method where the brand stands before it and is another word, else ""."""
    if not transaction.method_brand:
        return ""
    method = method_name(transaction.method)
    return "" if method == method_name(transaction.method_brand) else method


#: What a provider's question was for; unknown ones are named by their own word.
WANTED = {
    "line_items": _lazy("the items that were bought"),
    "session_line_items": _lazy("the items that were bought"),
    "balance_transaction": _lazy("fee, net and exchange rate"),
    "payment": _lazy("items, amounts and customer"),
    "order": _lazy("items, amounts and customer"),
    "purchase": _lazy("the confirmed amount"),
    "invoice_payments": _lazy("which payment the invoice belongs to"),
    "event": _lazy("what a thin event was about"),
}


@register.simple_tag
def wanted(look_up: LookUp) -> str:
    """What an open question would tell."""
    return str(WANTED.get(look_up.kind, look_up.kind.replace("_", " ")))


# ----------------------------------------------------------------------- timeline
_TOPIC_TONES = {"payment": TONES, "invoice": TONES}


@register.simple_tag
def entry_tone(entry: TimelineEntry) -> str:
    """The colour of an entry's dot."""
    if entry.topic in _TOPIC_TONES and entry.status in Status.values:
        return TONES[Status(entry.status)]
    if entry.topic == "dispute":
        return DISPUTE_TONES.get(entry.status, "bad")
    if entry.topic == "refund":
        return REFUND_TONES.get(entry.status, "warn")
    if entry.topic == "payout":
        return PAYOUT_TONES.get(entry.status, "idle")
    if entry.topic in BY_STAFF:
        return ACT_TONES.get(entry.status, "idle")
    return "idle"


@register.filter
def entry_words(entry: TimelineEntry) -> str:
    """What happened, in a short sentence."""
    if entry.topic in BY_STAFF and entry.status in Act.values:
        said = (entry.says.get(name, [0, ""])[1] for name in ACT_WORDS)
        return " · ".join(filter(None, [str(Act(entry.status).label), *said]))
    return (
        entry.summary or f"{entry.topic} {entry.status}".replace("_", " ").capitalize()
    )


@register.simple_tag
def entry_source(entry: TimelineEntry, row: Transaction | Payout) -> str:
    """Who told us, and how: "Stripe by webhook", "asked Stripe", "Ana"."""
    provider = row.get_provider_display()
    words = {
        TimelineEntry.Source.WEBHOOK: _("%s by webhook"),
        TimelineEntry.Source.LOOK_UP: _("%s when asked"),
        TimelineEntry.Source.POLL: _("%s by a poll"),
        TimelineEntry.Source.ANSWER: _("%s answered"),
    }.get(TimelineEntry.Source(entry.source))
    if words:
        return words % provider
    return str(entry.actor or entry.get_source_display())


@register.simple_tag
def entry_learned(entry: TimelineEntry, learned: dict[int, str]) -> str:
    """What the line added to what was known, see views.learned."""
    return learned.get(entry.pk, "")


@register.simple_tag
def at_provider(row: Transaction | Payout, id: str) -> str:
    """The page of one of the row's objects at its provider; "" for none."""
    return provider_pages.page(row, id)


@register.filter
def reference_kind(kind: str) -> str:
    """ "stripe.charge" -> "Charge"."""
    word = kind.rpartition(".")[2].replace("_", " ")
    return word[:1].upper() + word[1:]
