"""Taking an unverified amount by hand: who may, what comes of it, when it is void."""

from __future__ import annotations

import pytest
from django.test import Client

from merchant.access import ROLES
from merchant.models import AuditEntry, Connection, Member, Project
from tests.conftest import client_of
from tests.factories import make_connection, make_member, make_project
from tests.transactions.api_client import key_client
from tests.transactions.staff import acts_of, enter, item, payment, refund
from transactions import acceptance, fulfilment, ledger, refold
from transactions.models import Transaction

pytestmark = pytest.mark.django_db

NOTE = "Seen in the provider's dashboard"


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection("paysecure", project=project)


@pytest.fixture
def sale(connection: Connection) -> Transaction:
    """Paid, says a provider that does not sign the amount."""
    return enter(connection, unsure())


def unsure(number: int = 1, **over: object):  # noqa: ANN201
    return payment(number, items=[item("a")], verified=False, **over)  # type: ignore[arg-type]


@pytest.fixture
def finance(project: Project) -> Member:
    return make_member("finance", merchant=project.merchant)


def fresh(row: Transaction) -> Transaction:
    return Transaction.objects.get(pk=row.pk)


def form(row: Transaction, **over: str) -> dict[str, str]:
    amount, currency, refunded = acceptance.figures_of(row)
    given = {"amount": amount, "currency": currency, "refunded": refunded}
    return given | {"note": NOTE} | over


def path(row: Transaction) -> str:
    return f"/transactions/{row.pk}/acceptance/"


# ----------------------------------------------------------------------------- the verb
def test_accepted_it_waits_and_says_who(sale: Transaction, finance: Member) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    row = fresh(sale)
    assert (row.fulfilment, row.accepted_by) == ("waiting", finance.user)
    assert row.accepted is not None


def test_what_the_provider_said_stays(
    sale: Transaction, finance: Member, project: Project
) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    told = key_client(project).get(f"/v1/transactions/{sale.pk}").json()
    assert told["verified"] is False
    assert told["fulfilment"] == {"status": "waiting"}


def test_it_is_audited_with_what_it_was_about(
    sale: Transaction, finance: Member
) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    entry = AuditEntry.objects.get(verb="transaction.amount_accepted")
    assert (entry.merchant, entry.actor) == (sale.merchant, finance.user)
    assert (entry.subject_type, entry.subject_id) == ("transaction", str(sale.pk))
    assert entry.detail == {"amount": 1999, "currency": "eur", "note": NOTE}


def test_a_note_is_required(sale: Transaction, finance: Member) -> None:
    with pytest.raises(acceptance.NotNow, match="how you know"):
        acceptance.accept(finance, sale.pk, "  ")
    assert acts_of(sale) == []


def test_figures_that_were_not_seen_are_not_accepted(
    sale: Transaction, connection: Connection, finance: Member
) -> None:
    seen = acceptance.figures_of(sale)
    ledger.record(connection, [unsure(amount=1, weight=5)], source="webhook")
    with pytest.raises(acceptance.NotNow, match="changed since you looked"):
        acceptance.accept(finance, sale.pk, NOTE, seen=seen)


@pytest.mark.parametrize(
    "later",
    [
        unsure(amount=1, weight=5),
        unsure(money=[1999, "usd"], weight=5),
        refund(1, 500),
    ],
    ids=["another amount", "another currency", "a refund"],
)
def test_other_figures_make_it_void(
    sale: Transaction, connection: Connection, finance: Member, later: object
) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    ledger.record(connection, [later], source="webhook")  # type: ignore[list-item]
    row = fresh(sale)
    assert (row.accepted, row.accepted_by, row.fulfilment) == (None, None, "not_needed")


def test_the_same_figures_again_leave_it(
    sale: Transaction, connection: Connection, finance: Member
) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    ledger.record(connection, [unsure(weight=5)], source="webhook")
    assert fresh(sale).accepted is not None


def test_once_the_provider_confirms_nobodys_word_is_needed(
    sale: Transaction, connection: Connection, finance: Member
) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    sure = payment(items=[item("a")], verified=True, weight=5)
    ledger.record(connection, [sure], source="look_up")
    row = fresh(sale)
    assert (row.verified, row.accepted, row.fulfilment) == (True, None, "waiting")


