"""Customers as their purchases tell of them: computed anew whenever one changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from merchant import bulk
from transactions.models import Customer, Dispute, Transaction
from transactions.statuses import DisputeStatus

COLUMNS = ("name", "email", "country", "latest_live", "latest_test", "flagged")


def refresh(ids: Iterable[UUID | None]) -> int:
    """Brings these customers up to date; returns how many changed.

    One that no purchase names any more goes. Locks them in ascending id, so that what
    another worker is just adding to one of them is seen.
    """
    wanted = sorted({id for id in ids if id})
    if not wanted:
        return 0
    rows = Customer.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    known = {row.pk: row for row in rows}
    seen = list(_seen(Customer.objects.filter(pk__in=wanted)))
    newest = _rows(seen)
    changed = []
    for found in seen:
        wanted_columns = _columns(found, newest)
        customer = known[found["pk"]]
        if any(getattr(customer, n) != value for n, value in wanted_columns.items()):
            changed.append(bulk.row_of(customer) | wanted_columns)
    bulk.upsert(Customer, changed, unique=["id"], update=COLUMNS)
    left = [found["pk"] for found in seen if not found["used"]]
    if left:
        Customer.objects.filter(pk__in=left).delete()
    return len(changed) + len(left)


def _seen(customers: QuerySet[Customer]) -> QuerySet[Customer, Any]:
    """Of each, its newest purchases and its flag: every one a probe of an index."""
    theirs = Transaction.objects.filter(customer=OuterRef("pk"))
    shown = theirs.filter(parked=False).order_by("-created", "-id").values("pk")
    lost = Dispute.objects.filter(
        transaction__customer=OuterRef("pk"), status=DisputeStatus.LOST, cleared=None
    )
    return customers.order_by("pk").values(
        "pk",
        live=Subquery(shown.filter(livemode=True)[:1]),
        test=Subquery(shown.filter(livemode=False)[:1]),
        used=Exists(theirs),
        lost=Exists(lost),
    )


def _rows(seen: Iterable[dict[str, Any]]) -> dict[UUID, Transaction]:
    ids = {found[mode] for found in seen for mode in ("live", "test")}
    rows = Transaction.objects.filter(pk__in=ids - {None}).only(
        "created", "customer_name", "customer_email", "customer_country"
    )
    return {row.pk: row for row in rows}


def of_rows(rows: Iterable[Any], *, flagged: bool) -> dict[str, Any]:
    """The columns of a customer who has no purchases but these rows."""
    newest: dict[bool, Any] = {}
    for row in sorted(rows, key=lambda row: (row.created, row.pk)):
        if not row.parked:
            newest[row.livemode] = row
    return columns(newest.get(True), newest.get(False), flagged=flagged)


def _columns(found: dict[str, Any], newest: dict[UUID, Transaction]) -> dict[str, Any]:
    live, test = newest.get(found["live"]), newest.get(found["test"])
    return columns(live, test, flagged=found["lost"])


def columns(live: Any, test: Any, *, flagged: bool) -> dict[str, Any]:
    """The customer's columns; names are those of the newest purchase of either mode.

    `live`, `test`: the newest purchase of that mode, None where there is none.
    """
    both = [row for row in (live, test) if row]
    last = max(both, key=lambda row: (row.created, row.pk), default=None)
    return {
        "name": last.customer_name if last else "",
        "email": last.customer_email if last else "",
        "country": last.customer_country if last else "",
        "latest_live": live.created if live else None,
        "latest_test": test.created if test else None,
        "flagged": flagged,
    }
