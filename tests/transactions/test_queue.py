"""The queue: what waits, the oldest first, for whom, and handing over in its rows."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.test import Client

from merchant.access import ROLES
from merchant.models import Connection, Member, Project
from tests.conftest import client_of
from tests.factories import make_connection, make_member, make_project
from tests.transactions.staff import WHEN, acts_of, dispute, enter, item, payment
from transactions import fulfilment, waiting
from transactions.models import Customer, Transaction, TransactionAlias

pytestmark = pytest.mark.django_db

HTMX = {"hx-request": "true"}


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("stripe", project=project)


def sell(connection: Connection, number: int, *names: str, **over: object):  # noqa: ANN201
    """A paid purchase; the greater the number, the later."""
    lines = [item(str(at), name) for at, name in enumerate(names or ("Sword",))]
    told = payment(
        f"{connection.provider}{number}",
        items=lines,
        at=WHEN + timedelta(minutes=number),
        customer_name=f"Buyer {number:02}",
        **over,  # type: ignore[arg-type]
    )
    return enter(connection, told)


@pytest.fixture
def three(connection: Connection) -> list[Transaction]:
    return [sell(connection, number) for number in (2, 0, 1)]


def page(client: Client, query: str = "", **headers: str) -> str:
    answer = client.get(f"/fulfilment/{query}", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def names(text: str) -> list[str]:
    return re.findall(r"<bdi>(Buyer \d\d)</bdi></a>", text)


def act(row: Transaction, name: str) -> str:
    return f"/transactions/{row.pk}/fulfilment/{name}/"


def fresh(row: Transaction) -> Transaction:
    return Transaction.objects.get(pk=row.pk)


# ------------------------------------------------------------------------- what stands
def test_the_oldest_comes_first(
    three: list[Transaction], support_client: Client
) -> None:
    assert names(page(support_client)) == ["Buyer 00", "Buyer 01", "Buyer 02"]


def test_only_what_waits_stands_there(
    connection: Connection, support_client: Client, support: Member
) -> None:
    done = sell(connection, 1)
    fulfilment.mark_done(support.user, [done.pk])
    sell(connection, 2, verified=False)
    sell(connection, 3)
    enter(connection, dispute("stripe3", "open"))
    sell(connection, 4)
    assert names(page(support_client)) == ["Buyer 04"]


def test_live_and_test_are_apart(
    connection: Connection, support_client: Client
) -> None:
    sell(connection, 1)
    sell(connection, 2, livemode=False)
    assert names(page(support_client)) == ["Buyer 01"]
    assert names(page(support_client, "?livemode=false")) == ["Buyer 02"]


def test_it_says_what_waits_and_not_what_is_done(
    connection: Connection, support_client: Client, support: Member
) -> None:
    row = sell(connection, 1, "Sword", "Shield")
    fulfilment.mark_done(support.user, [row.pk], item="0")
    table = page(support_client).partition("<tbody>")[2]
    assert "Shield" in table
    assert "Sword" not in table


def test_a_flagged_customer_is_marked(
    three: list[Transaction], support_client: Client
) -> None:
    assert "Charged back before" not in page(support_client)
    customer = Customer.objects.create(project=three[0].project, key="x", flagged=True)
    Transaction.objects.filter(pk=three[0].pk).update(customer=customer)
    assert page(support_client).count("Charged back before") == 1


def test_names_from_outside_stand_there_as_text(
    connection: Connection, support_client: Client
) -> None:
    enter(connection, payment(items=[item("a", "<b>x</b>")], customer_name="<i>y</i>"))
    text = page(support_client)
    assert "&lt;b&gt;x" in text
    assert "<i>y" not in text


def test_an_empty_queue_teaches(project: Project, support_client: Client) -> None:
    assert "Nothing waits to be handed over" in page(support_client)
    assert "paid in full" in page(support_client)


def test_pages_go_on_where_the_last_ended(
    connection: Connection, support_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "SIZE", 2)
    for number in range(5):
        sell(connection, number)
    seen, query = [], ""
    while True:
        text = page(support_client, query)
        seen += names(text)
        later = re.search(r'href="/fulfilment/(\?[^"]*)" rel="next"', text)
        if later is None:
            break
        query = later[1].replace("&amp;", "&")
    assert seen == [f"Buyer {number:02}" for number in range(5)]
    earlier = re.search(r'href="/fulfilment/(\?[^"]*)" rel="prev"', text)
    assert earlier is not None
    text = page(support_client, earlier[1].replace("&amp;", "&"))
    assert names(text) == ["Buyer 02", "Buyer 03"]


# ----------------------------------------------------------------------------- filters
@pytest.fixture
def two_shops(connection: Connection, project: Project) -> Connection:
    other = make_project(merchant=project.merchant, slug="other-shop", name="Other")
    return make_connection("paysuper", project=other)


def test_by_project(
    connection: Connection, two_shops: Connection, support_client: Client
) -> None:
    sell(connection, 1)
    sell(two_shops, 2)
    assert names(page(support_client, "?project=other-shop")) == ["Buyer 02"]
    both = "?project=other-shop&project=dragon-shop"
    assert names(page(support_client, both)) == ["Buyer 01", "Buyer 02"]


def test_by_product_of_which_a_line_waits(
    connection: Connection, support_client: Client, support: Member
) -> None:
    both = sell(connection, 1, "Sword", "Shield")
    fulfilment.mark_done(support.user, [both.pk], item="0")
    sell(connection, 2, "Sword")
    assert names(page(support_client, "?product=Sword")) == ["Buyer 02"]
    assert names(page(support_client, "?product=Shield")) == ["Buyer 01"]
    two = "?product=Shield&product=Sword"
    assert names(page(support_client, two)) == ["Buyer 01", "Buyer 02"]


def test_products_of_which_nothing_waits_are_not_offered(
    connection: Connection, support_client: Client, support: Member
) -> None:
    done = sell(connection, 1, "Bow")
    sell(connection, 2, "Sword")
    fulfilment.mark_done(support.user, [done.pk])
    text = page(support_client)
    assert "product=Sword" in text
    assert "product=Bow" not in text


def test_nothing_of_a_filter_says_so(
    three: list[Transaction], support_client: Client
) -> None:
    assert "Nothing of this waits" in page(support_client, "?product=Bow")


@pytest.mark.parametrize(
    "query", ["?project=nobody", "?livemode=maybe", "?after=broken", "?before=%00"]
)
def test_an_address_that_cannot_be_read_says_so(
    three: list[Transaction], support_client: Client, query: str
) -> None:
    answer = support_client.get(f"/fulfilment/{query}")
    assert answer.status_code == 422
    assert "cannot be read" in answer.content.decode()


@pytest.mark.parametrize("query", ["?just=x", "?product=%00", "?just=%00&x=y"])
def test_odd_addresses_do_no_harm(
    three: list[Transaction], support_client: Client, query: str
) -> None:
    assert support_client.get(f"/fulfilment/{query}").status_code == 200


# ------------------------------------------------------------------------------ who may
@pytest.mark.parametrize("role", ROLES)
def test_everybody_looks_and_some_act(three: list[Transaction], role: str) -> None:
    client = client_of(make_member(role, merchant=three[0].merchant))
    text = page(client)
    may = role in {"owner", "admin", "support"}
    assert len(names(text)) == 3
    assert (act(three[0], "done") in text) == may
    status = client.post(act(three[0], "done"), {"from": "queue"}).status_code
    assert status == (302 if may else 403)
    assert acts_of(three[0]) == (["done"] if may else [])


def test_a_stranger_sees_nothing(
    three: list[Transaction], stranger_client: Client
) -> None:
    assert names(page(stranger_client)) == []
    for name in ("done", "claim", "undo", "take-over", "release", "revoke", "keep"):
        assert stranger_client.post(act(three[0], name)).status_code == 404
    assert acts_of(three[0]) == []


def test_a_member_of_one_project_sees_only_that(
    connection: Connection, two_shops: Connection
) -> None:
    sell(connection, 1)
    other = sell(two_shops, 2)
    member = make_member(
        "support", merchant=other.merchant, projects=[connection.project]
    )
    client = client_of(member)
    assert names(page(client)) == ["Buyer 01"]
    assert client.get("/fulfilment/?project=other-shop").status_code == 422
    assert client.post(act(other, "done")).status_code == 404


def test_an_unknown_act_is_none(
    three: list[Transaction], support_client: Client
) -> None:
    assert support_client.post(act(three[0], "burn")).status_code == 404
    assert support_client.get(act(three[0], "done")).status_code == 405


@pytest.mark.parametrize("rows", [1, 20])
def test_the_number_of_queries_does_not_grow(
    connection: Connection,
    support_client: Client,
    django_assert_num_queries,  # noqa: ANN001
    rows: int,
) -> None:
    for number in range(rows):
        sell(connection, number, "Sword", "Shield")
    page(support_client)
    with django_assert_num_queries(QUERIES):
        page(support_client)


#: Session, user, member and their projects (5); is there anything live; the page, its
#: items, projects, customers; how many; projects and products to filter by.
QUERIES = 12


# --------------------------------------------------------------------------- in the row
def test_done_in_the_row_takes_the_row_away_and_offers_undo(
    three: list[Transaction], support_client: Client
) -> None:
    form = {"from": "queue", "back": "livemode=true", "reference": "KEY-1"}
    answer = support_client.post(act(three[0], "done"), form, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "<tr" not in text
    assert act(three[0], "undo") in text
    assert "2 waiting" in text
    entry = three[0].timeline.get(status="done")
    assert f'name="of" value="{entry.identity}"' in text


def test_undo_brings_the_queue_back_as_it_was(
    three: list[Transaction], support_client: Client
) -> None:
    support_client.post(act(three[0], "done"))
    of = three[0].timeline.get(status="done").identity
    form = {"from": "queue", "back": "product=Sword&livemode=true", "of": of}
    answer = support_client.post(act(three[0], "undo"), form, headers=HTMX)
    text = answer.content.decode()
    assert names(text) == ["Buyer 00", "Buyer 01", "Buyer 02"]
    assert 'class="chip"' in text


def test_claiming_in_the_row_shows_the_row_again(
    three: list[Transaction], support_client: Client, support: Member
) -> None:
    answer = support_client.post(
        act(three[0], "claim"), {"from": "queue"}, headers=HTMX
    )
    text = answer.content.decode()
    assert text.lstrip().startswith(f'<tr id="row-{three[0].pk}">')
    assert "Not on it" in text
    assert fresh(three[0]).claimed_by == support.user


def test_what_another_is_on_is_shown_and_can_be_taken_over(
    three: list[Transaction], support_client: Client, owner: Member
) -> None:
    fulfilment.claim(owner.user, [three[0].pk])
    text = page(support_client)
    assert str(owner.user) in text
    assert act(three[0], "take-over") in text
    assert act(three[0], "done") not in text


def test_a_refused_act_says_why_in_the_row(
    three: list[Transaction], support_client: Client, owner: Member
) -> None:
    fulfilment.claim(owner.user, [three[0].pk])
    form = {"from": "queue", "reference": "KEY-1"}
    answer = support_client.post(act(three[0], "done"), form, headers=HTMX)
    assert answer.status_code == 422
    assert f"{owner.user} is on it." in answer.content.decode()


def test_too_long_a_note_is_told(
    three: list[Transaction], support_client: Client
) -> None:
    form = {"from": "queue", "note": "x" * 501}
    answer = support_client.post(act(three[0], "done"), form, headers=HTMX)
    assert answer.status_code == 422
    assert "at most 500 characters" in answer.content.decode()
    assert acts_of(three[0]) == []


def test_a_double_click_is_one_act_and_no_error(
    three: list[Transaction], support_client: Client
) -> None:
    for _ in range(2):
        form = {"from": "queue"}
        answer = support_client.post(act(three[0], "done"), form, headers=HTMX)
        assert answer.status_code == 200
    assert acts_of(three[0]) == ["done"]


# ---------------------------------------------------------------------- without script
def test_without_script_the_queue_comes_back_with_undo(
    three: list[Transaction], support_client: Client
) -> None:
    form = {"from": "queue", "back": urlencode({"product": "Sword"})}
    answer = support_client.post(act(three[1], "done"), form)
    assert answer["Location"] == f"/fulfilment/?product=Sword&just={three[1].pk}"
    text = support_client.get(answer["Location"]).content.decode()
    assert names(text.partition("<tbody>")[2]) == ["Buyer 01", "Buyer 02"]
    assert act(three[1], "undo") in text


def test_without_script_a_refused_act_is_told_on_the_queue(
    three: list[Transaction], support_client: Client, owner: Member
) -> None:
    fulfilment.mark_done(owner.user, [three[0].pk])
    answer = support_client.post(act(three[0], "done"), {"from": "queue"})
    assert answer.status_code == 409
    text = answer.content.decode()
    assert "It is handed over already." in text
    assert names(text.partition("<tbody>")[2]) == ["Buyer 00", "Buyer 01"]


def test_back_leads_nowhere_else(
    three: list[Transaction], support_client: Client
) -> None:
    form = {"from": "queue", "back": "next=https://example.com&project=nobody"}
    answer = support_client.post(act(three[0], "claim"), form)
    assert answer["Location"] == "/fulfilment/?project=nobody"


# ------------------------------------------------------------------------- on the card
def test_the_card_answers_with_its_section_and_the_timeline(
    three: list[Transaction], support_client: Client
) -> None:
    form = {"reference": "KEY-1", "note": "by mail"}
    answer = support_client.post(act(three[0], "done"), form, headers=HTMX)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'id="fulfilment"' in text
    assert "Handed over · KEY-1 · by mail" in text
    assert 'id="timeline" hx-swap-oob="true"' in text


def test_without_script_the_card_comes_back(
    three: list[Transaction], support_client: Client
) -> None:
    answer = support_client.post(act(three[0], "claim"))
    assert answer["Location"] == f"/transactions/{three[0].pk}/#fulfilment"


def test_a_refused_act_shows_the_card_with_the_sentence(
    three: list[Transaction], support_client: Client, owner: Member
) -> None:
    fulfilment.claim(owner.user, [three[0].pk])
    for headers, status in (({}, 409), (HTMX, 422)):
        answer = support_client.post(act(three[0], "done"), headers=headers)
        assert answer.status_code == status
        assert f"{owner.user} is on it." in answer.content.decode()


def test_a_line_can_be_handed_over_on_the_card(
    connection: Connection, support_client: Client
) -> None:
    row = sell(connection, 1, "Sword", "Shield")
    support_client.post(act(row, "done"), {"item": "1", "reference": "KEY-1"})
    text = support_client.get(f"/transactions/{row.pk}/").content.decode()
    assert "Handed over · Shield · KEY-1" in text
    assert fresh(row).fulfilment == "waiting"


def test_a_chargeback_asks_on_the_card(
    connection: Connection, support_client: Client, support: Member
) -> None:
    row = sell(connection, 1)
    fulfilment.mark_done(support.user, [row.pk])
    enter(connection, dispute("stripe1", "lost"))
    address = f"/transactions/{row.pk}/"
    assert "Revoke what was delivered?" in support_client.get(address).content.decode()
    support_client.post(act(row, "keep"), {"note": "A regular"})
    text = support_client.get(address).content.decode()
    assert "Revoke what was delivered?" not in text
    assert "Left with the customer · A regular" in text


def test_an_old_id_of_a_joined_row_still_works(
    three: list[Transaction], support_client: Client
) -> None:
    alias = TransactionAlias.objects.create(id=uuid4(), transaction=three[0])
    support_client.post(f"/transactions/{alias.pk}/fulfilment/done/")
    assert fresh(three[0]).fulfilment == "done"
