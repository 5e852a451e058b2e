"""Asking providers what their webhooks left out, outside any database transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from merchant import connections, http
from merchant.providers import PROVIDERS
from merchant.providers.base import (
    Fact,
    Keys,
    Refused,
    Said,
    Unreachable,
    Unreadable,
    Want,
)
from transactions import ledger
from transactions.models import LookUp, TimelineEntry, Transaction
from transactions.statuses import Status

log = logging.getLogger(__name__)

#: Seconds to the next try while a provider does not answer; the last one repeats.
AGAIN = (3, 10, 30, 120, 600, 1800, 3600)
#: After this many tries (more than a week) nobody asks any more.
MOST_TRIES = 200
#: A claim is good for this long; then the question is free for another worker.
LEASE = timedelta(seconds=90)
AT_ONCE = 8
BATCH = 40

#: Questions that are asked again while the purchase is open: Paysecure tries each
#: webhook once and never again, so its word may have been lost.
RECHECKED = frozenset({("paysecure", "purchase")})
#: Seconds between those, then every six hours until the purchase is this old.
RECHECK = (60, 180, 600, 1800, 7200, 21_600)
#: A refund under way is looked at hourly for three days, then daily.
REFUND_RECHECK, REFUND_RECHECK_LATER = 3600, 86_400
OLDEST_OPEN = timedelta(days=8)
OPEN = frozenset({Status.CREATED, Status.PENDING, Status.OVERDUE, Status.AUTHORIZED})

#: An invoice that nothing links to a payment becomes one of its own after this time,
#: unless the same customer paid the same amount within a day of it.
ADOPT_AFTER = timedelta(minutes=10)
#: One that has a twin is looked at for this long, then it stays another row's bill.
GIVE_UP_AFTER = timedelta(days=2)
SAME_PURCHASE = timedelta(hours=24)

Answer = list[Fact] | Refused | Unreachable


def due(now: datetime) -> QuerySet[LookUp]:
    """Questions that are due and that nobody is asking right now."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    return LookUp.objects.filter(free, state=LookUp.State.WAITING, due__lte=now)


def answer_due() -> int:
    """Asks everything that is due, a few at a time; returns how many were closed."""
    closed = 0
    while claimed := _claim():
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(_fetch, *zip(*_opened(claimed), strict=True)))
        for look_up, answer in zip(claimed, answers, strict=True):
            closed += _note(look_up, answer)
    return closed


def _claim() -> list[LookUp]:
    now = timezone.now()
    if not due(now).exists():
        return []
    with transaction.atomic():
        rows = list(
            due(now)
            .order_by("due")
            .select_related("connection__project")
            .select_for_update(skip_locked=True, of=("self",))[:BATCH]
        )
        lease = uuid4()
        for row in rows:
            row.lease = lease
        LookUp.objects.filter(pk__in=[row.pk for row in rows]).update(
            lease=lease, leased_until=now + LEASE
        )
    return rows


def _opened(rows: Sequence[LookUp]) -> list[tuple[str, Want, Keys | None]]:
    """Provider, question and keys of each, so that the threads need no database."""
    found = []
    for row in rows:
        opened = connections.opened(row.connection_id)
        keys = opened[1] if opened else None
        found.append((row.connection.provider, Want(row.kind, row.want), keys))
    return found


def _fetch(provider: str, want: Want, keys: Keys | None) -> Answer:
    """One call. Runs in a thread; touches nothing but the network."""
    if keys is None:
        return Refused("The connection is closed.")
    try:
        return PROVIDERS[provider].fetch(want, keys, http.send)
    except (Refused, Unreachable) as error:
        return error
    except http.NotAllowed as error:
        return Refused(f"The connection's base URL cannot be called: {error}")
    except Unreadable as error:
        return Refused(f"The provider answered something else than asked: {error}")
    except Exception as error:
        log.exception("A look-up at %s failed", provider)
        return Unreachable(f"Something unexpected went wrong: {type(error).__name__}.")


