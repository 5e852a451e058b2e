"""Exports that come again: every period once, for who may see it."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from merchant.models import AuditEntry, Member, Project
from tests.factories import make_api_key, make_member, make_project, make_transaction
from transactions import exporting
from transactions.exporting import NotPossible, Wish, schedules
from transactions.exporting.schedules import Plan
from transactions.models import Export, ExportSchedule
from webhooks.models import Delivery, Endpoint, Event

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def finance(project: Project) -> Member:
    Project.objects.filter(pk=project.pk).update(time_zone="Europe/Berlin")
    return make_member("finance", merchant=project.merchant)


def plan(member: Member, **over: Any) -> Plan:
    wish = {"livemode": True, "style": "programs", "zone": "Europe/Berlin"}
    wish |= over.pop("wish", {})
    told = {"name": "Accountant", "every": "month", "members": (member.pk,)}
    return Plan(wish=Wish(**wish), **{**told, **over})


def back(schedule: ExportSchedule, since: datetime) -> ExportSchedule:
    """As if it had waited since then."""
    ExportSchedule.objects.filter(pk=schedule.pk).update(
        since=since, due=since + timedelta(days=1)
    )
    schedule.refresh_from_db()
    return schedule


def read_lines(member: Member, export: Export) -> list[dict[str, str]]:
    opened = exporting.open_file(member, export)
    with opened.file:
        text = opened.file.read().decode()
    return list(csv.DictReader(io.StringIO(text)))


def ids_in(member: Member, export: Export) -> list[str]:
    return [line["id"] for line in read_lines(member, export)]


def test_it_begins_with_the_period_that_runs(finance: Member) -> None:
    schedule = schedules.add(finance, plan(finance))
    assert schedule.due is not None
    assert schedule.since <= timezone.now() < schedule.due
    exporting.run_due()
    assert not Export.objects.exists()


def test_every_payment_is_in_exactly_one_file(
    project: Project, finance: Member
) -> None:
    """Months of Berlin, one of them with a change of clocks."""
    edges = ["2026-02-28T23:00", "2026-03-31T22:00", "2026-04-30T22:00"]
    marks = [datetime.fromisoformat(f"{edge}:00+00:00") for edge in edges]
    second = timedelta(seconds=1)
    rows = {
        str(make_transaction(project=project, created=when).pk): when
        for mark in marks
        for when in (mark - second, mark, mark + second)
    }
    schedule = schedules.add(finance, plan(finance, measure="created"))
    back(schedule, datetime(2026, 1, 31, 23, tzinfo=UTC))
    ExportSchedule.objects.update(due=datetime(2026, 3, 1, tzinfo=UTC))
    for _round in range(4):
        exporting.run_due()
    made = list(Export.objects.order_by("since"))
    assert len(made) >= 4
    for earlier, later in zip(made, made[1:], strict=False):
        assert earlier.until == later.since
    found = [id for export in made for id in ids_in(finance, export)]
    assert sorted(found) == sorted(rows)
    for export in made:
        assert export.since is not None
        assert export.until is not None
        for id in ids_in(finance, export):
            assert export.since <= rows[id] < export.until


def test_the_period_is_told_by_clocks_and_once(finance: Member) -> None:
    wish = {"amounts": "decimal"}
    schedule = back(
        schedules.add(finance, plan(finance, wish=wish)),
        timezone.now() - timedelta(days=33),
    )
    exporting.run_due()
    export = Export.objects.get()
    assert export.amounts == "decimal"
    assert export.described == schedule.described
    assert export.receipt is not None
    assert export.receipt["filters"] == schedule.described
    assert export.receipt["period"]


def test_its_people_get_a_link(finance: Member) -> None:
    colleague = make_member("support", merchant=finance.merchant)
    schedule = schedules.add(finance, plan(finance, members=(finance.pk, colleague.pk)))
    back(schedule, timezone.now() - timedelta(days=33))
    exporting.run_due()
    wanted = {finance.user.email, colleague.user.email}
    assert {sent.to[0] for sent in mail.outbox} == wanted
    assert all("Accountant" in sent.subject for sent in mail.outbox)


def test_who_lost_the_role_gets_none(finance: Member) -> None:
    colleague = make_member("support", merchant=finance.merchant)
    schedule = schedules.add(finance, plan(finance, members=(finance.pk, colleague.pk)))
    Member.objects.filter(pk=colleague.pk).update(role="viewer")
    back(schedule, timezone.now() - timedelta(days=33))
    exporting.run_due()
    assert {sent.to[0] for sent in mail.outbox} == {finance.user.email}


def test_an_endpoint_is_told_and_its_projects_key_fetches_it(
    project: Project, finance: Member
) -> None:
    endpoint = Endpoint.objects.create(project=project, url="https://shop.example/x")
    Endpoint.objects.create(project=project, url="https://other.example/x")
    query = f"project={project.slug}"
    told = plan(finance, members=(), endpoint=endpoint.pk, wish={"query": query})
    back(schedules.add(finance, told), timezone.now() - timedelta(days=33))
    exporting.run_due()
    event = Event.objects.get()
    export = Export.objects.order_by("since").first()
    assert export is not None
    assert (event.name, event.subject) == ("export.ready", export.pk)
    assert event.payload["object"]["url"].endswith(f"/v1/exports/{export.pk}/file")
    assert [d.endpoint_id for d in Delivery.objects.all()] == [endpoint.pk]
    key, _text = make_api_key(project)
    assert export in exporting.of_key(key)
    other, _text = make_api_key(make_project(merchant=project.merchant))
    assert export not in exporting.of_key(other)


def test_an_endpoint_of_another_project_is_refused(
    project: Project, finance: Member
) -> None:
    other = make_project(merchant=project.merchant)
    endpoint = Endpoint.objects.create(project=other, url="https://shop.example/x")
    query = f"project={project.slug}"
    with pytest.raises(NotPossible) as refused:
        told = plan(finance, endpoint=endpoint.pk, wish={"query": query})
        schedules.add(finance, told)
    assert refused.value.field == "endpoint"


def test_paused_it_waits_and_then_leaves_no_gap(finance: Member) -> None:
    schedule = schedules.add(finance, plan(finance))
    schedules.pause(finance, schedule)
    since = back(schedule, timezone.now() - timedelta(days=70)).since
    ExportSchedule.objects.update(due=None)
    exporting.run_due()
    assert not Export.objects.exists()
    schedules.resume(finance, schedule)
    exporting.run_due()
    made = list(Export.objects.order_by("since"))
    assert made[0].since == since
    assert len(made) >= 2


def test_a_changed_one_goes_on_where_it_stood(finance: Member) -> None:
    schedule = schedules.add(finance, plan(finance))
    since = schedule.since
    schedules.change(finance, schedule, plan(finance, every="day", name="Daily"))
    schedule.refresh_from_db()
    assert (schedule.since, schedule.every, schedule.name) == (since, "day", "Daily")


def test_when_its_author_may_not_any_more_it_stops_and_says_so(finance: Member) -> None:
    schedule = back(
        schedules.add(finance, plan(finance)), timezone.now() - timedelta(days=33)
    )
    Member.objects.filter(pk=finance.pk).update(role="viewer")
    exporting.run_due()
    schedule.refresh_from_db()
    assert (schedule.due, Export.objects.count()) == (None, 0)
    assert "may not export" in schedule.error


def stopped(finance: Member, **over: Any) -> ExportSchedule:
    """One that is due and whose author has left the house."""
    schedule = back(
        schedules.add(finance, plan(finance, **over)),
        timezone.now() - timedelta(days=33),
    )
    type(finance.user).objects.filter(pk=finance.user_id).update(is_active=False)
    return schedule


def test_one_that_stops_tells_its_readers_and_who_is_in_charge_once(
    finance: Member, stranger: Member
) -> None:
    merchant = finance.merchant
    reader, owner = (make_member(r, merchant=merchant) for r in ("support", "owner"))
    gone, _other = (make_member(r, merchant=merchant) for r in ("support", "support"))
    schedule = stopped(finance, members=(reader.pk, gone.pk))
    Member.objects.filter(pk=gone.pk).update(role="viewer")
    for _round in range(2):
        exporting.run_due()
    assert sorted(sent.to[0] for sent in mail.outbox) == sorted(
        [reader.user.email, owner.user.email]
    )
    for sent in mail.outbox:
        assert sent.subject == "Scheduled export stopped: Accountant"
        assert "has left" in sent.body
        assert "/exports/schedules/" in sent.body
    entry = AuditEntry.objects.get(verb="export_schedule.stopped")
    assert (entry.merchant, entry.subject_id) == (merchant, str(schedule.pk))
    assert "has left" in entry.detail["error"]


def test_who_is_limited_to_other_projects_does_not_hear_of_it(finance: Member) -> None:
    owner = make_member("owner", merchant=finance.merchant)
    owner.projects.add(make_project(merchant=finance.merchant))
    stopped(finance)
    exporting.run_due()
    assert mail.outbox == []


def test_who_sees_its_files_hears_that_they_end(
    project: Project, finance: Member
) -> None:
    """A reader of one project sees the files of that project, and no schedule."""
    reader = make_member("support", merchant=finance.merchant)
    reader.projects.add(project)
    make_project(merchant=finance.merchant)
    wish = {"query": f"project={project.slug}"}
    schedule = schedules.add(finance, plan(finance, members=(reader.pk,), wish=wish))
    back(schedule, timezone.now() - timedelta(days=33))
    exporting.run_due()
    mail.outbox.clear()
    type(finance.user).objects.filter(pk=finance.user_id).update(is_active=False)
    ExportSchedule.objects.update(due=timezone.now())
    exporting.run_due()
    assert [sent.to for sent in mail.outbox] == [[reader.user.email]]


def test_a_mail_server_that_is_away_is_tried_again(
    finance: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_member("owner", merchant=finance.merchant)
    schedule = stopped(finance)

    def away() -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("transactions.exporting.stopping.get_connection", away)
        exporting.run_due()
    exporting.run_due()
    assert mail.outbox == []
    ExportSchedule.objects.filter(pk=schedule.pk).update(mail_due=timezone.now())
    exporting.run_due()
    assert len(mail.outbox) == 1


def test_a_file_that_cannot_be_made_is_told_to_who_is_in_charge_too(
    finance: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = make_member("support", merchant=finance.merchant)
    schedule = schedules.add(finance, plan(finance, members=(reader.pk,)))
    back(schedule, timezone.now() - timedelta(days=33))
    monkeypatch.setattr("transactions.exporting.running.MOST_TRIES", 0)
    exporting.run_due()
    wanted = {reader.user.email, finance.user.email}
    assert {sent.to[0] for sent in mail.outbox} == wanted
    assert all("Export failed" in sent.subject for sent in mail.outbox)


def test_one_that_tells_nobody_any_more_stops(finance: Member) -> None:
    reader = make_member("support", merchant=finance.merchant)
    schedule = schedules.add(finance, plan(finance, members=(reader.pk,)))
    since = back(schedule, timezone.now() - timedelta(days=33)).since
    reader.delete()
    exporting.run_due()
    schedule.refresh_from_db()
    assert (schedule.due, schedule.since) == (None, since)
    assert [sent.to for sent in mail.outbox] == [[finance.user.email]]
    schedules.change(finance, schedule, plan(finance))
    schedules.resume(finance, schedule)
    exporting.run_due()
    assert Export.objects.exclude(since__gt=since).get().since == since


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"name": " "}, "name"),
        ({"every": "hour"}, "every"),
        ({"hour": 24}, "hour"),
        ({"measure": "updated"}, "measure"),
        ({"members": ()}, "members"),
        ({"wish": {"listing": "customers"}}, "listing"),
        ({"wish": {"query": "status=odd"}}, "status"),
    ],
)
def test_what_cannot_be_is_said_in_words(
    finance: Member, over: dict[str, Any], field: str
) -> None:
    with pytest.raises(NotPossible) as refused:
        schedules.add(finance, plan(finance, **over))
    assert refused.value.field == field


def test_a_stranger_is_no_recipient(finance: Member, stranger: Member) -> None:
    with pytest.raises(NotPossible):
        schedules.add(finance, plan(finance, members=(stranger.pk,)))


def test_days_of_the_filter_are_left_to_the_period(finance: Member) -> None:
    query = "status=paid&created[gte]=2026-01-01&sort=created"
    schedule = schedules.add(finance, plan(finance, wish={"query": query}))
    assert schedule.query == "status=paid"


def test_it_stands_in_the_audit_log(finance: Member) -> None:
    schedule = schedules.add(finance, plan(finance))
    schedules.pause(finance, schedule)
    schedules.resume(finance, schedule)
    schedules.delete(finance, schedule)
    verbs = list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))
    assert verbs == [f"export_schedule.{verb}" for verb in (
        "added", "paused", "resumed", "deleted",
    )]  # fmt: skip
