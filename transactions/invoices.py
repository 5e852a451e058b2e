"""Invoices that stayed alone: after a while they are purchases of their own."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from merchant.providers.base import Fact, Said
from transactions import ledger
from transactions.models import LookUp, TimelineEntry, Transaction

#: An invoice that nothing links to a payment becomes one of its own after this time,
#: unless the same customer paid the same amount within a day of it.
ADOPT_AFTER = timedelta(minutes=10)
#: One that has a twin is looked at for this long, then it stays another row's bill.
GIVE_UP_AFTER = timedelta(days=2)
SAME_PURCHASE = timedelta(hours=24)
BATCH = 40


def adopt() -> int:
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
