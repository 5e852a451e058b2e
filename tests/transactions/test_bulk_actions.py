"""Acting on many: what is counted is what is touched, whatever happens meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from merchant.models import AuditEntry, Member, Project
from tests.conftest import client_of
from tests.factories import make_member, make_project
from tests.transactions.sales import enter, sale, sell, tell
from transactions import bulk_actions, fulfilment, ledger
from transactions.bulk_actions import NotPossible, Shown, running
from transactions.filters import TransactionFilter
from transactions.models import BulkAction, BulkItem, TimelineEntry, Transaction
from transactions.paging import Counted

pytestmark = pytest.mark.django_db
FULFIL, UNDO = "fulfil", "undo"


def ids(rows: Iterable[Transaction]) -> set[UUID]:
    return {row.pk for row in rows}


def shown(member: Member, query: str = "", *, livemode: bool = True) -> Shown:
    """The list as the member sees it now."""
    at = timezone.now()
    asked = TransactionFilter.of_member(member, QueryDict(query), livemode=livemode)
    return Shown.of(asked, Counted(asked.rows.count(), more=False), at)


def done_ids(bulk: BulkAction) -> set[UUID]:
    done = bulk.items.filter(state="done")
    return set(done.values_list("transaction_id", flat=True))


def reasons(bulk: BulkAction) -> dict[UUID, str]:
    skipped = bulk.items.filter(state="skipped")
    return dict(skipped.values_list("transaction_id", "reason"))


def handed_over() -> set[UUID]:
    return set(
        TimelineEntry.objects.filter(status="done").values_list(
            "transaction_id", flat=True
        )
    )


def run(member: Member, bulk: BulkAction, **words: str) -> BulkAction:
    """Confirmed and worked off."""
    assert bulk_actions.start(member, bulk, **words)
    bulk_actions.run_due()
    bulk.refresh_from_db()
    return bulk


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small numbers count as large: batches of three, none done in the request."""
    monkeypatch.setattr(running, "BATCH", {"postgresql": 3, "sqlite": 3})
    monkeypatch.setattr(running, "AT_ONCE", 0)


# ------------------------------------------------------------------ what is counted
def test_the_count_before_is_what_is_touched(support: Member, project: Project) -> None:
    paid, failed = sell(project, 7), sell(project, 3, status="failed")
    bulk = bulk_actions.draft_all(support, FULFIL, shown(support))
    assert (bulk.wanted, bulk.found, bulk.ready) == (10, 10, 7)
    assert handed_over() == set()
    run(support, bulk)
    assert handed_over() == done_ids(bulk) == ids(paid)
    assert reasons(bulk) == dict.fromkeys(ids(failed), "The payment is failed.")
    assert (bulk.state, bulk.done, bulk.missed) == ("done", 7, 0)


def test_all_matching_is_the_filter_and_not_the_page(
    support: Member, project: Project
) -> None:
    wanted = sell(project, 60, status="paid", metadata={"sale": "spring"})
    sell(project, 5)
    bulk = bulk_actions.draft_all(support, FULFIL, shown(support, "q=spring"))
    assert bulk.ready == 60
    run(support, bulk)
    assert handed_over() == ids(wanted)


def test_only_the_ticked_ones_are_touched(support: Member, project: Project) -> None:
    rows = sell(project, 5)
    bulk = run(support, bulk_actions.draft(support, FULFIL, ids(rows[:2])))
    assert handed_over() == done_ids(bulk) == ids(rows[:2])


def test_the_forecast_adds_up_per_currency(support: Member, project: Project) -> None:
    enter(project, [sale(), sale(), sale(money=[500, "jpy"]), sale(status="failed")])
    bulk = bulk_actions.draft_all(support, FULFIL, shown(support))
    assert bulk.forecast == [
        {"reason": "", "currency": "eur", "count": 2, "amount": 3998},
        {"reason": "", "currency": "jpy", "count": 1, "amount": 500},
        {"reason": "The payment is failed.", "currency": "eur", "count": 1,
         "amount": 1999},
    ]  # fmt: skip


