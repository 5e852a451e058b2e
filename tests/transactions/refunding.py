"""A shop whose provider is the sandbox: paid purchases that can be given back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from django.utils import timezone

from merchant import connections
from merchant.models import Connection, Project
from merchant.providers.base import Fact, say, stamp
from merchant.sandbox import paynow, paysuper
from merchant.sandbox.book import Book
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.senders import STRICT, deliveries
from merchant.sandbox.server import Server
from merchant.sandbox.story import Purchase, Step
from tests import factories
from transactions import jobs, ledger
from transactions.demo.post import hand_over_here
from transactions.models import Refund, Transaction

LARGE = 1000
WHEN = datetime(2026, 11, 1, 12, tzinfo=UTC)

#: What a connection must name so that its provider can be asked.
ACCOUNTS = {"paysuper": paysuper.PROJECT_ID, "paynow": paynow.STORE_ID}


@dataclass
class Shop:
    """One connection that sells in a sandbox of its own."""

    connection: Connection
    market: Market
    server: Server
    stall: Stall

    @property
    def project(self) -> Project:
        return self.connection.project

    def sell(self, ending: str = "paid", seed: int = 1) -> Transaction:
        """A purchase whose story has been told to the end, as our row; not a small one:
        what is bought depends on chance."""
        while True:
            known = set(Transaction.objects.values_list("pk", flat=True))
            now = timezone.now()
            self.market.sell(self.stall, seed, now, ending=ending, begin="told")
            self.tell()
            row = Transaction.objects.exclude(pk__in=known).get()
            if (row.amount or 0) >= LARGE and row.currency in {"eur", "usd"}:
                return row

    def tell(
        self,
        *,
        drop: Callable[[str], bool] = lambda kind: False,
        within: timedelta = timedelta(0),
    ) -> int:
        """Delivers what has happened, or will soon, and lets the worker read it."""
        due = self.market.due(timezone.now() + within)
        letters = deliveries(due, STRICT, Random(1))
        for letter in letters:
            if not drop(letter.type):
                hand_over_here(self.connection, self.stall.keys, letter.body)
        jobs.drain_inbox()
        jobs.drain_look_ups()
        return len(letters)

    def make_refund(self, sale: Transaction, amount: int | None = None) -> None:
        """Somebody gives money back in the provider's own dashboard."""
        for purchase in reversed(self.purchases):
            if purchase.total == sale.amount and purchase.told:
                number = 1 + sum(step.kind == "refund" for step in purchase.steps)
                step = Step("refund", timezone.now(), amount or purchase.total, number)
                self.market._happen(self.stall, purchase, step)
                return

    @property
    def purchases(self) -> list[Purchase]:
        return list(self.market.shop(self.stall).purchases.values())

    def effects(self) -> list[Step]:
        """The refunds that the provider has made."""
        return [
            step
            for purchase in self.purchases
            for step in purchase.steps
            if step.kind == "refund"
        ]


@contextmanager
def open_shop(
    provider: str, folder: Path, project: Project | None = None, **over: object
) -> Iterator[Shop]:
    """The sandbox of one connection, served; ALLOW_PRIVATE_ENDPOINTS must be on."""
    book = Book(folder / f"{provider}.sqlite3")
    market = Market(book, [])
    server = Server(market, 0)
    server.start()
    try:
        connection = factories.make_connection(
            provider,
            project=project or factories.make_project(),
            api_key="sk_test_of_the_sandbox",
            account=ACCOUNTS.get(provider, ""),
            livemode=False,
            base_url=f"{server.url}/{provider}",
            **over,
        )
        stall = Stall(str(connection.pk), provider, connections.keys_of(connection))
        market.add(stall)
        yield Shop(connection, market, server, stall)
    finally:
        server.stop()
        book.close()


def now_due(refund: Refund) -> None:
    """Lets the worker look at it at once."""
    Refund.objects.filter(pk=refund.pk).update(due=timezone.now(), leased_until=None)


def make_sale(project: Project, name: str = "pi_1", amount: int = 1999) -> Transaction:
    """Paid 19.99 EUR by Stripe, in the books as its webhook would leave it."""
    connection = factories.make_connection(project=project, api_key="sk_live_x")
    fact = Fact(
        topic="payment",
        object_kind="payment_intent",
        object_id=name,
        status="paid",
        at=WHEN,
        references=(("payment_intent", name),),
        says=say(
            50,
            money=[amount, "eur"],
            created=stamp(WHEN),
            paid=stamp(WHEN),
            livemode=True,
        ),
    )
    ledger.record(connection, [fact], source="webhook")
    rows = Transaction.objects.select_related("project__merchant")
    return rows.get(project=project, provider_id=name)
