"""What waits for a person, in lines: how many, of what, and where to go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from merchant.models import Connection
from merchant.templatetags.show import money_text, short_time
from transactions.models import Dispute, Transaction
from transactions.needs import MOST_COUNTED, MOST_NAMED, Post, Purchases
from transactions.paging import Counted
from transactions.periods import day_words
from transactions.statuses import MONEY_CAME, Status
from transactions.templatetags.ledger import buyer
from webhooks.models import Endpoint
from webhooks.templatetags.outgoing import endpoint_name

LIST, CARD = "transactions:list", "transactions:card"

#: Links carry these along, so that they lead to the same shops and mode.
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Named:
    """One of those that wait: whose words are another's, and ours beside them."""

    words: str
    url: str
    note: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that waits. `tone` and `icon` as for badges."""

    count: str
    words: str
    url: str
    icon: str
    tone: str = "warn"
    note: str = ""
    late: bool = False
    named: list[Named] = field(default_factory=list)


def of_purchases(found: Purchases, along: Pairs, now: datetime) -> Iterator[Line]:
    if found.disputes.number:
        yield _disputes(found, along, now)
    if found.to_revoke.number:
        yield _to_revoke(found, along)
    if found.to_hand_over.number:
        yield _to_hand_over(found, along)
    if found.unverified.number:
        count = found.unverified
        yield Line(
            str(count),
            ngettext("amount is not confirmed", "amounts are not confirmed", _n(count)),
            _list(along, verified="false", status=_came()),
            "exclamation-triangle",
        )
    if found.to_approve.number:
        count = found.to_approve
        words = ngettext(
            "refund waits for approval", "refunds wait for approval", _n(count)
        )
        query = urlencode([*along, ("state", "to_approve")])
        url = f"{reverse('transactions:refunds')}?{query}"
        yield Line(str(count), words, url, "hand-raised")
    if found.refunds.number:
        count = found.refunds
        yield Line(
            str(count),
            ngettext("refund is on its way", "refunds are on their way", _n(count)),
            _list(along, refund_pending="true"),
            "arrow-uturn-left",
            "info",
        )


def of_post(found: Post, along: Pairs, *, may_connect: bool) -> Iterator[Line]:
    """For who may see inbound events; `may_connect`: who may set API keys as well."""
    if found.unread.number:
        count = found.unread
        words = ngettext(
            "inbound event could not be read",
            "inbound events could not be read",
            _n(count),
        )
        url = _inbox(along, state=["failed", "quarantined"])
        yield Line(str(count), words, url, "inbox-arrow-down", "bad")
    if found.silent:
        yield _silent(found.silent, may_connect=may_connect)
    if found.endpoints:
        yield _not_told(found.endpoints, along)
    if found.elsewhere and may_connect:
        yield _elsewhere(found.elsewhere)
    if found.refused:
        words = ngettext(
            "delivery was refused today", "deliveries were refused today", found.refused
        )
        url = reverse("webhooks:refusals")
        yield Line(f"{found.refused:,}", words, url, "no-symbol")
    if found.look_ups.number and may_connect:
        yield _without_key(found)


# --------------------------------------------------------------------------- lines
def _disputes(found: Purchases, along: Pairs, now: datetime) -> Line:
    count = found.disputes
    note = ngettext("%d is overdue", "%d are overdue", found.overdue) % found.overdue
    return Line(
        str(count),
        ngettext("dispute is open", "disputes are open", _n(count)),
        _list(along, dispute="open"),
        "shield-exclamation",
        "bad",
        note if found.overdue else "",
        bool(found.overdue),
        [_dispute(dispute, now) for dispute in found.next_disputes],
    )


def _dispute(dispute: Dispute, now: datetime) -> Named:
    due = dispute.due_by
    late = due is not None and due < now
    if due is None:
        answer = _("no date is known")
    elif late:
        answer = _("was due %s") % _day(due, now)
    else:
        answer = _("answer by %s") % _day(due, now)
    amount = money_text(dispute.amount, dispute.currency)
    return Named(
        buyer(dispute.transaction),
        _card(dispute.transaction),
        f"{amount} · {answer}",
        late,
    )


def _to_revoke(found: Purchases, along: Pairs) -> Line:
    count = found.to_revoke
    words = ngettext(
        "was charged back: revoke what was delivered?",
        "were charged back: revoke what was delivered?",
        _n(count),
    )
    return Line(
        str(count),
        words,
        _list(along, to_revoke="true"),
        "arrow-path-rounded-square",
        "bad",
        named=[
            Named(buyer(row), _card(row), money_text(row.amount, row.currency))
            for row in found.newest_to_revoke
        ],
    )


def _to_hand_over(found: Purchases, along: Pairs) -> Line:
    count = found.to_hand_over
    words = ngettext(
        "paid purchase waits to be handed over",
        "paid purchases wait to be handed over",
        _n(count),
    )
    since = _("the oldest since %s") % short_time(found.oldest) if found.oldest else ""
    return Line(str(count), words, _queue(along), "gift", note=since)


def _silent(silent: list[Connection], *, may_connect: bool) -> Line:
    words = ngettext(
        "connection has been silent for unusually long",
        "connections have been silent for unusually long",
        len(silent),
    )
    where = _connection if may_connect else _letters
    named = [Named(str(each), where(each), _silence(each)) for each in silent]
    every = "webhooks:connections" if may_connect else "webhooks:inbox"
    url = named[0].url if len(named) == 1 else reverse(every)
    return Line(str(len(silent)), words, url, "signal-slash", "bad", named=named)


def _silence(connection: Connection) -> str:
    if connection.heard is None:
        return _("has never sent anything")
    since = _("nothing since %s") % short_time(connection.heard)
    usual = _("usually %s at most") % duration_words(connection.usual_gap or 0)
    return f"{since}; {usual}"


def _not_told(endpoints: list[Endpoint], along: Pairs) -> Line:
    count = Counted(min(len(endpoints), MOST_COUNTED), len(endpoints) > MOST_COUNTED)
    words = ngettext(
        "webhook endpoint is not reached",
        "webhook endpoints are not reached",
        _n(count),
    )
    named = [
        Named(
            endpoint_name(each),
            reverse("webhooks:endpoint", args=[each.pk]),
            _why_not_told(each),
        )
        for each in endpoints[:MOST_NAMED]
    ]
    url = f"{reverse('webhooks:endpoints')}?{urlencode(along)}"
    if len(named) == 1:
        url = named[0].url
    return Line(str(count), words, url, "paper-airplane", "bad", named=named)


def _why_not_told(endpoint: Endpoint) -> str:
    if endpoint.state == Endpoint.State.DISABLED:
        return _("disabled: %s") % endpoint.reason if endpoint.reason else _("disabled")
    return _("failing since %s") % short_time(endpoint.failing or endpoint.changed)


def _elsewhere(away: list[Connection]) -> Line:
    words = ngettext(
        "connection's purchases report elsewhere",
        "connections' purchases report elsewhere",
        len(away),
    )
    note = _("its shop names callbacks of its own")
    named = [Named(str(each), _connection(each), note) for each in away]
    url = named[0].url if len(named) == 1 else reverse("webhooks:connections")
    return Line(str(len(away)), words, url, "arrow-top-right-on-square", named=named)


def _without_key(found: Post) -> Line:
    words = ngettext(
        "question to a provider needs an API key",
        "questions to providers need an API key",
        _n(found.look_ups),
    )
    named = [
        Named(str(each), _key(each), _("give its API key"))
        for each in found.without_key
    ]
    return Line(str(found.look_ups), words, named[0].url, "key", named=named)


def duration_words(seconds: int) -> str:
    """A span for people, rounded up: 45 minutes, 3 hours, 2 days."""
    minutes = -(-seconds // 60)
    if minutes < 90:
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    hours = -(-minutes // 60)
    if hours < 48:
        return ngettext("%d hour", "%d hours", hours) % hours
    days = -(-hours // 24)
    return ngettext("%d day", "%d days", days) % days


def _day(when: datetime, now: datetime) -> str:
    local = timezone.localtime(when)
    return day_words(local.date(), year=local.year != timezone.localtime(now).year)


def _n(count: Counted) -> int:
    return 2 if count.more else count.number


def _came() -> list[str]:
    return [status for status in Status.values if status in MONEY_CAME]


# ----------------------------------------------------------------------- addresses
def _card(row: Transaction) -> str:
    return reverse(CARD, args=[row.pk])


def _list(along: Pairs, **asked: Any) -> str:
    return f"{reverse(LIST)}?{urlencode([*along, *asked.items()], doseq=True)}"


def _inbox(along: Pairs, **asked: Any) -> str:
    path = reverse("webhooks:inbox")
    return f"{path}?{urlencode([*along, *asked.items()], doseq=True)}"


def _letters(connection: Connection) -> str:
    return _inbox([], connection=str(connection.pk))


def _connection(connection: Connection) -> str:
    return reverse("webhooks:connection", args=[connection.pk])


def _queue(along: Pairs) -> str:
    """The queue, or the list of what waits while there is none."""
    try:
        return f"{reverse('transactions:queue')}?{urlencode(along)}"
    except NoReverseMatch:
        return _list(along, fulfilment="waiting")


def _key(connection: Connection) -> str:
    back = urlencode({"next": reverse("transactions:home")})
    return f"{reverse('provider_key', args=[connection.pk])}?{back}"
