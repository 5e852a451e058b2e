"""The pages of exports: the dialog, one that is made, the history, schedules."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict
from django.test import Client

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import make_member, make_project, make_transaction
from transactions import exporting, saved_views
from transactions.exporting import Wish
from transactions.filters import TransactionFilter
from transactions.models import Export, ExportPreset, ExportSchedule

pytestmark = pytest.mark.django_db(transaction=True)
FORM = {"listing": "transactions", "format": "csv", "columns": "screen"}


@pytest.fixture
def finance(project: Project) -> Member:
    make_transaction(project=project)
    return make_member("finance", merchant=project.merchant)


@pytest.fixture
def client(finance: Member) -> Client:
    return client_of(finance)


def page(client: Client, path: str, status: int = 200, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code == status
    return answer.content.decode()


def button(text: str) -> str:
    """Where a list's button leads."""
    found = re.search(r'id="export" href="([^"]+)"', text)
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.parametrize(
    ("path", "listing"),
    [
        ("/transactions/?status=paid", "transactions"),
        ("/refunds/?provider=stripe", "refunds"),
        ("/customers/?country=de", "customers"),
    ],
)
def test_a_list_exports_what_it_shows(client: Client, path: str, listing: str) -> None:
    for headers in ({}, {"hx-request": "true"}):
        to = button(page(client, path, **headers))
        asked = parse_qs(urlsplit(to).query)
        assert asked["listing"] == [listing]
        assert asked["query"][0].startswith(path.partition("?")[2])
        assert "livemode=true" in asked["query"][0]
    assert "Export" in page(client, to)


def test_a_viewer_sees_no_button(project: Project) -> None:
    client = client_of(make_member("viewer", merchant=project.merchant))
    assert 'id="export"' not in page(client, "/transactions/")
    assert ">Exports<" not in page(client, "/transactions/")


def test_the_dialog_says_how_much_it_will_be(client: Client) -> None:
    text = page(client, "/exports/new/?listing=transactions&query=status%3Dpaid")
    assert "Status: Paid" in text
    assert "1 match" in text
    assert "ready at once" in text
    assert re.search(r"about [\d.]+ (bytes|KB)", text)


def test_without_script_it_leads_to_its_own_page(client: Client) -> None:
    answer = client.post("/exports/new/", FORM, follow=True)
    export = Export.objects.get()
    assert answer.redirect_chain[-1][0] == f"/exports/{export.pk}/"
    text = answer.content.decode()
    assert "1 row is ready" in text
    assert export.sha256 in text


def test_in_the_dialog_it_is_there_in_its_place(client: Client) -> None:
    answer = client.post("/exports/new/", FORM, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "1 row is ready" in answer.content.decode()
    assert "<html" not in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"query": "status=odd"}, "status must be one of"),
        ({"zone": "Mars"}, "The time zone must be one such as"),
        (
            {"listing": "refunds", "since": "2026-01-01", "zone": "Mars"},
            "The time zone",
        ),
        ({"listing": "refunds", "since": "soon"}, "Give days such as"),
    ],
)
def test_what_is_wrong_is_said_in_the_form(
    client: Client, typed: dict[str, str], words: str
) -> None:
    answer = client.post("/exports/new/", FORM | typed)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Export.objects.exists()


def test_own_columns_in_their_order_can_be_kept(
    client: Client, finance: Member
) -> None:
    form: dict[str, Any] = FORM | {
        "columns": "own",
        "column": ["id", "amount"],
        "place-amount": "1",
        "place-id": "2",
        "preset": "For the bank",
    }
    client.post("/exports/new/", form)
    assert Export.objects.get().columns == ["amount", "id"]
    preset = ExportPreset.objects.get()
    assert (preset.name, preset.columns) == ("For the bank", ["amount", "id"])
    assert "For the bank" in page(client, "/exports/new/")
    client.post("/exports/new/", FORM | {"columns": str(preset.pk)})
    assert Export.objects.order_by("-id")[0].columns == ["amount", "id"]
    client.post(f"/exports/columns/{preset.pk}/delete/")
    assert not ExportPreset.objects.exists()


def test_who_begins_to_choose_begins_with_what_was_chosen(client: Client) -> None:
    form = FORM | {"columns": "own", "before": "paysuper", "look": "1"}
    text = client.post("/exports/new/", form).content.decode()
    assert 'value="paysuper.transaction_id" checked' in text
    assert not Export.objects.exists()


def test_lists_without_a_page_are_asked_for_days(client: Client) -> None:
    form = FORM | {"listing": "payouts", "since": "2026-03-01", "until": "2026-03-31"}
    client.post("/exports/new/", form)
    export = Export.objects.get()
    assert "2026-04-01" in export.query
    assert export.until is not None


def test_a_download_is_an_attachment(client: Client) -> None:
    client.post("/exports/new/", FORM)
    export = Export.objects.get()
    answer = client.get(f"/exports/{export.pk}/file/")
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer["Content-Length"] == str(export.size)
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    receipt = client.get(f"/exports/{export.pk}/receipt/").json()
    assert receipt["sha256"] == export.sha256


