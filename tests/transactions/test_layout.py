"""Choosing the columns and the height of rows: the form, with and without script."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import make_member
from transactions import columns, layouts
from transactions.models import ListLayout, SavedView
from transactions.views.layout import ordered

pytestmark = pytest.mark.django_db
LAYOUT = "/transactions/layout/"


def post(client: Client, *keys: str, **more: Any):  # noqa: ANN201
    return client.post(LAYOUT, {"column": keys, "density": "roomy"} | more)


def kept(member: Member) -> tuple[list[str], str]:
    layout = ListLayout.objects.get(member=member)
    return layout.columns, layout.density


# --------------------------------------------------------------------------- keeping
def test_chosen_columns_are_kept_with_the_customer_first(
    owner: Member, owner_client: Client
) -> None:
    post(owner_client, "net", "status")
    assert kept(owner) == (["customer", "net", "status"], "roomy")


def test_rows_can_be_compact(owner: Member, owner_client: Client) -> None:
    post(owner_client, "net", density="compact")
    assert kept(owner)[1] == "compact"


def test_no_other_column_is_a_choice_as_well(
    owner: Member, owner_client: Client
) -> None:
    post(owner_client)
    assert kept(owner)[0] == ["customer"]


def test_our_own_choice_is_not_written_down(
    owner: Member, owner_client: Client
) -> None:
    post(owner_client, *columns.DEFAULT)
    assert kept(owner)[0] == []


def test_reset_brings_ours_back_and_leaves_the_default_view(
    owner: Member, owner_client: Client
) -> None:
    view = SavedView.objects.create(merchant=owner.merchant, member=owner, name="Mine")
    layouts.make_default(owner, view)
    post(owner_client, "net", density="compact")
    owner_client.post(LAYOUT, {"reset": "1", "column": ["net"], "density": "compact"})
    assert kept(owner) == ([], "roomy")
    assert ListLayout.objects.get(member=owner).view == view


@pytest.mark.parametrize(
    "role", ["owner", "admin", "finance", "support", "developer", "viewer"]
)
def test_every_role_has_its_own_list(project: Project, role: str) -> None:
    member = make_member(role, merchant=project.merchant)
    assert post(client_of(member), "net").status_code == 302
    assert kept(member)[0] == ["customer", "net"]


# ----------------------------------------------------------------------------- order
def typed(*rows: tuple[str, str]) -> QueryDict:
    """The form as it stood on the page, all ticked, with the places typed."""
    query = QueryDict(mutable=True)
    for key, place in rows:
        query.appendlist("column", key)
        query[f"place-{key}"] = place
    return query


def test_as_it_stood_is_as_it_stays() -> None:
    form = typed(("status", "1"), ("net", "2"), ("fee", "3"))
    assert ordered(form) == ["status", "net", "fee"]


def test_a_number_typed_moves_a_column_up() -> None:
    form = typed(("status", "1"), ("net", "2"), ("fee", "1"))
    assert ordered(form) == ["fee", "status", "net"]


def test_a_number_typed_moves_a_column_down() -> None:
    form = typed(("status", "2"), ("net", "2"), ("fee", "3"))
    assert ordered(form) == ["net", "status", "fee"]


def test_a_place_left_empty_is_the_last() -> None:
    form = typed(("status", ""), ("net", "2"), ("fee", "3"))
    assert ordered(form) == ["net", "fee", "status"]


@pytest.mark.parametrize("place", ["first", "-1", "1.5", "9" * 30, "²"])
def test_a_place_that_is_no_number_is_said(owner_client: Client, place: str) -> None:
    answer = post(owner_client, "net", **{"place-net": place})
    assert answer.status_code == 422
    assert "The place of “Net” is a whole number" in answer.content.decode()


def test_a_form_that_was_refused_stands_as_it_was_sent(owner_client: Client) -> None:
    answer = post(owner_client, "net", **{"place-fee": "x", "place-net": "y"})
    page = answer.content.decode()
    assert page.index('value="fee"') < page.index('value="net" checked')
    assert 'name="place-net" value="y"' in page


# ------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"column": ["x" * 500], "density": "roomy"}, "There is no column called"),
        ({"column": ["net"], "density": "huge"}, "either roomy or compact"),
        ({}, "either roomy or compact"),
    ],
)
def test_what_is_none_is_said_and_nothing_kept(
    owner: Member, owner_client: Client, form: dict[str, Any], words: str
) -> None:
    answer = owner_client.post(LAYOUT, form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ListLayout.objects.filter(member=owner).exists()


# -------------------------------------------------------------------------- way back
def test_the_form_leads_back_to_the_list_as_it_was_filtered(
    owner_client: Client,
) -> None:
    answer = post(owner_client, "net", next="/transactions/?status=paid")
    assert answer["Location"] == "/transactions/?status=paid"


def test_over_the_list_it_leads_back_to_what_stands_in_the_address_bar(
    owner_client: Client,
) -> None:
    answer = owner_client.post(
        LAYOUT,
        {"column": ["net"], "density": "roomy", "next": "/transactions/"},
        headers={
            "HX-Request": "true",
            "HX-Current-URL": "http://testserver/transactions/?q=mira&after=x",
        },
    )
    assert answer["HX-Redirect"] == "/transactions/?q=mira&after=x"


@pytest.mark.parametrize("evil", ["https://evil.example", "//evil.example/x", "x:y"])
def test_it_leads_nowhere_else(owner_client: Client, evil: str) -> None:
    assert post(owner_client, "net", next=evil)["Location"] == "/transactions/"


def test_inside_the_dialog_only_the_form_comes_back(owner_client: Client) -> None:
    answer = owner_client.post(
        LAYOUT, {"column": ["nothing"]}, headers={"HX-Request": "true"}
    )
    assert answer.content.strip().startswith(b"<form")
    assert answer.status_code == 422


def test_the_page_shows_what_is_chosen_in_order(
    owner: Member, owner_client: Client
) -> None:
    layouts.keep(owner, ["net", "status"], "compact")
    page = owner_client.get(LAYOUT).content.decode()
    assert page.index('value="net" checked') < page.index('value="status" checked')
    assert page.index('value="status" checked') < page.index('value="product"')
    assert 'value="compact" checked' in page
