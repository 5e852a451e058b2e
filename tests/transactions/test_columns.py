"""The columns of the list: which, in what order, how wide, and what they cost."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import make_connection, make_item, make_member, make_transaction
from transactions import columns, layouts
from transactions.models import Customer, Transaction

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[2]
EVERY = list(columns.COLUMNS)


@pytest.fixture
def sale(project: Project) -> Transaction:
    """A purchase with something to say in every column."""
    made = make_transaction(
        connection=make_connection("stripe", project=project),
        customer=Customer.objects.create(project=project, key="a", flagged=True),
        customer_email="ada@example.com",
        order_reference="ORDER-7",
        description="Two swords",
        metadata={"guild": "Otters", "level": "7"},
        amount_refunded=500,
        fee=55,
        net=1944,
        fulfilment="waiting",
        verified=False,
        status_reason="",
    )
    make_item(made, "Iron Sword", position=0)
    make_item(made, "Oak Shield", position=1)
    return made


def page_with(member: Member, *keys: str) -> str:
    layouts.keep(member, keys, "roomy")
    return client_of(member).get("/transactions/").content.decode()


def cells(page: str) -> list[str]:
    """The row's cells as words."""
    row = page[page.index("<tbody>") : page.index("</tbody>")]
    found = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in found]


def heads(page: str) -> list[str]:
    head = page[page.index("<thead>") : page.index("</thead>")]
    found = re.findall(r"<th [^>]*>(.*?)</th>", head, re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", " ", cell).split()) for cell in found]


# ----------------------------------------------------------------------- which, where
def test_seven_columns_by_default(owner_client: Client, sale: Transaction) -> None:
    page = owner_client.get("/transactions/").content.decode()
    assert heads(page) == [
        "Customer", "Product", "Status", "Method", "Provider", "Created, UTC", "Amount",
    ]  # fmt: skip


def test_a_member_has_their_own_columns_in_their_order(
    owner: Member, sale: Transaction
) -> None:
    page = page_with(owner, "net", "order_reference", "status")
    assert heads(page) == ["Customer", "Net", "Order reference", "Status"]
    assert cells(page)[-3:] == ["EUR 19.44", "ORDER-7", "Paid To hand over"]


def test_other_members_keep_theirs(
    owner: Member, support_client: Client, sale: Transaction
) -> None:
    layouts.keep(owner, ["net"], "compact")
    page = support_client.get("/transactions/").content.decode()
    assert len(heads(page)) == 7
    assert "transactions roomy" in page


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("product", "Iron Sword +1 more"),
        ("method", "Visa •••• 4242"),
        ("provider", "Stripe Dragon Shop"),
        ("created", "1 Mar, 12:00"),
        ("paid", "1 Mar, 12:00"),
        ("amount", "EUR 19.99 EUR −5.00 refunded unverified"),
        ("refunded", "EUR −5.00"),
        ("fee", "EUR 0.55"),
        ("fulfilment", "Waiting"),
        ("email", "ada@example.com"),
        ("country", "United Kingdom"),
        ("project", "Dragon Shop"),
        ("description", "Two swords"),
        ("metadata", "guild: Otters · level: 7"),
    ],
)
def test_a_cell_says_what_its_column_is_called_after(
    owner: Member, sale: Transaction, key: str, words: str
) -> None:
    assert cells(page_with(owner, key))[-1] == words


def test_ids_can_be_copied(owner: Member, sale: Transaction) -> None:
    page = page_with(owner, "id", "provider_id")
    assert f'data-copy="{sale.pk}"' in page
    assert f'data-copy="{sale.provider_id}"' in page


def test_what_is_not_known_is_a_dash(owner: Member, project: Project) -> None:
    make_transaction(
        project=project, customer_email="", customer_country="", method="",
        method_brand="", method_last4="", paid=None,
    )  # fmt: skip
    keys = [key for key in EVERY if key not in ("customer", "id", "provider_id")]
    shown = dict(zip(keys, cells(page_with(owner, *keys))[-len(keys) :], strict=True))
    dashes = {key for key, words in shown.items() if words.startswith("–")}
    assert dashes == {
        "product", "method", "paid", "refunded", "fee", "net", "email", "country",
        "order_reference", "description", "metadata",
    }  # fmt: skip


def test_fee_and_net_fall_back_on_the_payouts_currency(
    owner: Member, project: Project
) -> None:
    make_transaction(
        project=project, settlement={"currency": "usd", "fee": 171, "net": 4691}
    )
    assert cells(page_with(owner, "fee", "net"))[-2:] == ["USD 1.71", "USD 46.91"]


def test_who_accepted_an_amount_is_named(owner: Member, sale: Transaction) -> None:
    person = make_member("finance", merchant=owner.merchant).user
    person.name = "Ana"
    person.save()
    Transaction.objects.update(accepted=timezone.now(), accepted_by=person)
    assert cells(page_with(owner, "amount"))[-1].endswith("accepted by Ana")


