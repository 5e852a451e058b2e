"""A chargeback flags the customer; a member with a note clears the flag."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client

from merchant.models import AuditEntry, Member, Project
from merchant.providers.base import Fact, say
from tests.conftest import client_of
from tests.factories import make_connection, make_member
from transactions import flags, ledger
from transactions.models import Customer, Dispute, TimelineEntry, Transaction

pytestmark = pytest.mark.django_db
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
HTMX = {"hx-request": "true"}


@pytest.fixture
def connection(project: Project):  # noqa: ANN201
    return make_connection("stripe", project=project)


@pytest.fixture
def buy(connection):  # noqa: ANN001, ANN201
    """buy(id, lost=...): a purchase of Ada's, as the provider told of it."""

    def buy(id: str, *, lost: bool = False) -> Transaction:
        named = {"references": (("payment_intent", id),), "at": WHEN}
        facts = [
            Fact(
                topic="payment", object_kind="payment_intent", object_id=id,
                status="paid", **named,
                says=say(
                    money=[1999, "eur"], created=WHEN.isoformat(),
                    paid=WHEN.isoformat(), customer_key="ada@example.com",
                    customer_email="ada@example.com",
                ),
            )
        ]  # fmt: skip
        if lost:
            facts.append(dispute(id, "lost", 4))
        ledger.record(connection, facts, source="webhook")
        return Transaction.objects.get(provider_id=id)

    return buy


def dispute(id: str, status: str, rank: int, name: str = "dp") -> Fact:
    return Fact(
        topic="dispute", object_kind="dispute", object_id=f"{name}_{id}",
        status=status, rank=rank, order=rank, at=WHEN + timedelta(days=9),
        references=(("payment_intent", id),),
        says=say(money=[1999, "eur"], reason="fraudulent", created=WHEN.isoformat()),
    )  # fmt: skip


def ada() -> Customer:
    return Customer.objects.get()


def page_of(client: Client, sale: Transaction) -> str:
    return client.get(f"/transactions/{sale.pk}/").content.decode()


# ------------------------------------------------------------------------- flagged
def test_a_lost_dispute_flags_the_customer(buy) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    assert ada().flagged


def test_every_card_of_the_customer_says_which_purchase_it_was(
    buy,  # noqa: ANN001
    viewer_client: Client,
) -> None:
    lost, other = buy("pi_1", lost=True), buy("pi_2")
    page = page_of(viewer_client, other)
    assert "This customer charged back before" in page
    assert f'href="/transactions/{lost.pk}/"' in page
    assert "fraudulent" in page


def test_the_card_itself_is_called_this_purchase(buy, viewer_client: Client) -> None:  # noqa: ANN001
    assert "This purchase" in page_of(viewer_client, buy("pi_1", lost=True))


def test_the_mark_stands_on_a_row_of_the_customer(buy) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    row = Transaction.objects.select_related("customer").get()
    mark = render_to_string("transactions/_flag.html", {"transaction": row})
    assert "Charged back before" in mark


def test_no_mark_stands_on_others(buy) -> None:  # noqa: ANN001
    buy("pi_1")
    row = Transaction.objects.select_related("customer").get()
    assert not render_to_string("transactions/_flag.html", {"transaction": row}).strip()


# ------------------------------------------------------------------------- cleared
def test_clearing_takes_the_flag_away(buy, support: Member) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    assert flags.clear(support, ada(), "A mistake of the bank") == 1
    assert not ada().flagged


def test_it_takes_all_chargebacks_at_once(buy, support: Member) -> None:  # noqa: ANN001
    for id in ("pi_1", "pi_2"):
        buy(id, lost=True)
    assert flags.clear(support, ada(), "Both were one") == 2
    assert not flags.reasons(ada()).exists()


def test_it_stands_in_the_timeline_with_name_and_note(
    buy,  # noqa: ANN001
    support: Member,
    support_client: Client,
) -> None:
    sale = buy("pi_1", lost=True)
    flags.clear(support, ada(), "A mistake of the bank")
    entry = TimelineEntry.objects.get(source="staff")
    assert (entry.actor, entry.object_kind) == (support.user, "dispute")
    page = page_of(support_client, sale)
    assert "Flag cleared · A mistake of the bank" in page
    assert str(support.user) in page