def test_who_may_not_be_handed_over_is_left_with_the_reason(
    support: Member, owner: Member, project: Project
) -> None:
    [unverified] = sell(project, verified=False)
    [pending] = sell(project, status="pending")
    [done, taken_back, claimed, mine] = sell(project, 4)
    fulfilment.mark_done(owner.user, [done.pk, taken_back.pk])
    fulfilment.revoke(owner.user, [taken_back.pk])
    fulfilment.claim(owner.user, [claimed.pk])
    fulfilment.claim(support.user, [mine.pk])
    bulk = bulk_actions.draft_all(support, FULFIL, shown(support))
    assert reasons(bulk) == {
        unverified.pk: "The amount is not confirmed.",
        pending.pk: "The payment is pending.",
        done.pk: "It is handed over already.",
        taken_back.pk: "It was taken back from the customer.",
        claimed.pk: "Somebody else is on it.",
    }
    assert done_ids(run(support, bulk)) == {mine.pk}


def test_what_the_draft_foretells_is_what_the_act_decides(
    support: Member, project: Project
) -> None:
    """For rows in every state there is."""
    for status in ("created", "pending", "authorized", "paid", "failed", "canceled"):
        for verified in (True, False):
            sell(project, status=status, verified=verified)
    for row in sell(project, 2):
        fulfilment.mark_done(support.user, [row.pk])
    fulfilment.revoke(support.user, [row.pk])
    every = list(Transaction.objects.values_list("pk", flat=True))
    for act, verb in ((FULFIL, fulfilment.mark_done), (UNDO, fulfilment.undo)):
        foretold = reasons(bulk_actions.draft_all(support, act, shown(support)))
        before = verb(support.user, every)
        assert foretold == before


def test_note_and_reference_stand_in_every_timeline(
    support: Member, project: Project
) -> None:
    rows = sell(project, 3)
    bulk = bulk_actions.draft(support, FULFIL, ids(rows))
    run(support, bulk, note="By mail", reference="SHIP-7")
    entries = TimelineEntry.objects.filter(status="done")
    assert {(e.says["note"][1], e.says["reference"][1]) for e in entries} == {
        ("By mail", "SHIP-7")
    }
    assert {e.actor for e in entries} == {support.user}


# ---------------------------------------------------------- what happens in between
def test_rows_that_came_since_are_left_out(support: Member, project: Project) -> None:
    seen = sell(project, 4)
    as_seen = shown(support)
    sell(project, 3)
    bulk = bulk_actions.draft_all(support, FULFIL, as_seen)
    assert (bulk.wanted, bulk.found) == (4, 4)
    assert handed_over() == set()
    run(support, bulk)
    assert handed_over() == ids(seen)


def test_rows_that_changed_since_are_left_out_and_told(
    support: Member, project: Project
) -> None:
    rows = sell(project, 5)
    as_seen = shown(support)
    tell(rows[0], "paid", money=[9999, "eur"])
    tell(rows[1], "failed")
    bulk = bulk_actions.draft_all(support, FULFIL, as_seen)
    assert (bulk.wanted, bulk.found) == (5, 3)
    page = client_of(support).get(f"/bulk/{bulk.pk}/").content.decode()
    assert "2 of the 5 changed since you looked and were left out." in squeezed(page)
    run(support, bulk)
    assert handed_over() == ids(rows[2:])


def test_they_are_told_too_where_the_page_stopped_counting(
    support: Member, project: Project
) -> None:
    rows = sell(project, 5)
    as_seen = shown(support)
    as_seen = Shown(as_seen.query, True, as_seen.at, Counted(2, more=True))
    tell(rows[0], "paid", money=[9999, "eur"])
    sell(project, 2)
    bulk = bulk_actions.draft_all(support, FULFIL, as_seen)
    assert (bulk.wanted, bulk.found) == (5, 4)


def test_a_list_that_told_less_than_matches_is_not_acted_on(
    support: Member, project: Project
) -> None:
    sell(project, 5)
    as_seen = shown(support)
    told_less = Shown(as_seen.query, True, as_seen.at, Counted(4, more=False))
    with pytest.raises(NotPossible, match="changed while it was shown"):
        bulk_actions.draft_all(support, FULFIL, told_less)
    assert not BulkAction.objects.exists()


