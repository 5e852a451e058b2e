"""Notes by staff: who writes them, who changes them, and what they may hold."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import make_member, make_project, make_transaction
from transactions import ledger, notes
from transactions.models import Note, Transaction

pytestmark = pytest.mark.django_db
HTMX = {"hx-request": "true"}


@pytest.fixture
def sale(project: Project) -> Transaction:
    return make_transaction(project=project)


@pytest.fixture
def note(sale: Transaction, support: Member) -> Note:
    return notes.add(support, sale.pk, "She wrote twice")


def add(client: Client, sale: Transaction, text: str, **more: object):  # noqa: ANN201
    return client.post(f"/transactions/{sale.pk}/notes/", {"text": text}, **more)


def edit(client: Client, note: Note, text: str, **more: object):  # noqa: ANN201
    return client.post(f"/notes/{note.pk}/edit/", {"text": text}, **more)


def remove(client: Client, note: Note, **more: object):  # noqa: ANN201
    return client.post(f"/notes/{note.pk}/remove/", **more)


def card(client: Client, sale: Transaction) -> str:
    return client.get(f"/transactions/{sale.pk}/").content.decode()


# ------------------------------------------------------------------------------ add
def test_a_note_stands_on_the_card_with_its_author(
    sale: Transaction, support: Member
) -> None:
    client = client_of(support)
    answer = add(client, sale, "She wrote twice")
    assert answer["Location"] == f"/transactions/{sale.pk}/#notes"
    page = card(client, sale)
    assert "She wrote twice" in page
    assert str(support.user) in page


def test_with_htmx_the_notes_alone_come_back(
    sale: Transaction, support_client: Client
) -> None:
    answer = add(support_client, sale, "She wrote twice", headers=HTMX)
    page = answer.content.decode()
    assert page.lstrip().startswith('<section class="section no-print" id="notes"')
    assert "She wrote twice" in page
    assert "Note added" in page


def test_the_transaction_is_marked_as_noted(sale: Transaction, support: Member) -> None:
    notes.add(support, sale.pk, "x")
    sale.refresh_from_db()
    assert sale.noted


def test_the_mark_outlives_a_fold(sale: Transaction, support: Member) -> None:
    notes.add(support, sale.pk, "x")
    ledger.refold([sale.pk])
    sale.refresh_from_db()
    assert sale.noted


def test_the_newest_note_is_the_last(
    sale: Transaction, support: Member, support_client: Client
) -> None:
    for text in ("the first", "the second"):
        notes.add(support, sale.pk, text)
    page = card(support_client, sale)
    assert page.index("the first") < page.index("the second")


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 5001])
def test_none_and_one_too_long_are_refused(sale: Transaction, text: str) -> None:
    member = make_member("support", merchant=sale.merchant)
    answer = add(client_of(member), sale, text, headers=HTMX)
    assert answer.status_code == 422
    assert not Note.objects.exists()


def test_what_was_too_long_stays_in_the_form(
    sale: Transaction, support_client: Client
) -> None:
    answer = add(support_client, sale, "y" * 5001)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "y" * 5001 in page
    assert "at most 5,000 characters, this one has 5,001" in page


def test_five_thousand_characters_fit_however_lines_end(
    sale: Transaction, support: Member
) -> None:
    text = "ab\r\n" * 1666 + "ab"
    assert len(notes.add(support, sale.pk, text).text) == 5000


def test_what_the_database_cannot_hold_is_replaced(
    sale: Transaction, support: Member
) -> None:
    assert notes.add(support, sale.pk, "a\x00b").text == "a\ufffdb"


def test_hostile_words_are_text_and_lines_stay(
    sale: Transaction, support: Member, support_client: Client
) -> None:
    notes.add(support, sale.pk, "<script>alert(1)</script>\nhttps://example.com/")
    page = card(support_client, sale)
    assert "<script>alert" not in page
    assert "&lt;/script&gt;\nhttps://example.com/" in page
    assert 'href="https://example.com/"' not in page


@pytest.mark.parametrize("role", ["owner", "admin", "finance", "support", "developer"])
def test_these_roles_write(sale: Transaction, role: str) -> None:
    add(client_of(make_member(role, merchant=sale.merchant)), sale, "x")
    assert Note.objects.count() == 1


def test_a_viewer_reads_and_does_not_write(
    sale: Transaction, note: Note, viewer_client: Client
) -> None:
    assert add(viewer_client, sale, "x").status_code == 403
    page = card(viewer_client, sale)
    assert "She wrote twice" in page
    assert "Add note" not in page


def test_without_a_note_one_line_says_so(
    sale: Transaction, viewer_client: Client
) -> None:
    assert "No notes yet" in card(viewer_client, sale)


# ----------------------------------------------------------------------------- edit
def test_the_author_changes_it_and_that_is_said(
    sale: Transaction, note: Note, support_client: Client
) -> None:
    assert edit(support_client, note, "She wrote three times").status_code == 302
    page = card(support_client, sale)
    assert "She wrote three times" in page
    assert "edited" in page


def test_the_same_words_are_no_change(note: Note, support: Member) -> None:
    notes.edit(support, note, note.text)
    note.refresh_from_db()
    assert note.edited is None


def test_the_form_opens_where_the_note_stands(
    note: Note, support_client: Client
) -> None:
    answer = support_client.get(f"/notes/{note.pk}/edit/", headers=HTMX)
    page = answer.content.decode()
    assert page.lstrip().startswith('<section class="section no-print" id="notes"')
    assert "Save note" in page


def test_without_script_the_form_opens_on_the_card(
    note: Note, support_client: Client
) -> None:
    page = support_client.get(f"/notes/{note.pk}/edit/").content.decode()
    assert "Save note" in page
    assert "Timeline" in page


def test_an_empty_edit_keeps_the_note(note: Note, support_client: Client) -> None:
    assert edit(support_client, note, " ").status_code == 422
    note.refresh_from_db()
    assert note.text == "She wrote twice"


def test_nobody_else_changes_it(note: Note, owner: Member) -> None:
    answer = edit(client_of(owner), note, "no", headers=HTMX)
    assert answer.status_code == 422
    assert f"Only {note.author_name} can change" in answer.content.decode()
    note.refresh_from_db()
    assert note.text == "She wrote twice"


def test_others_are_not_offered_to(
    sale: Transaction, note: Note, owner_client: Client
) -> None:
    assert f"/notes/{note.pk}/" not in card(owner_client, sale)


def test_a_note_whose_author_left_stays_with_the_name(
    sale: Transaction, note: Note, support: Member, owner: Member
) -> None:
    name = str(support.user)
    support.user.delete()
    assert name in card(client_of(owner), sale)
    note.refresh_from_db()
    with pytest.raises(notes.NotYours):
        notes.edit(owner, note, "mine now")


# --------------------------------------------------------------------------- remove
def test_the_author_removes_it_and_the_mark_goes(
    sale: Transaction, note: Note, support_client: Client
) -> None:
    remove(support_client, note)
    sale.refresh_from_db()
    assert not Note.objects.exists()
    assert not sale.noted


def test_the_mark_stays_with_the_last_note(
    sale: Transaction, note: Note, support: Member
) -> None:
    notes.add(support, sale.pk, "another")
    notes.remove(support, note)
    sale.refresh_from_db()
    assert sale.noted


def test_nobody_else_removes_it(note: Note, owner_client: Client) -> None:
    assert remove(owner_client, note).status_code == 422
    assert Note.objects.count() == 1


# -------------------------------------------------------------------------- strangers
@pytest.mark.parametrize("act", ["add", "edit", "remove"])
def test_a_stranger_finds_neither_card_nor_note(
    sale: Transaction, note: Note, stranger_client: Client, act: str
) -> None:
    answer = {
        "add": lambda: add(stranger_client, sale, "x"),
        "edit": lambda: edit(stranger_client, note, "x"),
        "remove": lambda: remove(stranger_client, note),
    }[act]()
    assert answer.status_code == 404
    assert Note.objects.get().text == "She wrote twice"


def test_an_author_who_lost_the_project_changes_nothing(
    note: Note, support: Member
) -> None:
    support.projects.set([make_project(merchant=support.merchant)])
    assert edit(client_of(support), note, "x").status_code == 404


def test_a_note_that_is_gone_is_not_found(support_client: Client) -> None:
    assert support_client.get(f"/notes/{uuid4()}/edit/").status_code == 404
