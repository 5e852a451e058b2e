"""Who has just proved who they are is not asked again, for ten minutes."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from merchant import fresh_login
from merchant.models import Member
from tests.conftest import client_of
from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def request_of(member: Member | None, client: Client, **headers: str) -> Any:
    request = RequestFactory().get("/x/", headers=headers)
    request.user = member.user if member else AnonymousUser()
    request.session = SessionStore(client.session.session_key)
    return request


def signed_in(member: Member) -> Client:
    client = Client()
    client.post("/login/", {"login": member.user.email, "password": PASSWORD})
    return client


def test_who_just_signed_in_is_fresh(owner: Member) -> None:
    assert fresh_login.is_fresh(request_of(owner, signed_in(owner)))


def test_after_ten_minutes_nobody_is(owner: Member, monkeypatch) -> None:
    client = signed_in(owner)
    now = time.time()
    monkeypatch.setattr("merchant.fresh_login.time.time", lambda: now + 601)
    assert not fresh_login.is_fresh(request_of(owner, client))


def test_a_session_alone_proves_nothing(owner: Member) -> None:
    assert not fresh_login.is_fresh(request_of(owner, client_of(owner)))
    assert not fresh_login.is_fresh(request_of(None, Client()))


def test_another_persons_proof_does_not_count(owner: Member, viewer: Member) -> None:
    assert not fresh_login.is_fresh(request_of(viewer, signed_in(owner)))


def test_the_password_makes_fresh_and_leads_back(owner: Member) -> None:
    client = client_of(owner)
    asked = fresh_login.ask(request_of(owner, client), "/transactions/?q=1")
    assert asked.status_code == 302
    page = client.get(asked["Location"])
    assert b"Enter your password once more" in page.content
    wrong = client.post(asked["Location"], {"password": "not it"})
    assert b"This is not your current password" in wrong.content
    assert not fresh_login.is_fresh(request_of(owner, client))
    done = client.post("/again/", {"password": PASSWORD, "next": "/transactions/?q=1"})
    assert done["Location"] == "/transactions/?q=1"
    assert fresh_login.is_fresh(request_of(owner, client))


def test_it_leads_to_no_other_host(owner: Member) -> None:
    answer = client_of(owner).post(
        "/again/", {"password": PASSWORD, "next": "https://evil.example/"}
    )
    assert answer["Location"] == "/"


def test_htmx_is_sent_there_as_a_whole(owner: Member) -> None:
    request = request_of(owner, client_of(owner), **{"HX-Request": "true"})
    answer = fresh_login.ask(request, "/transactions/")
    assert answer["HX-Redirect"].startswith("/again/?next=")
