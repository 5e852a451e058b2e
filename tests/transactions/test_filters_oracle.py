"""Every filter, alone and with others, in every order and on every page, against a
second telling that looks at each row (tests.transactions.oracle)."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Member, Project
from tests.factories import make_connection, make_member, make_project
from tests.transactions import oracle
from transactions import paging, summary
from transactions.filter_fields import FIELDS
from transactions.filters import TransactionFilter
from transactions.models import Transaction
from transactions.statuses import DisputeStatus, FulfilmentStatus, Status

MOST = 120

_days = st.integers(0, oracle.DAYS).map(
    lambda day: (oracle.START + oracle.timedelta(days=day)).date().isoformat()
)
_flag = st.sampled_from(["true", "false"])
_amount = st.sampled_from(["0", "499", "500", "1999", "2000", "200000"])


def _some(values: Any, most: int = 3) -> st.SearchStrategy[list[str]]:
    return st.lists(
        st.sampled_from(list(values)), min_size=1, max_size=most, unique=True
    )


def _one(strategy: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return strategy.map(lambda text: [text])


#: name -> texts that somebody may ask for by it.
TEXTS: dict[str, st.SearchStrategy[list[str]]] = {
    "project": _some(["dragon-shop", "tea-house"]),
    "provider": _some(["stripe", "paynow", "paysuper"]),
    "status": _some(Status.values, 4),
    "currency": _some(oracle.CURRENCIES),
    "method": _some(["card", "Wallet", "bank"]),
    "brand": _some(["visa", "applepay", "amex"]),
    "country": _some(["GB", "ES", "US", "FR"]),
    "fulfilment": _some(FulfilmentStatus.values),
    "verified": _some(["true", "accepted", "false"]),
    "dispute": _some(DisputeStatus.values),
    "customer": _some(["ada.byron@example.com", "Grace Hopper", "nobody"]),
    "product": _some(["Iron Sword", "Sword, Shield", "Gift card", "Axe"]),
    "livemode": _one(_flag),
    "refund_pending": _one(_flag),
    "to_revoke": _one(_flag),
    "noted": _one(_flag),
    "amount[eq]": _some(["0", "500", "1999"]),
    "amount[gte]": _one(_amount),
    "amount[lte]": _one(_amount),
    "created[gte]": _one(_days),
    "created[lt]": _one(_days),
    "paid[gte]": _one(_days),
    "paid[lt]": _one(_days),
    "q": _one(
        st.sampled_from(
            [
                "ada", "EXAMPLE.com", "byron", "zoë", "Петров", "a", "ad", "no.na",
                "ORDER-3", "order", "A7", "4242", "0005", "pi_0003", "pi_", "19.99",
                "1999", "500", "5", "20.00", "nothing like it", "%", "_", "\\",
            ]
        )
    ),
}  # fmt: skip

asked_for = st.dictionaries(
    st.sampled_from(sorted(TEXTS)), st.none(), max_size=4
).flatmap(lambda names: st.fixed_dictionaries({name: TEXTS[name] for name in names}))

LONG = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def shop(project: Project, stranger: Member) -> list[Transaction]:
    """Purchases of two projects of ours, and of a stranger's that nobody may see."""
    tea = make_project(merchant=project.merchant, name="Tea House", slug="tea-house")
    theirs = make_project(merchant=stranger.merchant)
    chance = Random(20260301)
    ours = [
        make_connection(provider, project=of)
        for of in (project, tea)
        for provider in ("stripe", "paynow")
    ]
    oracle.sell_many(chance, [project, tea], ours, MOST)
    rows = oracle.everything(Transaction.objects.all())
    oracle.sell_many(chance, [theirs], [make_connection("stripe", project=theirs)], 20)
    return rows


def _filter(
    member: Member, asked: dict[str, list[str]], **more: str
) -> TransactionFilter:
    query = QueryDict(mutable=True)
    for name, texts in asked.items():
        query.setlist(name, texts)
    for name, text in more.items():
        query[name] = text
    found = TransactionFilter.of_member(member, query)
    assert not found.errors
    return found


def test_every_name_is_tried() -> None:
    assert set(TEXTS) == set(FIELDS) == set(oracle.MEANS)


def test_each_filter_alone(owner: Member, shop: list[Transaction]) -> None:
    """One shop for all: selling takes longer than asking."""
    for name, texts in sorted(TEXTS.items()):

        @settings(parent=LONG, max_examples=12)
        @given(texts=texts)
        def check(texts: list[str], name: str) -> None:
            asked = {name: texts}
            assert set(_filter(owner, asked).rows) == oracle.expected(shop, asked), name

        check(name=name)


def test_filters_together_in_every_order_and_on_every_page(
    owner: Member, shop: list[Transaction]
) -> None:
    @LONG
    @given(asked_for, st.sampled_from(sorted(paging.ORDERS)), st.integers(1, 9))
    def check(asked: dict[str, list[str]], sort: str, size: int) -> None:
        wanted = oracle.expected(shop, asked)
        found = _filter(owner, asked, sort=sort)
        assert set(found.rows) == wanted
        seen: list[Transaction] = []
        page = paging.take(found.strands, size, order=found.order)
        while page.rows:
            seen += page.rows
            after = found.order.place(page.rows[-1])
            page = paging.take(found.strands, size, after=after, order=found.order)
        assert seen == sorted(wanted, key=found.order.key)
        before = [
            paging.take(
                found.strands, size, before=found.order.place(row), order=found.order
            ).rows
            for row in seen[:3]
        ]
        assert before == [seen[max(0, at - size) : at] for at in range(len(before))]

    check()


def test_the_sums_are_those_of_the_rows(owner: Member, shop: list[Transaction]) -> None:
    @LONG
    @given(asked_for)
    def check(asked: dict[str, list[str]]) -> None:
        wanted = oracle.expected(shop, asked)
        told = summary.whole(_filter(owner, asked))
        assert told.complete
        assert told.count == len(wanted)
        assert {
            t.currency: (t.count, t.paid, t.gross, t.refunded, t.fees, t.fees_known)
            for t in told.totals
        } == oracle.sums(wanted)

    check()


def test_sums_of_a_long_list_say_that_they_stop(
    owner: Member, shop: list[Transaction]
) -> None:
    live = {"livemode": ["true"]}
    told = summary.of(_filter(owner, live), most=50)
    newest = sorted(oracle.expected(shop, live), key=paging.NEWEST.key)[:50]
    assert not told.complete
    assert {t.currency: t.gross for t in told.totals} == {
        currency: line[2] for currency, line in oracle.sums(newest).items()
    }
    assert summary.of(_filter(owner, live), most=MOST).complete


def test_a_member_of_one_project_gets_that_ones_rows(shop: list[Transaction]) -> None:
    tea = Project.objects.get(slug="tea-house")
    member = make_member("support", merchant=tea.merchant, projects=[tea])

    @settings(parent=LONG, max_examples=30)
    @given(asked_for.filter(lambda asked: "project" not in asked))
    def check(asked: dict[str, list[str]]) -> None:
        wanted = {row for row in oracle.expected(shop, asked) if row.project == tea}
        assert set(_filter(member, asked).rows) == wanted

    check()
