"""What the list is asked in bench.browse, and how its peers are asked the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Count
from django.http import QueryDict
from django.utils import timezone

from merchant.models import Member
from transactions import paging
from transactions.models import Product, ProviderReference, Transaction
from transactions.paging import Position
from transactions.views import listing

#: A search may take longer than a filter; milliseconds of database time.
GOAL, GOAL_OF_PARTS = 10, 50

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Question:
    """One query of the list. `admin` and `tables`: the same for the peers, None where
    they have no such filter."""

    name: str
    pairs: Pairs
    admin: Pairs | None = None
    tables: Pairs | None = None
    goal: int = GOAL
    rows: int = 0
    #: where the second half of the rows begins
    cursor: str = ""

    @property
    def first(self) -> str:
        return urlencode(self.pairs)

    @property
    def middle(self) -> str:
        return urlencode([*self.pairs, (paging.OLDER, self.cursor)])


@dataclass(slots=True)
class Shop:
    """The merchant's own values to ask for: rare and frequent ones."""

    member: Member
    rows: Any = field(init=False)

    def __post_init__(self) -> None:
        self.rows = Transaction.objects.filter(
            merchant=self.member.merchant_id, parked=False, livemode=True
        )

    def some(self, column: str, place: float) -> str:
        """A value of the column; `place` 0 is the most frequent, 1 the rarest."""
        counted = self.rows.exclude(**{column: ""}).values(column)
        values = [
            row[column]
            for row in counted.annotate(n=Count("pk")).order_by("-n", column)
        ]
        return str(values[round(place * (len(values) - 1))])

    def part(self, wanted: int) -> str:
        """A part of an e-mail that about so many rows have."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT part, sum(n) FROM (SELECT left(split_part(split_part("
                "customer_email, '@', 1), '.', 2), size) AS part, count(*) AS n"
                " FROM transactions_transaction, generate_series(5, 12) AS size"
                " WHERE merchant_id = %s AND livemode GROUP BY 1) AS parts"
                " WHERE length(part) > 4 GROUP BY part"
                " ORDER BY abs(sum(n) - %s), part LIMIT 1",
                [self.member.merchant_id, wanted],
            )
            return str(cursor.fetchone()[0])


def questions(member: Member) -> list[Question]:
    """Every name of the filter with a frequent and a rare value, and the search."""
    shop = Shop(member)
    asked = [*_plain(shop), *_by_time(), *_by_product(shop), *_searches(shop)]
    return [_placed(question, member) for question in asked]


def _plain(shop: Shop) -> list[Question]:
    same: Any = {
        "status": "status__exact", "provider": "provider__exact",
        "currency": "currency__exact", "country": "customer_country__exact",
        "method": "method__iexact", "brand": "method_brand__iexact",
        "fulfilment": "fulfilment__exact",
    }  # fmt: skip
    columns = {"country": "customer_country", "brand": "method_brand"}
    found = [Question("no filter", [], [], [])]
    for name, lookup in same.items():
        column = columns.get(name, name)
        for place, word in ((0, "often"), (1, "rare")):
            value = shop.some(column, place)
            pairs = [(name, value)]
            found.append(Question(f"{name}, {word}", pairs, [(lookup, value)], pairs))
    project = shop.rows.order_by("-created").first().project
    pairs = [("project", project.slug)]
    admin = [("project__id__exact", str(project.pk))]
    found.append(Question("project", pairs, admin, [("project", str(project.pk))]))
    found += [
        Question("several statuses", [("status", "failed,refunded,disputed")]),
        Question("test", [("livemode", "false")], [("livemode__exact", "0")]),
        Question("refund pending", [("refund_pending", "true")]),
        Question("dispute open", [("dispute", "open")]),
        Question("dispute lost", [("dispute", "lost")]),
        Question("unverified", [("verified", "false")]),
        Question("noted", [("noted", "true")]),
        Question("amount, over", [("amount[gte]", "20000")],
                 [("amount__gte", "20000")], [("amount_min", "20000")]),
        Question("amount, between, one currency",
                 [("currency", "eur"), ("amount[gte]", "1500"), ("amount[lte]", "1600")]),
        Question("amount, over all", [("amount[gte]", "900000000")]),
        Question("amount, equal", [("amount[eq]", "5999")]),
        Question("customer, id", [("customer", _regular(shop))]),
    ]  # fmt: skip
    return found


def _regular(shop: Shop) -> str:
    """The customer with the most purchases."""
    counted = shop.rows.exclude(customer=None).values("customer")
    return str(counted.annotate(n=Count("pk")).order_by("-n")[0]["customer"])


def _by_time() -> list[Question]:
    now = timezone.now()

    def day(back: int) -> str:
        return str((now - timedelta(days=back)).date())

    return [
        Question("created, 30 days", [("created[gte]", day(30))],
                 [("created__gte", day(30))], [("created_after", day(30))]),
        Question("created, long ago", [("created[gte]", day(330)), ("created[lt]", day(300))],
                 [("created__gte", day(330)), ("created__lt", day(300))],
                 [("created_after", day(330)), ("created_before", day(300))]),
        Question("paid, 30 days", [("paid[gte]", day(30))]),
        Question("paid, long ago", [("paid[gte]", day(330)), ("paid[lt]", day(300))]),
    ]  # fmt: skip


def _by_product(shop: Shop) -> list[Question]:
    since = str((timezone.now() - timedelta(days=90)).date())
    until = str((timezone.now() - timedelta(days=60)).date())
    sold = Product.objects.filter(project__merchant=shop.member.merchant_id)
    by_name = sold.values("name").annotate(n=Count("items")).filter(n__gt=0)
    names = [row["name"] for row in by_name.order_by("-n")]
    often, rare = names[0], names[-1]
    with_dates = [("created[gte]", since), ("created[lt]", until), ("status", "paid")]
    dated = [("created_after", since), ("created_before", until), ("status", "paid")]
    return [
        Question("product, often", [("product", often)], None, [("product", often)]),
        Question("product, rare", [("product", rare)], None, [("product", rare)]),
        Question("product + date + status", [("product", often), *with_dates], None,
                 [("product", often), *dated]),
        Question("product + failed", [("product", rare), ("status", "failed")], None,
                 [("product", rare), ("status", "failed")]),
        Question("three products", [("product", name) for name in names[:3]]),
    ]  # fmt: skip


def _searches(shop: Shop) -> list[Question]:
    total = shop.rows.count()
    row = shop.rows.exclude(method_last4="").exclude(order_reference="")
    row = row.order_by("created")[min(1000, total // 2)]
    reference = ProviderReference.objects.filter(transaction=row).first()
    value = next(iter((row.metadata or {"none": "nothing"}).values()))
    parts = {
        "e-mail, whole": row.customer_email,
        "e-mail part, rare": shop.part(20),
        "e-mail part, just too many": shop.part(600),
        "e-mail part, medium": shop.part(max(total // 100, 1000)),
        "e-mail part, more": shop.part(total // 40),
        "e-mail part, common": "example.com",
        "no match": "zzqxjkwv",
    }
    found = [
        Question(name, [("q", words)], [("q", words)], [("q", words)], GOAL_OF_PARTS)
        for name, words in parts.items()
    ]
    family_name = row.customer_name.split()[-1]
    return found + [
        Question("name", [("q", family_name)], [("q", family_name)], None, GOAL_OF_PARTS),
        Question("last four", [("q", row.method_last4)], goal=GOAL_OF_PARTS),
        Question("amount in words", [("q", "59.99")], goal=GOAL_OF_PARTS),
        Question("metadata value", [("q", str(value))], goal=GOAL_OF_PARTS),
        Question("order reference", [("q", row.order_reference)], goal=GOAL_OF_PARTS),
        Question("provider id", [("q", reference.reference if reference else "-")],
                 goal=GOAL_OF_PARTS),
    ]  # fmt: skip


def _placed(question: Question, member: Member) -> Question:
    """The question with the number of its rows and the place half way down."""
    asked = listing.asked_by(member, QueryDict(question.first))
    assert not asked.errors, (question, asked.errors)
    count = asked.rows.count()
    if not count:
        return question
    order = asked.rows.order_by("-created", "-id").values_list("created", "pk")
    place = Position(*order[count // 2])
    return replace(question, rows=count, cursor=place.cursor())
