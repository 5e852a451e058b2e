"""Asking for a refund on a page, and deciding about it there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.internal.userkit import user_id_to_str
from django.test import Client
from django.utils import timezone

from merchant.models import AuditEntry, Member, Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_dispute,
    make_item,
    make_member,
    make_project,
    make_refund,
    make_transaction,
)
from tests.transactions.refunding import make_sale
from transactions import refunds
from transactions.models import Refund, RefundLimit, Transaction

pytestmark = pytest.mark.django_db

KEY = "0123456789abcdef" * 2


def fresh(member: Member) -> Client:
    """A browser in which the member has just entered their password."""
    client = client_of(member)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time()}
    ]
    session["account_authentication_methods_user"] = user_id_to_str(member.user)
    session.save()
    return client


@pytest.fixture
def sale(project: Project) -> Transaction:
    return make_sale(project)


@pytest.fixture
def limited(owner: Member, project: Project) -> None:
    """Support gives back 5.00 EUR at a time."""
    refunds.set_limit(owner, project, "support", "eur", each=500, daily=None)


@pytest.fixture
def waiting(limited: None, support: Member, sale: Transaction) -> Refund:
    return refunds.request(support, sale, amount=600)


def form(**over: str) -> dict[str, str]:
    told = {"amount": "19.99", "reason": "duplicate", "key": KEY, "after": "keep"}
    return told | over


def url(sale: Transaction) -> str:
    return f"/transactions/{sale.pk}/refund/"


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def of(project: Project, provider: str, **over: Any) -> Transaction:
    connection = make_connection(provider, project=project, api_key="key")
    return make_transaction(connection=connection, paid=timezone.now(), **over)


# --------------------------------------------------------------------------- the form
def test_the_title_says_how_much_to_whom(
    project: Project, support_client: Client
) -> None:
    sale = of(project, "stripe", amount=4499, customer_name="Mira Novak")
    page = re.sub(r"<[^>]+>", "", text(support_client.get(url(sale))))
    assert "Refund EUR 44.99 to Mira Novak?" in page


def test_stripe_takes_any_part(project: Project, support_client: Client) -> None:
    page = text(support_client.get(url(of(project, "stripe", amount=4499))))
    assert 'name="amount" value="44.99"' in page
    assert "Any part of what is left" in page
    assert "Stripe does not return the fees" in page


def test_paynow_offers_the_order_or_a_line(
    project: Project, support_client: Client
) -> None:
    sale = of(project, "paynow", amount=3000)
    make_item(sale, "Iron Sword", key="l1", amount=1000)
    page = text(support_client.get(url(sale)))
    assert 'type="radio" name="line" value="l1"' in page
    assert "The whole order" in page


def test_paysuper_gives_back_whole_orders_only(
    project: Project, support_client: Client
) -> None:
    page = text(support_client.get(url(of(project, "paysuper", amount=3000))))
    assert 'type="hidden" name="amount" value="30.00"' in page
    assert "PaySuper gives back whole orders only" in page


def test_paysuper_without_a_token_is_done_by_hand(
    project: Project, support_client: Client
) -> None:
    page = text(support_client.get(url(of(project, "paysuper"))))
    assert "the refund itself is made in PaySuper" in page


def test_during_a_dispute_it_warns(project: Project, support_client: Client) -> None:
    sale = of(project, "stripe", status="disputed")
    make_dispute(
        transaction=sale, provider_id="dp", status="open", created=timezone.now()
    )
    assert "you could pay twice" in text(support_client.get(url(sale)))


def test_what_cannot_be_refunded_says_why(
    project: Project, support_client: Client
) -> None:
    page = text(support_client.get(url(of(project, "stripe", status="failed"))))
    assert "Nothing has been paid." in page
    assert "<textarea" not in page


def test_for_htmx_it_is_the_dialog(sale: Transaction, support_client: Client) -> None:
    page = text(support_client.get(url(sale), headers={"HX-Request": "true"}))
    assert "<html" not in page
    assert "Keep payment" in page


def test_the_card_has_the_button(sale: Transaction, support_client: Client) -> None:
    assert url(sale) in text(support_client.get(f"/transactions/{sale.pk}/"))


def test_who_may_not_sees_no_button(sale: Transaction, viewer_client: Client) -> None:
    assert url(sale) not in text(viewer_client.get(f"/transactions/{sale.pk}/"))


# ------------------------------------------------------------------------- asking
def test_it_is_asked_for_and_the_card_says_so(
    sale: Transaction, support_client: Client
) -> None:
    told = form(amount="5", note="twice")
    page = support_client.post(url(sale), told, follow=True)
    refund = Refund.objects.get()
    assert (refund.amount, refund.reason, refund.note) == (500, "duplicate", "twice")
    assert "Refund asked for" in text(page)


@pytest.mark.parametrize("typed", ["EUR 1,0.5", "x", "", "-5", "0x10", "1e3", "١"])
def test_what_is_no_amount_is_told(
    sale: Transaction, support_client: Client, typed: str
) -> None:
    answer = support_client.post(url(sale), form(amount=typed))
    assert answer.status_code == 422
    assert "Write an amount, like 12.50." in text(answer)
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("12.5", 1250),
        ("12,50", 1250),
        ("EUR 12.50", 1250),
        (" 7 ", 700),
        ("12,5", 1250),
    ],
)
def test_an_amount_is_read_as_people_write_it(
    sale: Transaction, support_client: Client, typed: str, minor: int
) -> None:
    support_client.post(url(sale), form(amount=typed))
    assert Refund.objects.get().amount == minor


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"amount": "20"}, "Only 19.99 EUR is left to give back."),
        ({"amount": "0"}, "The amount must be more than nothing."),
        ({"amount": "1.234"}, "EUR has 2 decimals."),
        ({"reason": "because"}, "Choose a reason of the list."),
        ({"note": "x" * 501}, "at most 500 characters"),
        ({"line": "l1"}, "This provider gives back no single lines."),
    ],
)
def test_what_is_wrong_stands_beside_it(
    sale: Transaction, support_client: Client, told: dict[str, str], words: str
) -> None:
    answer = support_client.post(url(sale), form(**told))
    assert answer.status_code == 422
    assert words in text(answer)


def test_the_same_form_twice_is_one_refund(
    sale: Transaction, support_client: Client
) -> None:
    for _time in range(2):
        answer = support_client.post(url(sale), form())
        assert answer.status_code == 302
    assert Refund.objects.count() == 1


def test_a_key_of_another_payment_is_another_request(
    sale: Transaction, project: Project, support_client: Client
) -> None:
    support_client.post(url(sale), form())
    support_client.post(url(make_sale(project, "pi_2")), form())
    assert Refund.objects.values("transaction").distinct().count() == 2


def test_with_htmx_the_browser_is_led_to_the_card(
    sale: Transaction, support_client: Client
) -> None:
    answer = support_client.post(url(sale), form(), headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == f"/transactions/{sale.pk}/"


# -------------------------------------------------------------------- above the limit
def test_above_the_limit_the_password_is_asked_for(
    limited: None, sale: Transaction, support_client: Client
) -> None:
    answer = support_client.post(url(sale), form())
    assert answer.url.startswith("/again/?next=")
    assert not Refund.objects.exists()


def test_what_was_typed_is_still_there_afterwards(
    limited: None, sale: Transaction, support_client: Client
) -> None:
    support_client.post(url(sale), form(amount="7.77", note="keep me"))
    page = text(support_client.get(url(sale)))
    assert 'value="7.77"' in page
    assert "keep me" in page
    assert KEY in page


def test_then_it_waits_for_approval(
    limited: None, sale: Transaction, support: Member
) -> None:
    page = fresh(support).post(url(sale), form(), follow=True)
    assert Refund.objects.get().status == "awaiting_approval"
    assert "Waits for approval" in text(page)


def test_up_to_the_limit_no_password_is_asked_for(
    limited: None, sale: Transaction, support_client: Client
) -> None:
    support_client.post(url(sale), form(amount="5"))
    assert Refund.objects.get().status == "requested"


# -------------------------------------------------------------------------- deciding
def test_another_member_approves(waiting: Refund, owner: Member) -> None:
    page = fresh(owner).post(f"/refunds/{waiting.pk}/approve/", follow=True)
    waiting.refresh_from_db()
    assert waiting.status == "approved"
    assert "Approved by" in text(page)


def test_who_approves_has_proved_who_they_are(
    waiting: Refund, owner_client: Client
) -> None:
    answer = owner_client.post(f"/refunds/{waiting.pk}/approve/")
    assert answer.url.startswith("/again/?next=")


def test_who_asked_does_not_approve(limited: None, owner: Member, sale) -> None:  # noqa: ANN001
    refunds.set_limit(owner, sale.project, "owner", "eur", each=0, daily=None)
    refund = refunds.request(owner, sale, amount=100)
    client = fresh(owner)
    assert "Approve refund" not in text(client.get(f"/refunds/{refund.pk}/"))
    answer = client.post(f"/refunds/{refund.pk}/approve/")
    assert answer.status_code == 422
    assert "Somebody else has to approve" in text(answer)


def test_it_is_declined_with_a_reason(waiting: Refund, owner_client: Client) -> None:
    told = {"words": "Out of the time for it"}
    page = owner_client.post(f"/refunds/{waiting.pk}/decline/", told, follow=True)
    waiting.refresh_from_db()
    assert waiting.status == "declined"
    assert "Out of the time for it" in text(page)


def test_without_a_reason_it_is_not(waiting: Refund, owner_client: Client) -> None:
    answer = owner_client.post(f"/refunds/{waiting.pk}/decline/")
    assert answer.status_code == 422
    assert "Say why it is declined." in text(answer)


def test_who_asked_cancels(waiting: Refund, support_client: Client) -> None:
    told = {"next": f"/transactions/{waiting.transaction_id}/"}
    answer = support_client.post(f"/refunds/{waiting.pk}/cancel/", told)
    assert answer.url == told["next"]
    waiting.refresh_from_db()
    assert waiting.status == "canceled"


def test_a_foreign_address_is_not_followed(
    waiting: Refund, support_client: Client
) -> None:
    told = {"next": "https://example.net/"}
    answer = support_client.post(f"/refunds/{waiting.pk}/cancel/", told)
    assert answer.url == f"/refunds/{waiting.pk}/"


def test_what_was_made_elsewhere_is_not_canceled_here(
    sale: Transaction, owner_client: Client
) -> None:
    refund = make_refund(sale, status="requires_action")
    answer = owner_client.post(f"/refunds/{refund.pk}/cancel/")
    assert answer.status_code == 422
    assert "It was made in Stripe" in text(answer)


def test_a_lost_one_is_given_up_with_words(waiting: Refund, owner: Member) -> None:
    answer = client_of(owner).post(f"/refunds/{waiting.pk}/give-up/", {"words": "x"})
    assert answer.status_code == 422


@pytest.mark.parametrize("act", ["approve", "decline", "give-up"])
def test_support_decides_nothing(
    waiting: Refund, support_client: Client, act: str
) -> None:
    assert support_client.post(f"/refunds/{waiting.pk}/{act}/").status_code == 403


def test_the_card_shows_every_step(waiting: Refund, owner: Member) -> None:
    refunds.approve(owner, waiting.pk, note="fine by me")
    page = text(client_of(owner).get(f"/transactions/{waiting.transaction_id}/"))
    steps = page.split("refund-steps")[1]
    assert "Refund requested, waits for approval" in steps
    assert "Refund approved · fine by me" in steps


# --------------------------------------------------------------------------- the list
def states(page: Any) -> int:
    return text(page).count('class="wide by"')


@pytest.fixture
def many(project: Project) -> list[Refund]:
    found = []
    every = ["awaiting_approval", "unknown", "succeeded", "failed", "declined"]
    for number, status in enumerate(every):
        sale = make_transaction(
            project=project,
            customer_name="",
            customer_email=f"mira{number}@example.com",
            status="paid",
        )
        found.append(make_refund(sale, status=status, provider_id=f"re_x{number}"))
    return found


@pytest.mark.parametrize(
    ("state", "number"),
    [
        ("to_approve", 0),
        ("under_way", 1),
        ("succeeded", 2),
        ("failed", 3),
        ("stopped", 4),
    ],
)
def test_a_tab_shows_its_own(
    many: list[Refund], viewer_client: Client, state: str, number: int
) -> None:
    page = viewer_client.get(f"/refunds/?livemode=true&state={state}")
    assert f"mira{number}@example.com" in text(page)
    assert states(page) == 2  # its head and one row


@pytest.mark.parametrize(
    "find",
    [
        lambda refund: refund.transaction.customer_email,
        lambda refund: refund.provider_id,
        lambda refund: str(refund.pk),
        lambda refund: str(refund.transaction_id),
    ],
)
def test_it_finds_what_somebody_quotes(
    many: list[Refund], viewer_client: Client, find: Callable[[Refund], str]
) -> None:
    query = {"q": find(many[2]), "livemode": "true"}
    page = viewer_client.get("/refunds/", query)
    assert "mira2@example.com" in text(page)
    assert states(page) == 2


def test_an_unknown_one_says_what_goes_on(
    many: list[Refund], viewer_client: Client
) -> None:
    page = text(viewer_client.get("/refunds/?state=under_way&livemode=true"))
    assert "It is never sent twice" in page


def test_a_wrong_filter_is_told(viewer_client: Client) -> None:
    assert viewer_client.get("/refunds/?state=gone").status_code == 422


def test_the_oldest_waits_first(
    project: Project, limited: None, support: Member, owner_client: Client
) -> None:
    for name in ("pi_1", "pi_2"):
        refunds.request(support, make_sale(project, name), amount=600)
    page = text(owner_client.get("/refunds/?state=to_approve&livemode=true"))
    rows = [str(pk) for pk in Refund.objects.order_by("created").values_list("pk")]
    found = re.findall(r"/refunds/([0-9a-f-]{36})/", page)
    assert [f"(UUID('{id}'),)" for id in found] == rows


def test_pages_are_walked(project: Project, viewer_client: Client) -> None:
    for number in range(30):
        make_refund(make_transaction(project=project), provider_id=f"re_{number}a")
    page = viewer_client.get("/refunds/?livemode=true")
    assert states(page) == 26
    older = re.search(r'href="(/refunds/\?[^"]*after=[^"]*)"', text(page))
    assert older
    assert states(viewer_client.get(older[1].replace("&amp;", "&"))) == 6


def test_the_number_of_queries_does_not_grow(
    project: Project, viewer_client: Client, django_assert_max_num_queries
) -> None:  # noqa: ANN001
    def add(most: int) -> None:
        for _number in range(most):
            make_refund(make_transaction(project=project))

    add(1)
    viewer_client.get("/refunds/?livemode=true")
    with django_assert_max_num_queries(60) as few:
        viewer_client.get("/refunds/?livemode=true")
    counted = len(few)
    add(20)
    with django_assert_max_num_queries(counted):
        viewer_client.get("/refunds/?livemode=true")


def test_home_speaks_of_what_waits(waiting: Refund, owner_client: Client) -> None:
    page = text(owner_client.get("/?livemode=true"))
    assert "refund waits for approval" in page
    assert "state=to_approve" in page


def test_a_stranger_sees_nothing(waiting: Refund, stranger_client: Client) -> None:
    assert stranger_client.get(f"/refunds/{waiting.pk}/").status_code == 404
    assert stranger_client.get(url(waiting.transaction)).status_code == 404
    assert states(stranger_client.get("/refunds/")) == 0


def test_a_member_of_another_project_sees_none_of_this_one(
    waiting: Refund, project: Project
) -> None:
    other = make_project(merchant=project.merchant)
    member = make_member("owner", merchant=project.merchant)
    member.projects.add(other)
    client = client_of(member)
    assert client.get(f"/refunds/{waiting.pk}/").status_code == 404
    assert states(client.get("/refunds/?livemode=true")) == 0


# ------------------------------------------------------------------------- the limits
def limit(**over: str) -> dict[str, str]:
    return {"role": "support", "currency": "EUR", "each": "50", "daily": ""} | over


def test_a_limit_is_set_and_audited(project: Project, owner_client: Client) -> None:
    owner_client.post(f"/refunds/limits/{project.pk}/", limit())
    found = RefundLimit.objects.get()
    assert (found.role, found.currency, found.each, found.daily) == (
        "support",
        "eur",
        5000,
        None,
    )
    assert AuditEntry.objects.filter(verb="refund.limit_set").count() == 1


def test_a_limit_is_taken_away(project: Project, owner_client: Client) -> None:
    address = f"/refunds/limits/{project.pk}/"
    owner_client.post(address, limit())
    owner_client.post(address, {"role": "support", "currency": "eur", "remove": "1"})
    assert not RefundLimit.objects.exists()


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"role": "viewer"}, "Choose who is limited."),
        ({"currency": "zzz"}, "Write a currency code, like EUR."),
        ({"each": "lots"}, "Write an amount, like 12.50."),
        ({"each": ""}, "Write at least one of the two amounts."),
    ],
)
def test_a_wrong_limit_is_told(
    project: Project, owner_client: Client, told: dict[str, str], words: str
) -> None:
    answer = owner_client.post(f"/refunds/limits/{project.pk}/", limit(**told))
    assert answer.status_code == 422
    assert words in text(answer)
    assert not RefundLimit.objects.exists()


def test_support_sets_no_limits(project: Project, support_client: Client) -> None:
    assert support_client.get("/refunds/limits/").status_code == 403


def test_another_merchants_project_is_not_there(
    project: Project, stranger_client: Client
) -> None:
    answer = stranger_client.post(f"/refunds/limits/{project.pk}/", limit())
    assert answer.status_code == 404
