"""The receipt of one transaction: whose, what, how much, and what went back."""

from __future__ import annotations

import io
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from merchant.models import Project
from tests.factories import make_dispute, make_item, make_refund, make_transaction
from tests.transactions.exports.files import NOON
from transactions.exports import to_receipt
from transactions.models import Transaction

pytestmark = pytest.mark.django_db
BERLIN = ZoneInfo("Europe/Berlin")


def read(row: Transaction, **more: bool) -> list[str]:
    data = to_receipt.write(row, zone=BERLIN, made_at=NOON, **more)
    pages = PdfReader(io.BytesIO(data)).pages
    return [line for page in pages for line in page.extract_text().split("\n")]


def test_it_says_what_was_bought_and_by_whom(project: Project) -> None:
    row = make_transaction(
        project=project, customer_name="Ada <b>", customer_email="ada@example.com",
        order_reference="A-1", created=NOON, paid=NOON,
    )  # fmt: skip
    make_item(row, "Iron Sword", quantity=2, amount=1500)
    make_item(row, "Shield", position=1, amount=499)
    lines = read(row)
    for line in (
        "Dragon Games", "Receipt", "Sold by Dragon Shop", "Customer Ada <b>",
        "E-mail ada@example.com", "Country United Kingdom", "Paid with visa •••• 4242",
        "Paid at 2026-07-01 14:30:15 CEST", "Order reference A-1",
        f"Transaction {row.pk}", f"Stripe {row.provider_id}",
        "Iron Sword 2 15.00 EUR", "Shield 1 4.99 EUR", "Paid 19.99 EUR",
    ):  # fmt: skip
        assert line in lines, line
    assert not any("TEST" in line or "Left" in line for line in lines)


def test_what_went_back_is_taken_off(project: Project) -> None:
    row = make_transaction(
        project=project, status="partially_refunded", amount_refunded=700,
        amount_charged_back=300, livemode=False, verified=False,
    )  # fmt: skip
    make_refund(row, amount=500, created=NOON)
    make_refund(row, amount=99, status="failed")
    make_dispute(
        transaction=row, provider_id="dp", status="lost", created=NOON, closed=NOON
    )
    lines = read(row)
    start = lines.index("Paid 19.99 EUR")
    assert lines[start : start + 6] == [
        "Paid 19.99 EUR",
        "Given back on 2026-07-01 14:30:15 CEST −5.00 EUR",
        "Given back, not itemised by the provider −2.00 EUR",
        "Taken back by the bank 2026-07-01 14:30:15 CEST −3.00 EUR",
        "Left 9.99 EUR",
        "Made at 2026-07-01 14:30:15 CEST",
    ]
    assert any("TEST, no money moved" in line for line in lines)
    assert any("has not been confirmed" in line for line in lines)


def test_many_items_go_on_with_their_heads(project: Project) -> None:
    row = make_transaction(project=project)
    for number in range(80):
        make_item(row, f"Item {number:02}", position=number)
    lines = read(row)
    assert [line for line in lines if line.startswith("Item ")][0] == (
        "Item Quantity Amount"
    )
    shown = [line[:7] for line in lines if line[5:7].isdigit()]
    assert [f"Item {number:02}" for number in range(80)] == [
        line for line in shown if line.startswith("Item ")
    ]
    assert lines.count("Item Quantity Amount") == 2


def test_who_may_not_see_customers_sees_no_address(project: Project) -> None:
    row = make_transaction(project=project, customer_phone="+44 20")
    lines = "\n".join(read(row, masked=True))
    assert "Customer A•••" in lines
    assert "@" not in lines and "+44" not in lines


def test_one_that_was_not_paid_only_names_the_amount(project: Project) -> None:
    lines = read(make_transaction(project=project, status="failed", amount=None))
    assert "Amount –" in lines and not any(line.startswith("Paid 1") for line in lines)
