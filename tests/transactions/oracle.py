"""The list told a second time, as a person would: every row looked at, in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from merchant.models import Connection, Project
from merchant.money import exponent
from tests.factories import make_dispute, make_item, make_transaction
from transactions.fold import LATE
from transactions.models import Customer, ProviderReference, Transaction
from transactions.statuses import MONEY_CAME, DisputeStatus, FulfilmentStatus, Status

START = datetime(2026, 1, 1, tzinfo=UTC)
#: Days over which the purchases are spread.
DAYS = 40

PEOPLE = (
    ("Ada Byron", "ada.byron@example.com", "GB"),
    ("Zoë Núñez", "zoe@example.org", "ES"),
    ("Иван Петров", "ivan.petrov@example.net", "BG"),
    ("", "no.name@example.com", ""),
    ("Grace Hopper", "", "US"),
)
PRODUCTS = ("Iron Sword", "Sword, Shield", "Gift card", "Ябълка")
CURRENCIES = ("eur", "usd", "jpy", "kwd")
METHODS = (("card", "visa"), ("card", "mastercard"), ("wallet", "ApplePay"), ("", ""))


#: A dispute that is told of by a purchase in this state.
DISPUTES = {
    Status.CHARGED_BACK: DisputeStatus.LOST,
    Status.DISPUTED: DisputeStatus.OPEN,
    Status.PAID: DisputeStatus.WON,
}


def sell_many(
    chance: Random,
    projects: Iterable[Project],
    connections: list[Connection],
    most: int,
) -> None:
    """`most` purchases unlike each other in every column that can be asked for."""
    projects = list(projects)
    customers = {
        (project.pk, email or name): Customer.objects.create(
            project=project, key=email or name
        )
        for project in projects
        for name, email, _country in PEOPLE
    }
    for number in range(most):
        connection = chance.choice(connections)
        name, email, country = chance.choice(PEOPLE)
        method, brand = chance.choice(METHODS)
        created = START + timedelta(seconds=chance.randrange(DAYS * 86_400))
        created = chance.choice([created, created.replace(hour=0, minute=0, second=0)])
        paid = chance.choice(
            [None, created, created + timedelta(days=chance.choice([1, 9]))]
        )
        verified = chance.random() < 0.7
        status = chance.choice(list(Status.values))
        dispute = DISPUTES.get(Status(status), "")
        row = make_transaction(
            connection=connection,
            provider=connection.provider,
            provider_id=f"pi_{number:04}",
            livemode=chance.random() < 0.8,
            status=status,
            amount=chance.choice([None, 0, 500, 1999, 2000, 123456]),
            currency=chance.choice(CURRENCIES),
            amount_refunded=chance.choice([0, 0, 100]),
            fee=chance.choice([None, 59]),
            customer=customers[connection.project_id, email or name],
            customer_name=name,
            customer_email=email.upper() if chance.random() < 0.3 else email,
            customer_country=country,
            method=method,
            method_brand=brand,
            method_last4=chance.choice(["4242", "0005", ""]),
            order_reference=chance.choice(["", f"ORDER-{number % 7}"]),
            metadata=chance.choice([{}, {"seat": "A7"}, {"vip": "ORDER-3", "n": "1"}]),
            fulfilment=chance.choice(list(FulfilmentStatus.values)),
            refund_pending=chance.random() < 0.2,
            verified=verified,
            accepted=None if verified or chance.random() < 0.5 else created,
            to_revoke=chance.random() < 0.1,
            noted=chance.random() < 0.2,
            created=created,
            paid=paid,
            paid_late=paid is not None and paid - created > LATE,
        )
        for product in chance.sample(PRODUCTS, chance.choice([0, 1, 1, 2])):
            make_item(
                row, product, quantity=chance.choice([1, 2]), sku=f"SKU-{product[:4]}"
            )
        if dispute:
            make_dispute(
                transaction=row, provider_id=f"dp_{number}", created=created,
                status=dispute,
            )  # fmt: skip
        ProviderReference.objects.create(
            project=row.project, kind="stripe.payment_intent",
            reference=row.provider_id, transaction=row,
        )  # fmt: skip


def everything(rows: Iterable[Transaction]) -> list[Transaction]:
    """The rows with what hangs on them, to look at without the database."""
    return list(
        Transaction.objects.filter(pk__in=[row.pk for row in rows])
        .select_related("project", "customer")
        .prefetch_related("items__product", "disputes", "references")
    )


def _among(
    read: Callable[[Transaction], Any],
) -> Callable[[Transaction, list[Any]], bool]:
    return lambda row, wanted: read(row) in wanted


def _whatever_case(
    read: Callable[[Transaction], str],
) -> Callable[[Transaction, list[Any]], bool]:
    return lambda row, wanted: read(row).upper() in {text.upper() for text in wanted}


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _sure(row: Transaction) -> str:
    if row.verified:
        return "true"
    return "accepted" if row.accepted else "false"


#: name of the filter -> whether a row is meant by these texts.
MEANS: dict[str, Callable[[Transaction, list[str]], bool]] = {
    "project": _among(lambda row: row.project.slug),
    "provider": _among(lambda row: row.provider),
    "status": _among(lambda row: row.status),
    "currency": _among(lambda row: row.currency),
    "method": _whatever_case(lambda row: row.method),
    "brand": _whatever_case(lambda row: row.method_brand),
    "country": _among(lambda row: row.customer_country),
    "fulfilment": _among(lambda row: row.fulfilment),
    "verified": _among(_sure),
    "livemode": lambda row, wanted: row.livemode == (wanted[0] == "true"),
    "refund_pending": lambda row, wanted: row.refund_pending == (wanted[0] == "true"),
    "to_revoke": lambda row, wanted: row.to_revoke == (wanted[0] == "true"),
    "noted": lambda row, wanted: row.noted == (wanted[0] == "true"),
    "dispute": lambda row, wanted: any(d.status in wanted for d in row.disputes.all()),
    "customer": lambda row, wanted: any(
        text in (str(row.customer_id), row.customer.key)
        or ("@" in text and text.lower() == row.customer_email.lower())
        for text in wanted
    ),
    "product": lambda row, wanted: any(
        i.product.name in wanted for i in row.items.all()
    ),
    "amount[eq]": lambda row, wanted: row.amount in {int(text) for text in wanted},
    "amount[gte]": lambda row, wanted: (
        row.amount is not None and row.amount >= int(wanted[0])
    ),
    "amount[lte]": lambda row, wanted: (
        row.amount is not None and row.amount <= int(wanted[0])
    ),
    "created[gte]": lambda row, wanted: row.created >= _day(wanted[0]),
    "created[lt]": lambda row, wanted: row.created < _day(wanted[0]),
    "paid[gte]": lambda row, wanted: (
        row.paid is not None and row.paid >= _day(wanted[0])
    ),
    "paid[lt]": lambda row, wanted: row.paid is not None and row.paid < _day(wanted[0]),
    "q": lambda row, wanted: found_by(row, wanted[0]),
}


def found_by(row: Transaction, words: str) -> bool:
    """Whether what somebody quotes has to do with the row."""
    exact = {
        str(row.pk), row.order_reference, *(r.reference for r in row.references.all()),
        *(value for value in row.metadata.values()),
    }  # fmt: skip
    texts = (row.customer_email.lower(), row.customer_name.lower())
    folded = words.lower()
    if len(words) < 3 and words.isascii():
        part = any(t.startswith(folded) or f" {folded}" in t for t in texts)
    else:
        part = any(folded in text for text in texts)
    last4 = len(words) == 4 and row.method_last4 == words
    return part or words in exact or last4 or _is_amount(row, words)


def _is_amount(row: Transaction, words: str) -> bool:
    """ "19.99" in whichever currency; only in forms that mean one number."""
    if row.amount is None or not words.replace(".", "", 1).isdigit():
        return False
    whole, _, part = words.partition(".")
    places = exponent(row.currency)
    if len(part) > places:
        return False
    return row.amount == int(whole + part.ljust(places, "0"))


def expected(
    rows: Iterable[Transaction], asked: dict[str, list[str]]
) -> set[Transaction]:
    return {
        row
        for row in rows
        if all(MEANS[name](row, texts) for name, texts in asked.items())
    }


def sums(rows: Iterable[Transaction]) -> dict[str, tuple[int, ...]]:
    """currency -> (rows, paid, gross, refunded, fees, fees known)."""
    found: dict[str, list[int]] = {}
    for row in rows:
        line = found.setdefault(row.currency, [0] * 6)
        line[0] += 1
        if row.status in MONEY_CAME:
            line[1] += 1
            line[2] += row.amount or 0
            line[3] += row.amount_refunded
            line[4] += row.fee or 0
            line[5] += row.fee is not None
    return {currency: tuple(line) for currency, line in found.items()}