def test_progress_is_true_and_asks_for_itself(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.exporting.asking.AT_ONCE", 0)
    client.post("/exports/new/", FORM)
    export = Export.objects.get()
    Export.objects.update(state="running", rows_done=2_500, rows_total=10_000)
    text = page(client, f"/exports/{export.pk}/", **{"hx-request": "true"})
    assert "2,500 of 10,000 rows" in text
    assert 'max="10000" value="2500"' in text
    assert "load delay:1s" in text
    assert "2,500" in page(client, "/exports/")
    row = page(client, f"/exports/{export.pk}/?row=1", **{"hx-request": "true"})
    assert row.count("<tr") == 1
    answer = client.post(f"/exports/{export.pk}/cancel/", follow=True)
    assert "It was canceled" in answer.content.decode()


def test_a_note_on_the_next_page_says_that_it_is_ready(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transactions.exporting.asking.AT_ONCE", 0)
    client.post("/exports/new/", FORM)
    assert "Your export is ready" not in page(client, "/customers/")
    exporting.run_due()
    assert "Your export is ready" in page(client, "/customers/")
    text = page(client, "/customers/")
    assert "Your export is ready" not in text
    assert re.search(r'class="count">1<', text)
    page(client, "/exports/")
    assert 'class="count">1<' not in page(client, "/customers/")


def test_the_history_says_who_what_and_until_when(
    client: Client, finance: Member
) -> None:
    client.post("/exports/new/", FORM | {"query": "status=paid"})
    text = page(client, "/exports/")
    for words in ("Status: Paid", str(finance.user), "Ready", "until"):
        assert words in text


def test_run_again_and_delete(client: Client) -> None:
    client.post("/exports/new/", FORM)
    first = Export.objects.get()
    client.post(f"/exports/{first.pk}/again/")
    assert Export.objects.count() == 2
    client.post(f"/exports/{first.pk}/delete/")
    assert page(client, f"/exports/{first.pk}/", 404)


def test_a_schedule_of_a_saved_view(client: Client, finance: Member) -> None:
    view = saved_views.save(
        finance,
        name="Paid ones",
        asked=TransactionFilter.of_member(finance, QueryDict("status=paid")),
    )
    assert "Paid ones" in page(client, "/exports/schedules/")
    text = page(client, f"/exports/schedules/new/?view={view.pk}")
    assert 'value="Paid ones"' in text
    assert 'name="query" value="status=paid"' in text
    form = FORM | {
        "query": "status=paid", "livemode": "true", "name": "Paid ones",
        "every": "week", "hour": "7", "member": str(finance.pk),
    }  # fmt: skip
    client.post("/exports/schedules/new/", form)
    schedule = ExportSchedule.objects.get()
    assert (schedule.every, schedule.hour, schedule.query) == ("week", 7, "status=paid")
    assert "Every week" in page(client, "/exports/schedules/")
    path = f"/exports/schedules/{schedule.pk}/"
    client.post(path, form | {"every": "day"})
    client.post(f"{path}pause/")
    schedule.refresh_from_db()
    assert (schedule.every, schedule.due) == ("day", None)
    assert "Paused" in page(client, "/exports/schedules/")
    client.post(f"{path}resume/")
    client.post(f"{path}delete/")
    assert not ExportSchedule.objects.exists()


def test_a_schedule_goes_by_the_clocks_of_its_project(
    client: Client, project: Project
) -> None:
    Project.objects.filter(pk=project.pk).update(time_zone="Asia/Tokyo")
    text = page(client, "/exports/schedules/new/?listing=refunds")
    assert '<option value="Asia/Tokyo" selected>' in text
    make_project(merchant=project.merchant)
    text = page(client, "/exports/schedules/new/")
    assert '<option value="UTC" selected>' in text
    asked = f"query=project%3D{project.slug}%26status%3Dpaid"
    text = page(client, f"/exports/schedules/new/?{asked}")
    assert '<option value="Asia/Tokyo" selected>' in text


def test_a_schedule_without_a_reader_is_refused(client: Client) -> None:
    answer = client.post(
        "/exports/schedules/new/", FORM | {"name": "x", "every": "day"}
    )
    assert answer.status_code == 422
    assert "Choose who is told" in answer.content.decode()


def test_a_receipt_of_one_transaction(client: Client, finance: Member) -> None:
    row = make_transaction(project=finance.merchant.projects.get())
    path = f"/transactions/{row.pk}/receipt.pdf"
    assert path in page(client, f"/transactions/{row.pk}/")
    answer = client.get(path)
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer.content.startswith(b"%PDF")


def test_a_file_that_is_over_is_said_so(client: Client, finance: Member) -> None:
    export = exporting.start(finance, Wish(livemode=True))
    Export.objects.update(expires="2026-01-01T00:00Z")
    text = page(client, f"/exports/{export.pk}/")
    assert "files are kept for seven days" in text
    assert page(client, f"/exports/{export.pk}/file/", 410)
