"""The receipt of one transaction as PDF: what was bought, paid and given back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4

from merchant.providers import PROVIDERS
from merchant.templatetags.show import country
from transactions.exports.pages import GREY, INK, MARGIN, RED, Pages
from transactions.exports.to_pdf import MINUS, grouped, wrapped
from transactions.models import LineItem, Transaction
from transactions.statuses import MONEY_CAME, DisputeStatus, RefundStatus

SIZE, LINE = 9.0, 14.0
BESIDE = 130
HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Amount:
    """One line of what it comes to; `minor` signed, None: nobody knows."""

    label: str
    minor: int | None
    strong: bool = False


def write(
    transaction: Transaction, *, zone: ZoneInfo, made_at: datetime, masked: bool = False
) -> bytes:
    """The file. Times are shown in the zone; `masked`: the customer's e-mail and phone
    are left out and the name is cut."""
    merchant = transaction.project.merchant.name
    title = f"{merchant} · {_('Receipt')}"
    file = io.BytesIO()
    pages = Pages(file, A4, title=title, author=merchant)
    _heading(pages, transaction, merchant)
    for label, text in _facts(transaction, zone, masked):
        _fact(pages, label, text)
    _items(pages, transaction)
    for amount in amounts(transaction, zone):
        _amount(pages, amount, transaction.currency)
    pages.down(2 * LINE)
    made = _at(made_at, zone)
    pages.put(_("Made at %(time)s") % {"time": made}, MARGIN, size=8, colour=GREY)
    pages.end()
    pages.canvas.save()
    return file.getvalue()


def _heading(pages: Pages, transaction: Transaction, merchant: str) -> None:
    pages.down(18)
    pages.put(merchant, MARGIN, size=18, bold=True)
    if not transaction.livemode:
        test = _("TEST, no money moved")
        pages.put(test, pages.edge, size=11, bold=True, right=True, colour=RED)
    pages.down(20)
    pages.put(_("Receipt"), MARGIN, size=12)
    pages.down(10)


def _facts(
    transaction: Transaction, zone: ZoneInfo, masked: bool
) -> Iterator[tuple[str, str]]:
    yield _("Sold by"), transaction.project.name
    yield _("Status"), str(transaction.get_status_display())
    yield _("Bought at"), _at(transaction.created, zone)
    if transaction.paid:
        yield _("Paid at"), _at(transaction.paid, zone)
    name = transaction.customer_name
    yield _("Customer"), f"{name[0]}{HIDDEN}" if masked and name else name
    if not masked:
        yield _("E-mail"), transaction.customer_email
        yield _("Phone"), transaction.customer_phone
    yield _("Country"), country(transaction.customer_country)
    yield _("Paid with"), _method(transaction)
    yield _("Order reference"), transaction.order_reference
    yield _("Transaction"), str(transaction.pk)
    provider = PROVIDERS[transaction.provider].name
    yield provider, transaction.provider_id
    if not transaction.verified:
        yield _("Please note"), _("The amount has not been confirmed by the provider.")


def _method(transaction: Transaction) -> str:
    name = transaction.method_brand or transaction.method
    last4 = transaction.method_last4
    return f"{name} •••• {last4}" if last4 else name


def amounts(transaction: Transaction, zone: ZoneInfo) -> Iterator[Amount]:
    """What was paid, what went back and when, and what that leaves."""
    came = transaction.status in MONEY_CAME
    label = _("Paid") if came else _("Amount")
    yield Amount(label, transaction.amount, strong=True)
    if not came:
        return
    itemised = 0
    refunds = transaction.refunds.filter(
        status=RefundStatus.SUCCEEDED, currency=transaction.currency, amount__gt=0
    )
    for refund in refunds:
        itemised += refund.amount or 0
        when = _at(refund.created, zone)
        yield Amount(
            _("Given back on %(time)s") % {"time": when}, -(refund.amount or 0)
        )
    if rest := transaction.amount_refunded - itemised:
        yield Amount(_("Given back, not itemised by the provider"), -rest)
    if transaction.amount_charged_back:
        lost = transaction.disputes.filter(status=DisputeStatus.LOST).last()
        when = _at(lost.closed, zone) if lost and lost.closed else ""
        label = _("Taken back by the bank %(time)s") % {"time": when}
        yield Amount(label.strip(), -transaction.amount_charged_back)
    gone = transaction.amount_refunded + transaction.amount_charged_back
    if gone and transaction.amount is not None:
        yield Amount(_("Left"), transaction.amount - gone, strong=True)


# ------------------------------------------------------------------------------ drawing
def _fact(pages: Pages, label: str, text: str) -> None:
    if not text:
        return
    for line in wrapped(text, SIZE, pages.edge - MARGIN - BESIDE):
        pages.down(LINE)
        pages.put(label, MARGIN, size=SIZE, colour=GREY)
        pages.put(line, MARGIN + BESIDE, size=SIZE)
        label = ""


def _items(pages: Pages, transaction: Transaction) -> None:
    columns = (pages.edge - 130, pages.edge)

    def head() -> None:
        pages.y -= LINE
        pages.put(_("Item"), MARGIN, size=SIZE, bold=True)
        pages.put(_("Quantity"), columns[0], size=SIZE, bold=True, right=True)
        pages.put(_("Amount"), columns[1], size=SIZE, bold=True, right=True)
        pages.rule()

    items: QuerySet[LineItem] = transaction.items.order_by("position", "key")
    pages.down(3 * LINE)
    pages.y += LINE
    head()
    for item in items:
        lines = list(wrapped(item.name, SIZE, columns[0] - MARGIN - 60))
        for place, line in enumerate(lines):
            pages.down(LINE, head)
            pages.put(line, MARGIN, size=SIZE)
            if place == 0:
                pages.put(grouped(item.quantity), columns[0], size=SIZE, right=True)
                if item.amount is not None:
                    told = _money(item.amount, transaction.currency)
                    pages.put(told, columns[1], size=SIZE, right=True)
        pages.rule()
    if not items and transaction.description:
        pages.down(LINE, head)
        pages.put(transaction.description, MARGIN, size=SIZE)
        pages.rule()
    pages.down(6)


def _amount(pages: Pages, amount: Amount, currency: str) -> None:
    pages.down(LINE)
    pages.put(amount.label, pages.edge - 130, size=SIZE, bold=amount.strong, right=True)
    told = "–" if amount.minor is None else _money(amount.minor, currency)
    colour = RED if told.startswith(MINUS) else INK
    pages.put(
        told, pages.edge, size=SIZE, bold=amount.strong, right=True, colour=colour
    )


def _money(minor: int, currency: str) -> str:
    return f"{grouped(minor, currency)} {currency.upper()}".strip()


def _at(when: datetime, zone: ZoneInfo) -> str:
    local = when.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
