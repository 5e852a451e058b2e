"""Small choices: theme, shortcuts."""

from __future__ import annotations

import pytest
from django.test import Client

from merchant.models import Member
from tests.conftest import client_of

pytestmark = pytest.mark.django_db


def test_a_theme_is_kept_in_the_profile(owner: Member) -> None:
    client = client_of(owner)
    client.post("/theme/", {"theme": "dark", "next": "/transactions/"})
    owner.user.refresh_from_db()
    assert owner.user.theme == "dark"
    assert b'data-theme="dark"' in client.get("/transactions/").content


def test_a_theme_is_remembered_before_the_login(owner: Member) -> None:
    client = Client()
    client.post("/theme/", {"theme": "dark"})
    assert b'data-theme="dark"' in client.get("/login/").content


def test_a_theme_that_is_none_changes_nothing(owner: Member) -> None:
    client = client_of(owner)
    client.post("/theme/", {"theme": '"><script>'})
    owner.user.refresh_from_db()
    assert owner.user.theme == "auto"


def test_a_made_up_cookie_gets_into_no_page() -> None:
    client = Client()
    client.cookies["theme"] = '"><script>'
    assert b'data-theme="auto"' in client.get("/login/").content


def test_shortcuts_can_be_turned_off(owner_client: Client) -> None:
    owner_client.post("/shortcuts/", {})
    assert b'data-shortcuts="off"' in owner_client.get("/transactions/").content
    owner_client.post("/shortcuts/", {"shortcuts": "on"})
    assert b'data-shortcuts="on"' in owner_client.get("/transactions/").content


@pytest.mark.parametrize("path", ["/theme/", "/shortcuts/", "/merchant/"])
def test_a_choice_wants_a_post_with_a_token(path: str, owner: Member) -> None:
    assert client_of(owner).get(path).status_code == 405
    careful = Client(enforce_csrf_checks=True)
    assert careful.post(path, {"theme": "dark"}).status_code == 403


def test_a_choice_leads_to_no_other_house(owner_client: Client) -> None:
    answer = owner_client.post("/theme/", {"theme": "dark", "next": "//evil.example"})
    assert answer["Location"] == "/"