def test_it_is_audited(buy, support: Member) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    flags.clear(support, ada(), "A mistake")
    entry = AuditEntry.objects.get(verb="customer.flag_cleared")
    assert entry.actor == support.user
    assert entry.detail == {"note": "A mistake", "disputes": 1}


def test_it_outlives_a_fold(buy, support: Member) -> None:  # noqa: ANN001
    sale = buy("pi_1", lost=True)
    flags.clear(support, ada(), "A mistake")
    ledger.refold([sale.pk])
    assert not ada().flagged


def test_another_chargeback_flags_again(buy, connection, support: Member) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    flags.clear(support, ada(), "A mistake")
    ledger.record(connection, [dispute("pi_1", "lost", 4, "dq")], source="webhook")
    assert ada().flagged


def test_a_won_dispute_is_left_alone(buy, connection, support: Member) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    ledger.record(connection, [dispute("pi_1", "won", 4, "dq")], source="webhook")
    flags.clear(support, ada(), "A mistake")
    assert Dispute.objects.get(status="won").cleared is None


@pytest.mark.parametrize("note", ["", "   "])
def test_without_a_note_nothing_is_cleared(buy, support: Member, note: str) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    with pytest.raises(flags.NotPossible, match="in a few words"):
        flags.clear(support, ada(), note)
    assert ada().flagged


def test_what_is_cleared_already_says_so(buy, support: Member) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    flags.clear(support, ada(), "once")
    with pytest.raises(flags.NotPossible, match="waits to be cleared"):
        flags.clear(support, ada(), "twice")
    assert TimelineEntry.objects.filter(source="staff").count() == 1


# ------------------------------------------------------------------------- the form
def clear(client: Client, note: str, **more: object):  # noqa: ANN201
    where = {"note": note, "next": "/transactions/"}
    return client.post(f"/customers/{ada().pk}/flag/", where, **more)


@pytest.mark.parametrize("role", ["owner", "admin", "finance", "support"])
def test_these_roles_clear_it(buy, role: str) -> None:  # noqa: ANN001
    sale = buy("pi_1", lost=True)
    client = client_of(make_member(role, merchant=sale.merchant))
    assert "Clear the flag" in page_of(client, sale)
    assert clear(client, "fine")["Location"] == "/transactions/"
    assert not ada().flagged


@pytest.mark.parametrize("role", ["developer", "viewer"])
def test_others_read_it_only(buy, role: str) -> None:  # noqa: ANN001
    sale = buy("pi_1", lost=True)
    client = client_of(make_member(role, merchant=sale.merchant))
    assert "Clear the flag" not in page_of(client, sale)
    assert clear(client, "fine").status_code == 403
    assert ada().flagged


def test_a_missing_note_comes_back_with_the_form(buy, support_client: Client) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    answer = clear(support_client, "", headers=HTMX)
    assert answer.status_code == 422
    assert answer.content.decode().lstrip().startswith('<form class="flag-form')


def test_without_script_it_comes_back_as_a_page(buy, support_client: Client) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    answer = clear(support_client, " ")
    assert answer.status_code == 422
    assert "<!doctype html>" in answer.content.decode()


def test_a_page_without_anything_to_clear_says_so(buy, support_client: Client) -> None:  # noqa: ANN001
    buy("pi_1")
    page = support_client.get(f"/customers/{ada().pk}/flag/").content.decode()
    assert "Nothing to clear" in page


def test_a_stranger_clears_nothing(buy, stranger_client: Client) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    assert clear(stranger_client, "mine").status_code == 404
    assert ada().flagged


def test_the_way_back_leads_nowhere_else(buy, support_client: Client) -> None:  # noqa: ANN001
    buy("pi_1", lost=True)
    where = {"note": "x", "next": "https://evil.example/"}
    answer = support_client.post(f"/customers/{ada().pk}/flag/", where)
    assert answer["Location"] == "/"