def test_who_is_handing_it_over_is_named(owner: Member, sale: Transaction) -> None:
    until = timezone.now() + timedelta(minutes=5)
    Transaction.objects.update(claimed_by=owner.user, claimed_until=until)
    assert cells(page_with(owner, "fulfilment"))[-1] == f"Waiting {owner.user} is on it"


def test_a_customer_who_charged_back_is_marked(
    owner_client: Client, sale: Transaction
) -> None:
    page = owner_client.get("/transactions/").content.decode()
    assert "flag-mark" in page


def test_a_test_payment_says_so(owner: Member, project: Project) -> None:
    make_transaction(project=project, livemode=False)
    assert cells(page_with(owner, "amount"))[-1] == "test EUR 19.99"


def test_hostile_text_is_text_in_every_column(owner: Member, sale: Transaction) -> None:
    evil = '<img src=x onerror=alert(1)>"\u202e'
    Transaction.objects.update(
        customer_name=evil, customer_email=evil, order_reference=evil,
        description=evil, status_reason=evil, method_brand=evil, method_last4="<b>",
        provider_id=evil, metadata={evil: evil, "deep": {"a": [evil]}},
        currency="eur",
    )  # fmt: skip
    page = page_with(owner, *EVERY)
    assert "<img src=x" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("keys", [["product"], EVERY])
def test_a_row_has_one_link_whatever_it_shows(
    owner: Member, sale: Transaction, keys: list[str]
) -> None:
    page = page_with(owner, *keys)
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    assert body.count("<a ") == 1


# ----------------------------------------------------------------------------- costs
def fill(project: Project, start: int, number: int) -> None:
    connection = make_connection("stripe", project=project)
    person = make_member(merchant=project.merchant).user
    for place in range(start, start + number):
        sale = make_transaction(
            connection=connection, customer_name=f"Buyer {place}", verified=False,
            accepted_by=person, claimed_by=person, accepted=timezone.now(),
            claimed_until=timezone.now() + timedelta(minutes=5), fulfilment="waiting",
            customer=Customer.objects.create(project=project, key=f"c{place}"),
            created=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=place),
            metadata={"a": 1},
        )  # fmt: skip
        make_item(sale, f"Thing {place}")


@pytest.mark.parametrize("keys", [["status"], EVERY])
def test_the_number_of_queries_is_that_of_one_row(
    owner: Member,
    project: Project,
    django_assert_num_queries,  # noqa: ANN001
    django_assert_max_num_queries,  # noqa: ANN001
    keys: list[str],
) -> None:
    layouts.keep(owner, keys, "roomy")
    client = client_of(owner)
    fill(project, 0, 1)
    client.get("/transactions/")
    with django_assert_max_num_queries(40) as one:
        client.get("/transactions/")
    fill(project, 1, 24)
    with django_assert_num_queries(len(one)):
        client.get("/transactions/")


# ---------------------------------------------------------------------------- widths
def levels(*keys: str) -> dict[str, str]:
    """key -> from which width of the table on it is there."""
    found = {}
    for shown in columns.arranged(keys).shown:
        match = re.search(r"from-(\d+)", shown.css)
        found[shown.column.key] = match[1] if match else "always"
    return found


def test_a_phone_shows_customer_status_and_amount() -> None:
    assert levels(*columns.DEFAULT) == {
        "customer": "always", "product": "700", "status": "always", "method": "860",
        "provider": "1000", "created": "700", "amount": "always",
    }  # fmt: skip


def test_of_other_columns_a_phone_shows_the_first_two() -> None:
    assert levels("email", "id", "country", "net") == {
        "customer": "always", "email": "always", "id": "always", "country": "700",
        "net": "860",
    }  # fmt: skip


def test_every_column_is_there_on_a_wide_screen() -> None:
    assert set(levels(*EVERY).values()) == {"always", "700", "860", "1000"}


def test_few_columns_do_not_scroll_and_many_do() -> None:
    assert not columns.arranged(columns.DEFAULT).scrolls
    assert columns.arranged(EVERY).scrolls


def test_only_a_list_that_scrolls_can_be_focused(
    owner: Member, sale: Transaction
) -> None:
    assert 'role="region"' not in page_with(owner, "status")
    assert 'role="region" tabindex="0"' in page_with(owner, *EVERY)


def test_the_style_sheet_knows_every_width() -> None:
    sheet = (ROOT / "static" / "css" / "views.css").read_text()
    for column in columns.COLUMNS.values():
        name = column.key.replace("_", "-")
        rule = rf"\.col-{name}[),\s][^}}]*\{{\s*width: {column.width}px"
        assert re.search(rule, sheet), column.key


def test_a_column_that_is_gone_is_passed_over() -> None:
    assert columns.arranged(["gone", "net"]).keys == ["customer", "net"]
    assert columns.arranged(["gone"]).keys == list(columns.DEFAULT)