def _note(look_up: LookUp, answer: Answer) -> int:
    """Enters the answer, unless the lease was lost to another worker meanwhile."""
    with transaction.atomic():
        mine = LookUp.objects.select_for_update().filter(
            pk=look_up.pk, lease=look_up.lease
        )
        if not mine.exists():
            return 0
        if isinstance(answer, Unreachable):
            mine.update(**_put_off(look_up, answer))
            return 0
        if isinstance(answer, Refused):
            mine.update(
                state=LookUp.State.REFUSED, error=str(answer)[:500], leased_until=None
            )
            return 1
        ledger.record(
            look_up.connection, answer, source="look_up", inbound=look_up.inbound
        )
        mine.update(error="", leased_until=None, **_next(look_up))
    return 1


def _next(look_up: LookUp) -> dict[str, object]:
    """Done, or due again while what it asks about can still change unannounced."""
    # Read again: the answer may have changed the row, or joined it to another.
    row = Transaction.objects.filter(look_ups=look_up.pk).first()
    if row is None or (row.provider, look_up.kind) not in RECHECKED:
        return {"state": LookUp.State.DONE}
    age = timezone.now() - row.created
    if row.refund_pending:
        first_days = look_up.tries < 72
        wait = REFUND_RECHECK if first_days else REFUND_RECHECK_LATER
    elif row.status in OPEN and age < OLDEST_OPEN:
        wait = RECHECK[min(look_up.tries, len(RECHECK) - 1)]
    else:
        return {"state": LookUp.State.DONE}
    due = timezone.now() + timedelta(seconds=wait)
    return {"due": due, "tries": look_up.tries + 1}


def _put_off(look_up: LookUp, answer: Unreachable) -> dict[str, object]:
    wait: float = AGAIN[min(look_up.tries, len(AGAIN) - 1)]
    wait = max(wait, min(answer.after or 0, 86_400))
    tries = look_up.tries + 1
    return {
        "state": LookUp.State.REFUSED if tries > MOST_TRIES else LookUp.State.WAITING,
        "tries": tries,
        "due": timezone.now() + timedelta(seconds=wait),
        "error": str(answer)[:500],
        "leased_until": None,
    }


# ------------------------------------------------------------------------- invoices
def adopt_invoices() -> int:
    """Paid invoices that stayed alone become transactions; returns how many did."""
    now = timezone.now()
    ripe = Transaction.objects.filter(
        parked=True,
        amount__gt=0,
        paid__isnull=False,
        updated__range=(now - GIVE_UP_AFTER, now - ADOPT_AFTER),
    )
    waiting = LookUp.objects.filter(state=LookUp.State.WAITING, kind="invoice_payments")
    ripe = ripe.exclude(pk__in=waiting.values("transaction"))
    return sum(
        _adopt(row) for row in ripe.select_related("connection__project")[:BATCH]
    )


def _adopt(row: Transaction) -> int:
    """A fact of our own: this invoice is a purchase, though nothing confirms it."""
    twins = Transaction.objects.filter(
        project=row.project_id,
        parked=False,
        livemode=row.livemode,
        customer_email__iexact=row.customer_email,
        amount=row.amount,
        currency=row.currency,
        created__range=(row.created - SAME_PURCHASE, row.created + SAME_PURCHASE),
    )
    invoice = row.timeline.filter(topic="invoice", status="paid").first()
    if invoice is None or (row.customer_email and twins.exists()):
        return 0
    ledger.record(row.connection, [_adoption(row, invoice)], source="system")
    return 1


def _adoption(row: Transaction, invoice: TimelineEntry) -> Fact:
    money_weight = (invoice.says.get("money") or [0])[0]
    return Fact(
        topic="payment",
        object_kind=invoice.object_kind,
        object_id=invoice.object_id,
        status="paid",
        at=row.paid,
        references=((invoice.object_kind, invoice.object_id),),
        says={
            "money": Said([row.amount, row.currency], money_weight),
            "verified": Said(False, money_weight),
            "warning": Said("Taken from an invoice that no payment was linked to."),
        },
        summary="The invoice was taken as a purchase: no payment was linked to it",
    )