def test_a_row_that_stops_matching_is_reported_and_not_changed(
    support: Member, project: Project, many: None
) -> None:
    rows = sell(project, 8, customer_country="SI")
    bulk = bulk_actions.draft_all(support, FULFIL, shown(support, "country=si"))
    bulk_actions.start(support, bulk)
    tell(rows[0], "paid", customer_country="AT")
    assert tell(rows[1], "paid", refunded_total=1999).status == "refunded"
    bulk_actions.run_due()
    bulk.refresh_from_db()
    assert handed_over() == done_ids(bulk) == ids(rows[2:])
    assert reasons(bulk) == {
        rows[0].pk: "It does not match the filter any more.",
        rows[1].pk: "The payment is refunded.",
    }
    assert (bulk.done, bulk.missed) == (6, 2)


def test_a_search_is_asked_again_for_every_batch(
    support: Member, project: Project, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a search found is kept in its filter: a stale one would see old rows."""
    rows = sell(project, 6, order_reference="SPRING")
    bulk = bulk_actions.draft_all(support, FULFIL, shown(support, "q=SPRING"))
    bulk_actions.start(support, bulk)
    last = Transaction.objects.get(pk=bulk.items.order_by("-id")[0].transaction_id)
    real = running._note

    def note(*given):  # noqa: ANN002, ANN202
        monkeypatch.setattr(running, "_note", real)
        tell(last, "paid", order_reference="AUTUMN")
        return real(*given)

    monkeypatch.setattr(running, "_note", note)
    bulk_actions.run_due()
    assert handed_over() == ids(rows) - {last.pk}


def test_a_ready_row_that_another_handed_over_is_reported(
    support: Member, owner: Member, project: Project, many: None
) -> None:
    rows = sell(project, 4)
    bulk = bulk_actions.draft(support, FULFIL, ids(rows))
    fulfilment.mark_done(owner.user, [rows[0].pk])
    run(support, bulk)
    assert reasons(bulk) == {rows[0].pk: "It is handed over already."}
    assert TimelineEntry.objects.filter(status="done").count() == 4


def test_what_could_not_be_done_when_counted_is_not_done_later(
    support: Member, project: Project
) -> None:
    """The member confirmed a number; it does not grow."""
    [waits] = sell(project)
    [pending] = sell(project, status="pending")
    bulk = bulk_actions.draft(support, FULFIL, {waits.pk, pending.pk})
    assert tell(pending, "paid", paid="2026-11-20T13:00:00+00:00").status == "paid"
    run(support, bulk)
    assert handed_over() == {waits.pk}


def test_a_row_that_was_joined_to_another_is_touched_once(
    support: Member, project: Project, many: None
) -> None:
    rows = sell(project, 4)
    bulk = bulk_actions.draft(support, FULFIL, ids(rows))
    bulk_actions.start(support, bulk)
    first, second = (row.references.get().reference for row in rows[:2])
    fact = sale()
    fact = type(fact)(
        topic="link", object_kind="link", object_id="l", status="linked",
        references=(("payment_intent", first), ("payment_intent", second)),
    )  # fmt: skip
    ledger.record(rows[0].connection, [fact], source="webhook")
    assert Transaction.objects.count() == 3
    bulk_actions.run_due()
    bulk.refresh_from_db()
    assert (bulk.state, bulk.done, bulk.found) == ("done", 3, 4)
    assert TimelineEntry.objects.filter(status="done").count() == 3
    page = client_of(support).get(f"/bulk/{bulk.pk}/").content.decode()
    assert "1 turned out to be the same purchase as another one." in squeezed(page)


def test_test_and_live_are_never_acted_on_together(
    support: Member, project: Project
) -> None:
    live, test = sell(project, 2), sell(project, 2, livemode=False)
    bulk = bulk_actions.draft_all(support, FULFIL, shown(support, livemode=False))
    assert set(bulk.items.values_list("transaction_id", flat=True)) == ids(test)
    assert bulk.livemode is False
    with pytest.raises(NotPossible, match="never acted on together"):
        bulk_actions.draft(support, FULFIL, ids([*live, *test]))


# ---------------------------------------------------------------------------- limits
def test_nothing_ticked_is_said(support: Member) -> None:
    with pytest.raises(NotPossible, match="at least one"):
        bulk_actions.draft(support, FULFIL, set())


def test_too_many_are_told_to_be_narrowed(
    support: Member, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_actions.drafting, "MOST", 4)
    sell(project, 5)
    as_seen = shown(support)
    for counted in (Counted(5, more=False), Counted(3, more=True)):
        too_many = Shown("", True, as_seen.at, counted)
        with pytest.raises(NotPossible, match="Narrow the filter"):
            bulk_actions.draft_all(support, FULFIL, too_many)
    with pytest.raises(NotPossible, match="can be ticked"):
        bulk_actions.draft(support, FULFIL, {uuid4() for _ in range(1001)})
    assert not BulkItem.objects.exists()


def test_a_draft_costs_the_same_number_of_statements_for_many_rows(
    support: Member, project: Project, django_assert_max_num_queries
) -> None:
    sell(project, 40)
    with django_assert_max_num_queries(15):
        bulk_actions.draft_all(support, FULFIL, shown(support))


def test_drafts_that_nobody_confirmed_go(support: Member, project: Project) -> None:
    rows = sell(project, 3)
    old = bulk_actions.draft(support, FULFIL, ids(rows))
    new = bulk_actions.draft(support, FULFIL, ids(rows))
    yesterday = timezone.now() - timedelta(days=1, minutes=1)
    BulkAction.objects.filter(pk=old.pk).update(created=yesterday)
    assert bulk_actions.tidy() == 1
    assert list(BulkAction.objects.all()) == [new]
    assert BulkItem.objects.count() == 3


# ------------------------------------------------------------------------- the worker
def test_a_large_one_waits_for_the_worker(
    support: Member, project: Project, many: None
) -> None:
    rows = sell(project, 7)
    bulk = bulk_actions.draft(support, FULFIL, ids(rows))
    bulk_actions.start(support, bulk)
    bulk.refresh_from_db()
    assert (bulk.state, handed_over()) == ("pending", set())
    assert bulk_actions.run_due() == 7
    assert handed_over() == ids(rows)
    assert bulk_actions.run_due() == 0


def test_a_small_one_is_done_at_once(support: Member, project: Project) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 3)))
    bulk_actions.start(support, bulk)
    bulk.refresh_from_db()
    assert (bulk.state, bulk.done) == ("done", 3)


def test_it_is_started_once(support: Member, project: Project) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 3)))
    assert bulk_actions.start(support, bulk)
    assert not bulk_actions.start(support, bulk)
    notes = AuditEntry.objects.filter(verb="bulk.started")
    assert [(n.subject_id, n.detail["count"]) for n in notes] == [(str(bulk.pk), 3)]


def test_an_action_under_a_lease_is_left_to_who_has_it(
    support: Member, project: Project, many: None
) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 3)))
    bulk_actions.start(support, bulk)
    assert running._claim(running._due())
    assert bulk_actions.run_due() == 0
    lapsed = timezone.now() - timedelta(seconds=1)
    BulkAction.objects.update(leased_until=lapsed)
    assert bulk_actions.run_due() == 3


def test_a_late_workers_lease_writes_nothing(
    support: Member, project: Project, many: None
) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 3)))
    bulk_actions.start(support, bulk)
    claimed = running._claim(running._due())
    assert claimed is not None
    BulkAction.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    assert running._claim(running._due()) is not None
    assert running._batch(*claimed) is None
    assert handed_over() == set()


def test_one_that_cannot_be_done_sinks_alone(
    support: Member, project: Project, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = sell(project, 7)
    real = fulfilment.mark_done

    def mark_done(by, wanted, **more):  # noqa: ANN001, ANN003, ANN202
        if rows[3].pk in wanted:
            raise ValueError("a bug")
        return real(by, wanted, **more)

    monkeypatch.setattr(fulfilment, "mark_done", mark_done)
    bulk = run(support, bulk_actions.draft(support, FULFIL, ids(rows)))
    assert done_ids(bulk) == ids(rows) - {rows[3].pk}
    assert "ValueError" in reasons(bulk)[rows[3].pk]
    assert (bulk.done, bulk.missed) == (6, 1)


def test_a_round_ends_after_a_while_and_the_next_goes_on(
    support: Member, project: Project, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SECONDS_A_ROUND", 0.000_001)
    rows = sell(project, 7)
    bulk = bulk_actions.draft(support, FULFIL, ids(rows))
    bulk_actions.start(support, bulk)
    rounds = []
    monkeypatch.setattr(running.time, "monotonic", clock())
    while handled := bulk_actions.run_due():
        rounds.append(handled)
    assert rounds == [3, 3, 1]
    assert handed_over() == ids(rows)


def clock():  # noqa: ANN201
    """A clock that lets a round claim one action and do one batch of it."""
    ticks = iter(range(10_000))
    return lambda: next(ticks) // 2 * 1.0


# --------------------------------------------------------------------------- canceled
def test_cancel_stops_after_the_batch(
    support: Member, project: Project, many: None
) -> None:
    rows = sell(project, 7)
    bulk = bulk_actions.draft(support, FULFIL, ids(rows))
    bulk_actions.start(support, bulk)
    claimed = running._claim(running._due())
    assert claimed is not None
    assert running._batch(*claimed) == 3
    assert bulk_actions.cancel(bulk)
    assert running._batch(*claimed) is None
    assert bulk_actions.run_due() == 0
    bulk.refresh_from_db()
    assert (bulk.state, bulk.done, len(handed_over())) == ("canceled", 3, 3)
    page = client_of(support).get(f"/bulk/{bulk.pk}/").content.decode()
    assert "It was stopped before 4 more." in squeezed(page)
    assert not bulk_actions.cancel(bulk)


def test_a_canceled_draft_is_gone(support: Member, project: Project) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 2)))
    answer = client_of(support).post(f"/bulk/{bulk.pk}/cancel/")
    assert answer["Location"].startswith("/transactions/")
    assert not BulkAction.objects.exists()


# ---------------------------------------------------------------------------- undoing
def test_undo_all_takes_back_what_this_one_did(
    support: Member, owner: Member, project: Project
) -> None:
    rows = sell(project, 5)
    fulfilment.mark_done(owner.user, [rows[0].pk])
    first = run(support, bulk_actions.draft(support, FULFIL, ids(rows)))
    again = bulk_actions.draft_reversal(owner, first)
    assert again.ready == 4
    run(owner, again)
    waiting = Transaction.objects.filter(fulfilment="waiting")
    assert ids(waiting) == ids(rows[1:])
    assert again.reverses == first


def test_undo_all_leaves_what_was_done_since(
    support: Member, owner: Member, project: Project
) -> None:
    rows = sell(project, 3)
    first = run(support, bulk_actions.draft(support, FULFIL, ids(rows)))
    fulfilment.undo(owner.user, [rows[0].pk])
    fulfilment.mark_done(owner.user, [rows[0].pk], note="Sent again")
    again = bulk_actions.draft_reversal(support, first)
    assert reasons(again) == {rows[0].pk: "Something else was done about it since."}
    run(support, again)
    assert ids(Transaction.objects.filter(fulfilment="done")) == {rows[0].pk}


def test_an_undoing_cannot_be_undone_in_one_go(
    support: Member, project: Project
) -> None:
    first = run(support, bulk_actions.draft(support, FULFIL, ids(sell(project, 2))))
    again = run(support, bulk_actions.draft_reversal(support, first))
    with pytest.raises(NotPossible):
        bulk_actions.draft_reversal(support, again)


# ------------------------------------------------------------------ whose, and by whom
def test_a_stranger_reaches_nothing(
    stranger: Member, support: Member, project: Project
) -> None:
    rows = sell(project, 3)
    with pytest.raises(NotPossible, match="None of these"):
        bulk_actions.draft(stranger, FULFIL, ids(rows))
    bulk = run(support, bulk_actions.draft(support, FULFIL, ids(rows)))
    client = client_of(stranger)
    assert client.get(f"/bulk/{bulk.pk}/").status_code == 404
    assert str(bulk.pk) not in client.get("/bulk/").content.decode()
    for verb in ("start", "cancel", "undo"):
        assert client.post(f"/bulk/{bulk.pk}/{verb}/").status_code == 404


@pytest.mark.parametrize("role", ["finance", "developer", "viewer"])
def test_who_may_not_hand_over_one_may_not_hand_over_many(
    role: str, project: Project
) -> None:
    rows = sell(project, 2)
    client = client_of(make_member(role, merchant=project.merchant))
    answer = client.post("/transactions/bulk/", {"act": FULFIL, "id": rows[0].pk})
    assert answer.status_code == 403
    page = client.get("/transactions/").content.decode()
    assert 'value="fulfil"' not in page
    assert not BulkAction.objects.exists()


def test_a_limited_member_acts_in_their_projects_only(
    project: Project, support: Member
) -> None:
    other = make_project(merchant=project.merchant)
    ours, theirs = sell(project, 2), sell(other, 2)
    limited = make_member("support", merchant=project.merchant, projects=[project])
    ticked = bulk_actions.draft(limited, FULFIL, ids([*ours, *theirs]))
    assert (ticked.wanted, ticked.found) == (4, 2)
    run(limited, bulk_actions.draft_all(limited, FULFIL, shown(limited)))
    assert handed_over() == ids(ours)


def test_a_limited_member_sees_their_own_actions_only(
    project: Project, support: Member
) -> None:
    rows = sell(project, 4)
    limited = make_member("support", merchant=project.merchant, projects=[project])
    own = run(limited, bulk_actions.draft(limited, FULFIL, ids(rows[:2])))
    other = run(support, bulk_actions.draft(support, FULFIL, ids(rows[2:])))
    client = client_of(limited)
    assert client.get(f"/bulk/{own.pk}/").status_code == 200
    assert client.get(f"/bulk/{other.pk}/").status_code == 404
    assert client_of(support).get(f"/bulk/{own.pk}/").status_code == 200


def test_a_draft_is_its_authors(
    support: Member, owner: Member, project: Project
) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 2)))
    client = client_of(owner)
    assert client.get(f"/bulk/{bulk.pk}/").status_code == 404
    assert client.post(f"/bulk/{bulk.pk}/start/").status_code == 404
    assert handed_over() == set()


def test_a_role_that_is_lost_stops_the_rest(
    support: Member, project: Project, many: None
) -> None:
    rows = sell(project, 7)
    bulk = bulk_actions.draft(support, FULFIL, ids(rows))
    bulk_actions.start(support, bulk)
    claimed = running._claim(running._due())
    assert claimed is not None
    assert running._batch(*claimed) == 3
    Member.objects.filter(pk=support.pk).update(role="viewer")
    assert running._batch(*claimed) is None
    bulk.refresh_from_db()
    assert (bulk.state, bulk.done, bulk.missed) == ("done", 3, 4)
    assert set(reasons(bulk).values()) == {f"{support.user} may not do this any more."}
    assert len(handed_over()) == 3


@pytest.mark.parametrize("how", ["leaves", "is switched off"])
def test_who_is_gone_does_nothing_more(
    support: Member, project: Project, many: None, how: str
) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 4)))
    bulk_actions.start(support, bulk)
    if how == "leaves":
        support.delete()
    else:
        support.user.is_active = False
        support.user.save()
    bulk_actions.run_due()
    bulk.refresh_from_db()
    assert (bulk.state, bulk.missed, handed_over()) == ("done", 4, set())


def test_a_project_that_is_taken_away_is_left_alone(
    project: Project, many: None
) -> None:
    other = make_project(merchant=project.merchant)
    ours, theirs = sell(project, 2), sell(other, 2)
    limited = make_member(
        "support", merchant=project.merchant, projects=[project, other]
    )
    bulk = bulk_actions.draft(limited, FULFIL, ids([*ours, *theirs]))
    bulk_actions.start(limited, bulk)
    limited.projects.set([project])
    bulk_actions.run_due()
    assert handed_over() == ids(ours)
    assert set(reasons(bulk)) == ids(theirs)


# --------------------------------------------------------------------------- the pages
def squeezed(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def token_of(client: Client, query: str = "") -> str:
    page = client.get(f"/transactions/{query}").content.decode()
    found = re.search(r'name="shown" value="([^"]+)"', page)
    assert found
    return found[1]


def test_from_the_list_to_the_result(support: Member, project: Project) -> None:
    rows = sell(project, 3)
    sell(project, 2, status="failed")
    client = client_of(support)
    form = {"act": FULFIL, "all": "1", "shown": token_of(client)}
    draft = client.post("/transactions/bulk/", form, follow=True)
    told = squeezed(draft.content.decode())
    assert "Mark 3 as handed over" in told
    assert "The payment is failed. 2 EUR 39.98" in told
    path = draft.request["PATH_INFO"]
    answer = client.post(f"{path}start/", {"note": "By mail"}, follow=True)
    assert "3 marked as handed over. 2 were not changed." in squeezed(
        answer.content.decode()
    )
    assert handed_over() == ids(rows)
    assert "Mark as handed over" in client.get("/bulk/").content.decode()


def test_ids_may_come_one_by_one_and_in_one_field(
    support: Member, project: Project
) -> None:
    rows = sell(project, 4)
    texts = [str(rows[0].pk), f"{rows[1].pk},{rows[2].pk}", "nonsense", ""]
    client_of(support).post("/transactions/bulk/", {"act": FULFIL, "id": texts})
    bulk = BulkAction.objects.get()
    assert set(bulk.items.values_list("transaction_id", flat=True)) == ids(rows[:3])


def test_a_forged_or_foreign_or_old_list_is_refused(
    support: Member, owner: Member, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    sell(project, 3)
    client = client_of(support)
    good = token_of(client)
    foreign = token_of(client_of(owner))
    changed = good[:-1] + ("A" if good[-1] != "A" else "B")
    for token in ("", "x", changed, foreign):
        form = {"act": FULFIL, "all": "1", "shown": token}
        answer = client.post("/transactions/bulk/", form)
        assert answer.status_code == 422
        assert "Load it again" in answer.content.decode()
    monkeypatch.setattr(bulk_actions.shown, "MOST_AGE", timedelta(seconds=-1))
    form = {"act": FULFIL, "all": "1", "shown": good}
    assert client.post("/transactions/bulk/", form).status_code == 422
    assert not BulkAction.objects.exists()


def test_a_query_beside_the_signed_one_counts_for_nothing(
    support: Member, project: Project
) -> None:
    paid = sell(project, 2)
    sell(project, 3, status="pending")
    client = client_of(support)
    token = token_of(client, "?status=paid")
    form = {"act": FULFIL, "all": "1", "shown": token, "query": "", "count": "99"}
    client.post("/transactions/bulk/", form)
    items = BulkAction.objects.get().items
    assert set(items.values_list("transaction_id", flat=True)) == ids(paid)


@pytest.mark.parametrize("form", [{}, {"act": "burn"}, {"act": FULFIL}])
def test_half_a_form_is_told_what_is_missing(
    support: Member, project: Project, form: dict[str, str]
) -> None:
    answer = client_of(support).post("/transactions/bulk/", form)
    assert answer.status_code == 422
    assert "Choose" in answer.content.decode()


def test_a_note_that_is_too_long_is_said_and_nothing_starts(
    support: Member, project: Project
) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 2)))
    form = {"note": "x" * 501}
    answer = client_of(support).post(f"/bulk/{bulk.pk}/start/", form)
    assert answer.status_code == 422
    assert "at most 500 characters" in answer.content.decode()
    assert handed_over() == set()


def test_the_page_asks_for_itself_until_it_is_done(
    support: Member, project: Project, many: None
) -> None:
    bulk = bulk_actions.draft(support, FULFIL, ids(sell(project, 4)))
    bulk_actions.start(support, bulk)
    client = client_of(support)
    part = client.get(f"/bulk/{bulk.pk}/", HTTP_HX_REQUEST="true").content.decode()
    assert 'hx-trigger="load delay:1s"' in part and "<html" not in part
    bulk_actions.run_due()
    part = client.get(f"/bulk/{bulk.pk}/", HTTP_HX_REQUEST="true").content.decode()
    assert 'role="status"' in part and "hx-trigger" not in part


def test_the_items_are_turned_page_by_page(support: Member, project: Project) -> None:
    rows = sell(project, 30)
    bulk = run(support, bulk_actions.draft(support, FULFIL, ids(rows)))
    client = client_of(support)
    seen: list[str] = []
    query = "?show=done"
    while query:
        page = client.get(f"/bulk/{bulk.pk}/{query}").content.decode()
        seen += re.findall(r'<a href="/transactions/([0-9a-f-]{36})/"><bdi>', page)
        found = re.search(r'href="(\?show=done&amp;after=\d+)" rel="next"', page)
        query = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == len(set(seen)) == 30


def test_the_pages_ask_a_fixed_number_of_questions(
    support: Member, project: Project, django_assert_num_queries
) -> None:
    client = client_of(support)
    paths = []
    for number in (2, 20):
        rows = sell(project, number)
        done = run(support, bulk_actions.draft(support, FULFIL, ids(rows)))
        draft = bulk_actions.draft(support, FULFIL, ids(rows))
        paths += [f"/bulk/{done.pk}/?show=done", f"/bulk/{draft.pk}/", "/bulk/"]
    client.get("/bulk/")  # the session is touched once
    for path in paths:
        with django_assert_num_queries(6 if path == "/bulk/" else 7):
            assert client.get(path).status_code == 200
