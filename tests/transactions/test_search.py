"""One box: whatever a customer can quote finds the purchase, and only that."""

from __future__ import annotations

import pytest
from django.http import QueryDict

from merchant.models import Member, Project
from tests.factories import make_project, make_transaction
from transactions import search
from transactions.filters import TransactionFilter
from transactions.models import ProviderReference, Transaction, TransactionAlias
from transactions.paging import take


def _found(member: Member, words: str, **more: str) -> set[Transaction]:
    query = QueryDict(mutable=True)
    query.update({"q": words, **more})
    asked = TransactionFilter.of_member(member, query)
    assert asked.errors == {}
    rows = set(asked.rows)
    assert set(take(asked.strands, 1000).rows) == rows
    return rows


@pytest.fixture
def row(project: Project) -> Transaction:
    return make_transaction(
        project=project,
        customer_name="Grace Hopper",
        customer_email="Grace.Hopper@navy.example",
        order_reference="A-1042",
        metadata={"order": "X77", "note": 'a "quoted" \\ word'},
        method_last4="1881",
        amount=1234567,
    )


@pytest.fixture(autouse=True)
def other(project: Project) -> Transaction:
    return make_transaction(project=project)


@pytest.mark.parametrize(
    "words",
    [
        "grace.hopper@navy.example",
        "GRACE",
        "hopper@nav",
        "ce hop",
        "gr",
        "ho",
        "Hopper",
        "A-1042",
        "X77",
        'a "quoted" \\ word',
        "1881",
        "12345.67",
        "12,345.67",
        "12.345,67",
        "12 345,67",
        "EUR 12345.67",
        "12345,67 eur",
        "€12345.67",
        "  Hopper  ",
    ],
)
def test_what_is_quoted_is_found(owner: Member, row: Transaction, words: str) -> None:
    assert _found(owner, words) == {row}


@pytest.mark.parametrize(
    "words",
    [
        "op",
        "a-1042",
        "A-104",
        "x77",
        "188",
        "1234567",
        "$12345.67",
        "XYZ 12345.67",
        "%",
        "_",
    ],
)
def test_what_is_something_else_is_not_found(
    owner: Member, row: Transaction, words: str
) -> None:
    assert _found(owner, words) == set()


def test_our_id_and_the_id_of_a_joined_row_are_found(
    owner: Member, row: Transaction
) -> None:
    gone = "0198f6a2-7c1e-7b3a-9d52-1f0e6a4c8b11"
    TransactionAlias.objects.create(id=gone, transaction=row)
    assert _found(owner, str(row.pk)) == {row}
    assert _found(owner, str(row.pk).upper()) == {row}
    assert _found(owner, gone) == {row}


def test_every_id_of_the_provider_is_found(owner: Member, row: Transaction) -> None:
    for kind, id in (("stripe.charge", "ch_1"), ("stripe.session", "cs_test_1")):
        ProviderReference.objects.create(
            project=row.project, kind=kind, reference=id, transaction=row
        )
    assert _found(owner, "ch_1") == {row}
    assert _found(owner, "cs_test_1") == {row}
    assert _found(owner, "ch_") == set()


@pytest.mark.parametrize(
    ("currency", "amount", "words"),
    [
        ("jpy", 500, "500"),
        ("jpy", 500, "500 JPY"),
        ("kwd", 1500, "1.5"),
        ("kwd", 1999, "1.999"),
        ("eur", 199900, "1.999"),
        ("eur", 199900, "1999"),
    ],
)
def test_an_amount_counts_in_each_currencys_own_units(
    owner: Member, project: Project, currency: str, amount: int, words: str
) -> None:
    row = make_transaction(project=project, currency=currency, amount=amount)
    make_transaction(project=project, currency="usd", amount=amount * 7)
    assert _found(owner, words) == {row}


@pytest.mark.parametrize(
    "words", ["МАРИЯ", "мария", "Мария", "müller", "MÜLLER", "王伟"]
)
def test_names_are_found_in_any_script_and_case(
    owner: Member, project: Project, words: str
) -> None:
    make_transaction(project=project, customer_name="Мария Müller 王伟")
    assert len(_found(owner, words)) == 1


def test_the_search_keeps_to_the_other_filters(
    owner: Member, project: Project, row: Transaction
) -> None:
    assert _found(owner, "hopper", status="paid") == {row}
    assert _found(owner, "hopper", status="paid,refunded") == {row}
    assert _found(owner, "hopper", status="refunded") == set()
    assert _found(owner, "hopper", livemode="false") == set()


def test_a_stranger_finds_nothing(stranger: Member, row: Transaction) -> None:
    make_project(merchant=stranger.merchant)
    ProviderReference.objects.create(
        project=row.project, kind="stripe.charge", reference="ch_1", transaction=row
    )
    for words in (str(row.pk), "ch_1", "A-1042", "Hopper", "1881", "12345.67", "X77"):
        assert _found(stranger, words) == set()


def test_frequent_words_find_all_of_them(
    owner: Member, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "FEW", 3)
    many = {make_transaction(project=project, customer_name="Kim") for _ in range(8)}
    rare = make_transaction(project=project, customer_name="x", order_reference="Kim")
    test = make_transaction(project=project, customer_name="Kim", livemode=False)
    assert _found(owner, "kim") == {*many, test}
    assert _found(owner, "Kim") == {*many, rare, test}
    assert _found(owner, "Kim", livemode="true") == {*many, rare}


@pytest.mark.postgres
def test_where_an_index_of_parts_may_not_be_made_beginnings_are_found(
    owner: Member, row: Transaction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "INDEX_OF_PARTS", "no_such_index")
    assert _found(owner, "grace") == {row}
    assert _found(owner, "hopper") == set()
    assert _found(owner, "A-1042") == {row}


def test_a_search_costs_a_bounded_number_of_queries(
    owner: Member, row: Transaction, django_assert_max_num_queries
) -> None:
    with django_assert_max_num_queries(14):
        assert _found(owner, "1881")
