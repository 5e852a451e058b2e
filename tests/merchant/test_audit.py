"""Who did what stays written down."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client, RequestFactory

from merchant import audit
from merchant.models import AuditEntry, Member, Project
from tests.factories import PASSWORD, make_member, make_user

pytestmark = pytest.mark.django_db


def test_a_note_tells_who_did_what_to_what(owner: Member, project: Project) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.7")
    audit.note(owner, "project.renamed", project, detail={"to": "X"}, request=request)
    entry = AuditEntry.objects.get(verb="project.renamed")
    assert entry.merchant == owner.merchant
    assert entry.actor_label == owner.user.email
    assert (entry.subject_type, entry.subject_id) == ("project", str(project.id))
    assert entry.detail == {"to": "X"}
    assert entry.address == "192.0.2.7"


def test_an_entry_is_not_changed_through_the_model(owner: Member) -> None:
    entry = audit.note(owner, "did")
    entry.verb = "did not"
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


def test_the_database_itself_refuses_a_change(owner: Member) -> None:
    entry = audit.note(owner, "did")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(verb="did not")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(detail={"a": 1}, actor=None)


@pytest.mark.postgres
def test_the_database_itself_refuses_to_forget(owner: Member) -> None:
    entry = audit.note(owner, "did")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).delete()


def test_a_deleted_user_leaves_the_entry_and_the_name() -> None:
    user = make_user()
    entry = audit.note(user, "did")
    user.delete()
    entry.refresh_from_db()
    assert entry.actor is None
    assert entry.actor_label == user.email


def test_a_hostile_name_is_kept_as_text() -> None:
    entry = audit.note("a\x00b" + "x" * 300, "did")
    assert entry.actor_label.startswith("a\ufffdb")
    assert len(entry.actor_label) == 160


def sign_in(email: str, password: str) -> None:
    Client().post("/login/", {"login": email, "password": password})


def test_signing_in_and_out_is_noted_for_each_merchant(owner: Member) -> None:
    make_member("viewer", user=owner.user)
    client = Client()
    client.post("/login/", {"login": owner.user.email, "password": PASSWORD})
    client.post("/logout/")
    for verb in ("signed_in", "signed_out"):
        entries = AuditEntry.objects.filter(verb=verb, actor=owner.user)
        assert entries.count() == 2
        assert entries.filter(merchant=owner.merchant).count() == 1


def test_a_failed_sign_in_is_noted_without_the_password(owner: Member) -> None:
    sign_in(owner.user.email, "not my password")
    entry = AuditEntry.objects.get(verb="sign_in_failed")
    assert entry.merchant == owner.merchant
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM merchant_auditentry")
        assert "not my password" not in str(cursor.fetchall())


def test_a_guess_at_nobody_stands_in_no_merchant_s_log(owner: Member) -> None:
    sign_in("nobody@example.com", "whatever it was")
    entry = AuditEntry.objects.get(verb="sign_in_failed")
    assert entry.merchant is None
    assert entry.actor_label == "nobody@example.com"