def test_taken_back_it_waits_no_longer(sale: Transaction, finance: Member) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    acceptance.withdraw(finance, sale.pk, "A mistake")
    assert (fresh(sale).accepted, fresh(sale).fulfilment) == (None, "not_needed")
    entry = AuditEntry.objects.get(verb="transaction.acceptance_withdrawn")
    assert entry.detail["note"] == "A mistake"


def test_what_was_handed_over_meanwhile_stays_so(
    sale: Transaction, finance: Member, support: Member
) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    fulfilment.mark_done(support.user, [sale.pk])
    acceptance.withdraw(finance, sale.pk)
    assert fresh(sale).fulfilment == "done"


def test_pressed_twice_is_once(sale: Transaction, finance: Member) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    acceptance.accept(finance, sale.pk, NOTE)
    assert acts_of(sale) == ["accepted"]
    assert AuditEntry.objects.filter(verb="transaction.amount_accepted").count() == 1


def test_a_second_person_is_told(
    sale: Transaction, finance: Member, owner: Member
) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    with pytest.raises(acceptance.NotNow, match="accepted already"):
        acceptance.accept(owner, sale.pk, NOTE)


def test_a_confirmed_amount_needs_no_acceptance(
    connection: Connection, finance: Member
) -> None:
    row = enter(connection, payment(items=[item("a")]))
    with pytest.raises(acceptance.NotNow, match="has confirmed"):
        acceptance.accept(finance, row.pk, NOTE)


def test_what_is_not_paid_is_not_accepted(
    connection: Connection, finance: Member
) -> None:
    row = enter(connection, unsure(status="pending"))
    with pytest.raises(acceptance.NotNow, match="The payment is pending"):
        acceptance.accept(finance, row.pk, NOTE)


def test_nothing_accepted_cannot_be_taken_back(
    sale: Transaction, finance: Member
) -> None:
    with pytest.raises(acceptance.NotNow, match="Nobody"):
        acceptance.withdraw(finance, sale.pk)


def test_folding_again_changes_nothing(sale: Transaction, finance: Member) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    assert refold.refold(sale.project)["changed"] == 0


# ----------------------------------------------------------------------------- the page
@pytest.mark.parametrize("role", ROLES)
def test_only_some_roles_may(sale: Transaction, role: str) -> None:
    client = client_of(make_member(role, merchant=sale.merchant))
    may = role in {"owner", "admin", "finance"}
    assert client.post(path(sale), form(sale)).status_code == (302 if may else 403)
    assert (fresh(sale).accepted is not None) == may


@pytest.mark.parametrize("role", ROLES)
def test_the_form_is_there_for_who_may(sale: Transaction, role: str) -> None:
    client = client_of(make_member(role, merchant=sale.merchant))
    page = client.get(f"/transactions/{sale.pk}/").content.decode()
    assert (path(sale) in page) == (role in {"owner", "admin", "finance"})


def test_the_card_says_who_accepted_and_why(
    sale: Transaction, finance: Member, viewer_client: Client
) -> None:
    finance.user.name = "Fiona <b>"
    finance.user.save()
    acceptance.accept(finance, sale.pk, NOTE)
    page = viewer_client.get(f"/transactions/{sale.pk}/").content.decode()
    assert "Accepted by Fiona &lt;b&gt;" in page
    assert NOTE.replace("'", "&#x27;") in page


def test_no_note_shows_the_card_with_the_sentence(
    sale: Transaction, finance: Member
) -> None:
    answer = client_of(finance).post(path(sale), form(sale, note=""))
    assert answer.status_code == 409
    assert "how you know" in answer.content.decode()


def test_a_form_without_figures_accepts_nothing(
    sale: Transaction, finance: Member
) -> None:
    answer = client_of(finance).post(path(sale), {"note": NOTE, "amount": "x"})
    assert answer.status_code == 409
    assert fresh(sale).accepted is None


def test_it_is_taken_back_by_the_form(sale: Transaction, finance: Member) -> None:
    acceptance.accept(finance, sale.pk, NOTE)
    client_of(finance).post(path(sale), {"act": "withdraw", "note": "no"})
    assert fresh(sale).accepted is None


def test_a_stranger_and_another_project_find_nothing(
    sale: Transaction, stranger_client: Client
) -> None:
    elsewhere = make_project(merchant=sale.merchant)
    other = make_member("finance", merchant=sale.merchant, projects=[elsewhere])
    for client in (stranger_client, client_of(other)):
        assert client.post(path(sale), form(sale)).status_code == 404
    assert fresh(sale).accepted is None
