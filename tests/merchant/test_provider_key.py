"""Entering the API key of a connection: who may, what is kept, what is never shown."""

from __future__ import annotations

import pytest
from django.test import Client

from merchant import connections
from merchant.models import AuditEntry, Connection, Member, Project
from tests.conftest import client_of, fresh_client_of
from tests.factories import make_connection, make_member

pytestmark = pytest.mark.django_db
KEY = "sk_test_made_up_for_this_test"


@pytest.fixture
def connection(project: Project) -> Connection:
    return make_connection(project=project)


def path(connection: Connection) -> str:
    return f"/connections/{connection.pk}/key/"


def test_a_developer_enters_a_key(connection: Connection, developer: Member) -> None:
    response = fresh_client_of(developer).post(
        path(connection), {"key": KEY, "next": "/transactions/?q=1"}
    )
    assert response["Location"] == "/transactions/?q=1"
    connection.refresh_from_db()
    assert connections.keys_of(connection).api_key == KEY
    assert AuditEntry.objects.filter(verb="connection.api_key_set").count() == 1


def test_the_key_is_shown_nowhere(connection: Connection, developer: Member) -> None:
    client = fresh_client_of(developer)
    client.post(path(connection), {"key": KEY})
    assert KEY.encode() not in client.get(path(connection)).content
    assert KEY not in str(AuditEntry.objects.values_list("detail", flat=True))


@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_other_roles_read_who_may(connection: Connection, role: str) -> None:
    member = make_member(role, merchant=connection.project.merchant)
    response = client_of(member).post(path(connection), {"key": KEY})
    assert response.status_code == 403
    assert b"owner, admin, developer" in response.content
    connection.refresh_from_db()
    assert not connection.has_api_key


def test_a_stranger_finds_nothing(
    connection: Connection, stranger_client: Client
) -> None:
    assert stranger_client.post(path(connection), {"key": KEY}).status_code == 404


def test_an_empty_key_is_asked_for_again(connection: Connection, owner: Member) -> None:
    answer = fresh_client_of(owner).post(path(connection), {"key": " "})
    assert answer.status_code == 422


def test_the_way_back_stays_in_the_house(connection: Connection, owner: Member) -> None:
    answer = fresh_client_of(owner).post(
        path(connection), {"key": KEY, "next": "//evil.example"}
    )
    assert answer["Location"] == "/"


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_password_is_asked_for_before_anything_is_typed(
    connection: Connection, owner_client: Client, method: str
) -> None:
    answer = getattr(owner_client, method)(f"{path(connection)}?next=/x/", {"key": KEY})
    assert answer["Location"].startswith("/again/?next=%2Fconnections%2F")
    connection.refresh_from_db()
    assert not connection.has_api_key


def test_a_key_is_taken_away(project: Project, owner: Member) -> None:
    connection = make_connection(project=project, api_key=KEY)
    answer = fresh_client_of(owner).post(path(connection), {"remove": "1"})
    assert answer.status_code == 302
    connection.refresh_from_db()
    assert not connection.has_api_key
    assert AuditEntry.objects.filter(verb="connection.api_key_removed").exists()


def test_the_token_of_a_person_is_kept_where_the_provider_wants_one(
    project: Project, owner: Member
) -> None:
    connection = make_connection("paysuper", project=project)
    client = fresh_client_of(owner)
    client.post(f"/connections/{connection.pk}/token/", {"key": "a-persons-token"})
    connection.refresh_from_db()
    assert connections.keys_of(connection).user_token == "a-persons-token"
    assert AuditEntry.objects.filter(verb="connection.user_token_set").exists()
    stripe = make_connection(project=project)
    assert client.get(f"/connections/{stripe.pk}/token/").status_code == 404
