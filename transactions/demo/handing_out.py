"""What the demo's people have handed over: most of it, but for the last dozen.

What PayNow sells it delivers itself, coins and the club come from the shop's own
servers, what is free needs nothing; games and merchandise go out by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from django.db.models import Q, QuerySet

from merchant.models import Member, Merchant, User
from transactions import acts, fulfilment, ledger
from transactions.fold.fulfilment import is_sure
from transactions.models import FulfilmentRule, Product, TimelineEntry, Transaction
from transactions.statuses import MONEY_CAME, Act, FulfilmentStatus

#: So many purchases still wait, and so many chargebacks ask what to do.
LEFT, LEFT_TO_REVOKE = 12, 2
#: Rows that one database transaction takes in.
_AT_ONCE = 200
#: Nobody is quicker, or slower, than this.
_QUICKEST, _SLOWEST = timedelta(minutes=4), timedelta(hours=9)
#: Letters and digits that a key is made of.
_KEY = "ABCDEFGHJKMNPQRTUVWXY346789"

#: A part of the name -> rule; everything else is handed over by hand.
_RULES = (
    ("Wallpaper", FulfilmentRule.Rule.NONE),
    ("Harbor Coins", FulfilmentRule.Rule.EXTERNAL),
    ("Harbor Club", FulfilmentRule.Rule.EXTERNAL),
)
#: What goes by mail is known by a tracking number.
_BY_MAIL = ("Pin Set", "Plush", "Vinyl", "Collector")
_NOTES = ("Sent by e-mail", "The customer asked twice", "Second copy for a friend")


def work_off(merchant: Merchant, chance: Random, now: datetime) -> None:
    """Sets the rules and hands over what was paid, the oldest first, up to `now`."""
    _set_rules(merchant)
    sold = Transaction.objects.filter(merchant=merchant, parked=False)
    for ids in _batches(sold.order_by("pk").values_list("pk", flat=True)):
        ledger.refold(ids)
    people = _people(merchant)
    for ids in _batches(_handed(sold)):
        ledger.act(ids, lambda row, timeline: [_done(row, people, chance, now)])
    charged_back = sold.filter(to_revoke=True).order_by("created")
    old = list(charged_back.values_list("pk", flat=True))[:-LEFT_TO_REVOKE]
    ledger.act(old, lambda row, timeline: [_taken_back(row, timeline, people, now)])
    _leave_one_half_done(sold, people)


def _set_rules(merchant: Merchant) -> None:
    products = Product.objects.filter(project__merchant=merchant)
    owner = User.objects.get(memberships__merchant=merchant, memberships__role="owner")
    FulfilmentRule.objects.bulk_create(
        FulfilmentRule(
            project_id=product.project_id,
            product=product,
            rule=rule,
            set_by=owner,
        )
        for product in products.order_by("pk")
        if (rule := _rule_of(product))
    )


def _rule_of(product: Product) -> str:
    """The product's own rule; none where it goes by the usual one."""
    found = (rule for part, rule in _RULES if part in product.name)
    usual = FulfilmentRule.Rule.EXTERNAL if product.provider == "paynow" else ""
    return next(found, usual)


def _people(merchant: Merchant) -> list[User]:
    """Who hands over: support mostly, an admin now and then."""
    found = {
        member.role: member.user
        for member in Member.objects.filter(merchant=merchant).select_related("user")
    }
    return [found["support"], found["support"], found["support"], found["admin"]]


def _handed(sold: QuerySet[Transaction]) -> list[UUID]:
    """What went out: all that waits but the newest, and what was refunded later."""
    waiting = sold.filter(fulfilment=FulfilmentStatus.WAITING).order_by("created")
    old = list(waiting.values_list("pk", flat=True))[:-LEFT]
    over = sold.filter(
        Q(items__isnull=True) | Q(items__fulfilment=FulfilmentStatus.NOT_NEEDED),
        status__in=MONEY_CAME,
        fulfilment=FulfilmentStatus.NOT_NEEDED,
    ).distinct()
    rows = [row for row in over if row.paid and _is_sure(row)]
    return sorted({*old, *(row.pk for row in rows)})


def _is_sure(row: Transaction) -> bool:
    return is_sure({"verified": row.verified, "accepted": row.accepted})


def _done(
    row: Transaction, people: Sequence[User], chance: Random, now: datetime
) -> TimelineEntry:
    paid = row.paid or row.created
    took = chance.uniform(_QUICKEST.total_seconds(), _SLOWEST.total_seconds())
    return acts.entry(
        row,
        Act.DONE,
        chance.choice(people),
        reference=_reference(row, chance),
        note=chance.choice(_NOTES) if chance.random() < 0.1 else "",
        at=min(paid + timedelta(seconds=took), now),
    )


def _taken_back(
    row: Transaction,
    timeline: Sequence[TimelineEntry],
    people: Sequence[User],
    now: datetime,
) -> TimelineEntry:
    last = max(entry.at for entry in timeline if entry.at)
    at = min(last + timedelta(hours=3), now)
    return acts.entry(row, Act.REVOKED, people[-1], note="Key disabled", at=at)


def _reference(row: Transaction, chance: Random) -> str:
    if any(part in line.name for line in row.items.all() for part in _BY_MAIL):
        return f"RR{chance.randrange(10**9):09d}DE"
    return "-".join("".join(chance.choices(_KEY, k=5)) for _ in range(3))


def _leave_one_half_done(sold: QuerySet[Transaction], people: Sequence[User]) -> None:
    """Somebody is on one at the moment; of another, a line has gone out."""
    waiting = sold.filter(fulfilment=FulfilmentStatus.WAITING).order_by("created")
    rows = list(waiting.prefetch_related("items"))
    if rows:
        fulfilment.claim(people[-1], [rows[0].pk])
    for row in rows[1:]:
        lines = [line for line in row.items.all() if line.fulfilment == "waiting"]
        if len(lines) > 1:
            fulfilment.mark_done(people[0], [row.pk], item=lines[0].key)
            return


def _batches(ids: Iterable[UUID]) -> list[list[UUID]]:
    every = list(ids)
    return [every[at : at + _AT_ONCE] for at in range(0, len(every), _AT_ONCE)]
