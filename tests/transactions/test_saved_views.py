"""Saved views: keep, rename, share, delete, make default; and whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from merchant.access import ROLES
from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import make_member, make_project, make_transaction
from transactions import layouts, saved_views, spans
from transactions.filters import TransactionFilter
from transactions.models import ListLayout, SavedView

pytestmark = pytest.mark.django_db
VIEWS, LIST = "/transactions/views/", "/transactions/"
HTMX = {"HX-Request": "true"}


def keep(member: Member, name: str, query: str = "status=paid", **over: Any):  # noqa: ANN201
    asked = TransactionFilter.of_member(member, QueryDict(query))
    return saved_views.save(member, name=name, asked=asked, **over)


def text(answer) -> str:  # noqa: ANN001
    return answer.content.decode()


def tabs(page: str) -> list[str]:
    strip = page[page.index('<ul class="view-tabs">') :]
    strip = strip[: strip.index("</ul>")]
    return re.findall(r"<bdi>([^<]*)</bdi>", strip)


@pytest.fixture
def mate(owner: Member) -> Member:
    """Another member of the same merchant."""
    return make_member("finance", merchant=owner.merchant)


@pytest.fixture
def view(owner: Member) -> SavedView:
    return keep(owner, "Paid ones")


def address(view: SavedView, act: str) -> str:
    return f"{VIEWS}{view.pk}/{act}/"


# ------------------------------------------------------------------------------ save
def test_a_filter_is_kept_under_a_name(owner: Member, owner_client: Client) -> None:
    answer = owner_client.post(VIEWS, {"name": "Failed", "query": "status=failed"})
    view = SavedView.objects.get()
    assert (view.member, view.name, view.query) == (owner, "Failed", "status=failed")
    assert not view.shared
    assert answer["Location"] == f"{LIST}?view={view.pk}&status=failed"


def test_it_is_kept_in_one_spelling_with_its_order(
    owner: Member, project: Project
) -> None:
    query = "q=&sort=amount&currency=EUR&after=x&status=failed,paid&livemode=true&x=1"
    assert keep(owner, "A", query).query == (
        "status=failed&status=paid&currency=EUR&sort=amount"
    )


def test_a_name_is_tidied(owner: Member) -> None:
    assert keep(owner, "  Paid \n by\x00 card ").name == "Paid by card"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Give the view a name."),
        (" \t ", "Give the view a name."),
        ("x" * 61, "A name has at most 60 characters."),
        ("paid ONES", "You have a view of that name already."),
    ],
)
def test_a_name_that_cannot_be_is_said_at_the_field(
    owner_client: Client, view: SavedView, name: str, words: str
) -> None:
    answer = owner_client.post(VIEWS, {"name": name, "query": "status=paid"})
    assert answer.status_code == 422
    assert words in text(answer)
    assert 'aria-invalid="true"' in text(answer)
    assert SavedView.objects.count() == 1


def test_sixty_characters_are_a_name(owner: Member) -> None:
    assert len(keep(owner, "x" * 60).name) == 60


def test_over_the_list_only_the_form_comes_back(owner_client: Client) -> None:
    answer = owner_client.post(VIEWS, {"name": "", "query": ""}, headers=HTMX)
    assert answer.content.strip().startswith(b"<form")


def test_two_members_may_use_one_name(
    owner: Member, mate: Member, view: SavedView
) -> None:
    assert keep(mate, view.name).pk != view.pk


def test_a_filter_that_cannot_be_read_is_not_kept(owner_client: Client) -> None:
    answer = owner_client.post(VIEWS, {"name": "A", "query": "status=nonsense"})
    assert answer.status_code == 422
    assert "cannot be read, so it cannot be kept" in text(answer)


def test_a_filter_that_is_too_long_is_not_kept(owner_client: Client) -> None:
    query = "&".join(f"customer={'x' * 290}{number}" for number in range(20))
    answer = owner_client.post(VIEWS, {"name": "A", "query": query})
    assert answer.status_code == 422
    assert "too long to keep" in text(answer)


def test_fifty_views_are_enough(owner: Member, owner_client: Client) -> None:
    SavedView.objects.bulk_create(
        SavedView(merchant=owner.merchant, member=owner, name=str(number))
        for number in range(saved_views.MOST)
    )
    answer = owner_client.post(VIEWS, {"name": "One more", "query": ""})
    assert answer.status_code == 422
    assert "that is the most" in text(answer)


def test_it_can_be_shared_and_made_the_default_at_once(
    owner: Member, owner_client: Client
) -> None:
    form = {"name": "A", "query": "status=paid", "shared": "on", "default": "on"}
    owner_client.post(VIEWS, form)
    view = SavedView.objects.get()
    assert view.shared
    assert ListLayout.objects.get(member=owner).view == view


def test_hostile_names_are_text(owner: Member, owner_client: Client) -> None:
    keep(owner, "<img src=x onerror=a>\u202e", "q=<img src=y>")
    for path in (LIST + "?status=paid", VIEWS):
        assert not re.search("<img src=[xy]", text(owner_client.get(path)))


# -------------------------------------------------------------------- rename, change
def test_a_view_is_renamed(owner_client: Client, view: SavedView) -> None:
    owner_client.post(address(view, "rename"), {"name": "Settled"})
    view.refresh_from_db()
    assert view.name == "Settled"


def test_only_the_case_of_a_name_may_change(
    owner_client: Client, view: SavedView
) -> None:
    owner_client.post(address(view, "rename"), {"name": "PAID ones"})
    view.refresh_from_db()
    assert view.name == "PAID ones"


def test_a_taken_name_is_said_beside_the_view(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    keep(owner, "Other")
    answer = owner_client.post(address(view, "rename"), {"name": "other"})
    assert answer.status_code == 422
    assert f'id="name-{view.pk}-error"' in text(answer)
    assert 'value="other"' in text(answer)


def test_changes_to_the_filter_are_saved(owner_client: Client, view: SavedView) -> None:
    answer = owner_client.post(address(view, "change"), {"query": "status=failed"})
    view.refresh_from_db()
    assert view.query == "status=failed"
    assert answer["Location"] == f"{LIST}?view={view.pk}&status=failed"


def test_changes_that_cannot_be_read_are_not_saved(
    owner_client: Client, view: SavedView
) -> None:
    answer = owner_client.post(address(view, "change"), {"query": "amount[gte]=x"})
    view.refresh_from_db()
    assert (answer.status_code, view.query) == (422, "status=paid")


# ---------------------------------------------------------------------- days that move
TODAY = date(2026, 11, 24)
WEEK = "status=paid&created[gte]=2026-11-18"


@pytest.fixture
def today(monkeypatch) -> Callable[[date], None]:  # noqa: ANN001
    """today(day): the day on which views are saved and looked at."""

    def today(day: date) -> None:
        monkeypatch.setattr(timezone, "localdate", lambda *_, **__: day)

    today(TODAY)
    return today


def test_days_may_move_along(owner: Member, today: Callable[[date], None]) -> None:
    view = keep(owner, "Week", WEEK, moves=True)
    assert view.query == "status=paid&created=7-days"
    today(date(2026, 12, 1))
    now = saved_views.query_now(view)
    assert saved_views.same(now, "status=paid&created[gte]=2026-11-25")


def test_days_may_stay(owner: Member, today: Callable[[date], None]) -> None:
    view = keep(owner, "Since then", WEEK)
    today(date(2026, 12, 1))
    assert saved_views.same(saved_views.query_now(view), WEEK)


def test_the_form_asks_where_the_days_are_a_span(
    owner: Member, owner_client: Client, today: Callable[[date], None]
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    page = text(owner_client.get(f"{LIST}?{WEEK}"))
    assert "(Created: 7 days)" in page
    page = text(owner_client.get(f"{LIST}?created[gte]=2026-11-13"))
    assert "Let the days move along" not in page


def test_a_view_that_moves_is_not_changed_by_the_next_day(
    owner: Member, owner_client: Client, today: Callable[[date], None]
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    form = {"name": "Week", "query": WEEK, "moves": "on", "default": "on"}
    owner_client.post(VIEWS, form)
    today(date(2026, 12, 1))
    answer = owner_client.get(LIST, follow=True)
    assert "created%5Bgte%5D=2026-11-25" in answer.redirect_chain[0][0]
    assert ">changed<" not in text(answer)
    assert "Created: 7 days; Status: Paid" in text(owner_client.get(VIEWS))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("created=7-days", "status=paid&created=7-days"),
        ("", "status=paid&created=7-days"),
        ("created[gte]=2026-01-01", "status=paid&created[gte]=2026-11-18"),
    ],
)
def test_saving_changes_leaves_days_moving_or_fixed(
    owner: Member,
    view: SavedView,
    today: Callable[[date], None],
    before: str,
    after: str,
) -> None:
    view.query = before
    saved_views.change(view, TransactionFilter.of_member(owner, QueryDict(WEEK)))
    assert saved_views.same(view.query, after)


@pytest.mark.parametrize("name", spans.SPANS)
def test_every_span_is_found_again(name: str) -> None:
    days = spans.edges("paid", spans.SPANS[name], TODAY)
    assert spans.named(days, TODAY) == [("paid", name)]
    assert spans.as_of([("paid", name)], TODAY) == days


# ----------------------------------------------------------------------------- share
def test_a_shared_view_is_the_teams(
    owner_client: Client, mate: Member, view: SavedView
) -> None:
    make_transaction(project=view.merchant.projects.get())
    assert tabs(text(client_of(mate).get(LIST))) == []
    owner_client.post(address(view, "share"), {"shared": "yes"})
    page = text(client_of(mate).get(LIST))
    assert tabs(page) == ["Paid ones"]
    assert f"shared by {view.member.user}" in page


def test_sharing_ends(owner_client: Client, mate: Member, view: SavedView) -> None:
    saved_views.share(view, shared=True)
    layouts.make_default(mate, view)
    layouts.make_default(view.member, view)
    owner_client.post(address(view, "share"), {})
    view.refresh_from_db()
    assert not view.shared
    assert ListLayout.objects.get(member=mate).view is None
    assert ListLayout.objects.get(member=view.member).view == view


@pytest.mark.parametrize("role", ROLES)
def test_every_role_keeps_views_and_not_every_one_shares(
    project: Project, role: str
) -> None:
    make_transaction(project=project)
    member = make_member(role, merchant=project.merchant)
    client = client_of(member)
    assert client.post(VIEWS, {"name": "Mine", "query": ""}).status_code == 302
    form = {"name": "Ours", "query": "", "shared": "on"}
    answers = [
        client.post(VIEWS, form).status_code,
        client.post(
            address(SavedView.objects.get(name="Mine"), "share"), {"shared": "yes"}
        ).status_code,
    ]
    assert answers == ([422, 422] if role == "viewer" else [302, 302])
    assert ("Share with the team" in text(client.get(LIST + "?status=paid"))) == (
        role != "viewer"
    )


def test_who_may_not_share_any_more_may_still_stop(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    saved_views.share(view, shared=True)
    Member.objects.filter(pk=owner.pk).update(role="viewer")
    assert owner_client.post(address(view, "share"), {}).status_code == 302


@pytest.mark.parametrize("act", ["rename", "change", "share", "delete"])
def test_nobody_changes_the_view_of_another(
    mate: Member, view: SavedView, act: str
) -> None:
    saved_views.share(view, shared=True)
    form = {"name": "Stolen", "query": "", "shared": ""}
    assert client_of(mate).post(address(view, act), form).status_code == 404
    before = (view.name, view.query, view.shared)
    view.refresh_from_db()
    assert (view.name, view.query, view.shared) == before


@pytest.mark.parametrize("act", ["rename", "change", "share", "default", "delete"])
def test_another_merchant_sees_nothing_of_a_shared_view(
    stranger: Member, view: SavedView, act: str
) -> None:
    saved_views.share(view, shared=True)
    client = client_of(stranger)
    form = {"name": "x", "default": "yes", "shared": "yes"}
    assert client.post(address(view, act), form).status_code == 404
    make_transaction(project=make_project(merchant=stranger.merchant))
    for path in (VIEWS, f"{LIST}?view={view.pk}&{view.query}"):
        assert "Paid ones" not in text(client.get(path))
    assert not ListLayout.objects.filter(member=stranger).exists()


def test_in_another_merchant_a_person_has_other_views(
    owner: Member, view: SavedView
) -> None:
    saved_views.share(view, shared=True)
    other = make_project()
    member = make_member("owner", merchant=other.merchant, user=owner.user)
    assert list(saved_views.visible_to(member)) == []


def test_a_shared_view_of_a_hidden_project_says_so_and_shows_nothing(
    owner: Member, project: Project
) -> None:
    hidden = make_project(merchant=project.merchant, slug="hidden", name="Hidden Shop")
    make_transaction(project=hidden, customer_name="Grace Hopper")
    make_transaction(project=project, customer_name="Ada Byron")
    view = keep(owner, "Hidden", "project=hidden", shared=True)
    limited = make_member("support", merchant=project.merchant, projects=[project])
    client = client_of(limited)
    answer = client.get(f"{LIST}?view={view.pk}&project=hidden")
    assert answer.status_code == 422
    assert "none of your projects" in text(answer)
    for shown in ("Grace Hopper", "Ada Byron", "Hidden Shop"):
        assert shown not in text(answer)
    page = text(client.get(VIEWS))
    assert "cannot be shown to you as it stands" in page
    assert "none of your projects" in page
    assert "Hidden Shop" not in page


def test_a_view_that_no_longer_reads_says_so(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    SavedView.objects.update(query="status=settled&created[gte]=someday")
    assert "must be one of" in text(owner_client.get(VIEWS))
    page = owner_client.get(f"{LIST}?{saved_views.query_with(SavedView.objects.get())}")
    assert page.status_code == 422
    assert "Save changes" not in text(page)


# --------------------------------------------------------------------------- default
def test_the_bare_list_leads_to_the_default_view(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    layouts.make_default(owner, view)
    answer = owner_client.get(LIST)
    assert answer["Location"] == f"{LIST}?view={view.pk}&status=paid"
    assert owner_client.get(answer["Location"]).status_code == 200


def test_a_default_view_that_asks_nothing_does_not_run_in_circles(
    owner: Member, owner_client: Client
) -> None:
    layouts.make_default(owner, keep(owner, "Everything", ""))
    answer = owner_client.get(LIST, follow=True)
    assert len(answer.redirect_chain) == 1
    assert answer.status_code == 200


def test_a_default_view_that_no_longer_reads_does_not_run_in_circles(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    SavedView.objects.update(query="status=settled&from=&q=")
    layouts.make_default(owner, view)
    answer = owner_client.get(LIST, follow=True)
    assert (len(answer.redirect_chain), answer.status_code) == (1, 422)


@pytest.mark.parametrize("query", ["", "?status=failed", "?q=x&livemode=true"])
def test_all_and_clear_all_stay_out_of_the_default_view(
    owner: Member, owner_client: Client, view: SavedView, query: str
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    layouts.make_default(owner, view)
    page = text(owner_client.get(LIST + query, follow=True))
    ways = re.findall(r'href="(/transactions/[^"]*)"[^>]*>(All trans|Clear)', page)
    assert {words for _url, words in ways} == {"All trans", "Clear"}
    for url, _words in ways:
        assert url.startswith("/transactions/?view=all")
        there = owner_client.get(url.replace("&amp;", "&"))
        assert there.status_code == 200
        assert 'class="chip"' not in text(there)


def test_an_emptied_form_stays_out_of_it_too(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    layouts.make_default(owner, view)
    assert 'name="view" value="all"' in text(owner_client.get(f"{LIST}?view=all"))
    answer = owner_client.get(f"{LIST}?view=all&q=&from=&to=", follow=True)
    assert answer.redirect_chain == [(f"{LIST}?view=all", 302)]


def test_without_a_default_view_the_addresses_are_bare(
    owner_client: Client, view: SavedView
) -> None:
    make_transaction(project=view.merchant.projects.get())
    page = text(owner_client.get(f"{LIST}?status=paid"))
    assert 'class="clear" href="/transactions/"' in page
    assert "view=all" not in page


def test_a_step_back_and_a_swap_are_not_redirected(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    layouts.make_default(owner, view)
    assert owner_client.get(LIST, headers=HTMX).status_code == 200


def test_the_default_is_made_and_unmade_on_the_page(
    mate: Member, view: SavedView
) -> None:
    saved_views.share(view, shared=True)
    client = client_of(mate)
    client.post(address(view, "default"), {"default": "yes"})
    assert ListLayout.objects.get(member=mate).view == view
    assert "Your default" in text(client.get(VIEWS))
    client.post(address(view, "default"), {})
    assert ListLayout.objects.get(member=mate).view is None
    assert not ListLayout.objects.filter(member=view.member).exists()


def test_a_default_of_another_merchant_is_passed_over(
    owner: Member, stranger: Member, owner_client: Client
) -> None:
    foreign = keep(stranger, "Theirs", shared=True)
    ListLayout.objects.create(member=owner, view=foreign)
    assert owner_client.get(LIST).status_code == 200


# ---------------------------------------------------------------------------- delete
def test_a_deleted_view_is_nobodys_default(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    layouts.make_default(owner, view)
    owner_client.post(address(view, "delete"))
    assert not SavedView.objects.exists()
    assert owner_client.get(LIST).status_code == 200


@pytest.mark.parametrize(
    "asked", ["01a20c31-c08d-718e-9f7a-ad287e7a878b", "nonsense", "'; drop", "x" * 3000]
)
def test_a_view_that_is_none_is_the_whole_list(
    owner: Member, owner_client: Client, asked: str
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    page = owner_client.get(LIST, {"view": asked, "status": "paid"})
    assert page.status_code == 200
    assert ">changed<" not in text(page)


# --------------------------------------------------------------------------- changed
def changed(client: Client, view: SavedView, query: str) -> bool:
    return ">changed<" in text(client.get(f"{LIST}?view={view.pk}&{query}"))


@pytest.mark.parametrize(
    ("query", "is_changed"),
    [
        ("status=paid", False),
        ("status=paid&livemode=false", False),
        ("status=paid&q=", False),
        ("status=paid&sort=created", True),
        ("status=paid&provider=stripe", True),
        ("status=paid,failed", True),
        ("", True),
    ],
)
def test_editing_the_filter_marks_the_view_as_changed(
    owner: Member, owner_client: Client, view: SavedView, query: str, is_changed: bool
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    answer = owner_client.get(f"{LIST}?view={view.pk}&{query}", follow=True)
    assert (">changed<" in text(answer)) == is_changed


def test_the_order_of_values_is_no_change(owner: Member, owner_client: Client) -> None:
    make_transaction(project=owner.merchant.projects.get())
    view = keep(owner, "A", "status=paid&status=failed&provider=stripe")
    assert not changed(owner_client, view, "provider=stripe&status=failed&status=paid")


def test_of_ones_own_view_changes_can_be_saved_kept_apart_or_left(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    page = text(owner_client.get(f"{LIST}?view={view.pk}&status=failed"))
    for words in ("Save changes", "Save as new view", "Back to the view"):
        assert words in page


def test_of_anothers_view_changes_can_be_kept_apart_or_left(
    mate: Member, view: SavedView
) -> None:
    saved_views.share(view, shared=True)
    make_transaction(project=view.merchant.projects.get())
    page = text(client_of(mate).get(f"{LIST}?view={view.pk}&status=failed"))
    assert "Save changes" not in page
    assert "Save as new view" in page
    assert "Back to the view" in page


def test_the_view_is_named_by_every_link_of_the_list(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    page = text(owner_client.get(f"{LIST}?view={view.pk}&status=paid&provider=stripe"))
    assert f'href="{LIST}?view={view.pk}&amp;status=paid"' in page
    assert f'<input type="hidden" name="view" value="{view.pk}">' in page


def test_a_swap_brings_the_tabs_along(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    answer = owner_client.get(
        f"{LIST}?view={view.pk}&status=paid&provider=stripe", headers=HTMX
    )
    assert 'id="views"' in text(answer)
    assert ">changed<" in text(answer)
    assert answer["HX-Push-Url"].startswith(f"{LIST}?view={view.pk}&")


def test_tabs_keep_the_mode_that_is_looked_at(
    owner: Member, owner_client: Client, view: SavedView
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    page = text(owner_client.get(f"{LIST}?livemode=false"))
    assert f'href="{LIST}?view={view.pk}&amp;status=paid&amp;livemode=false"' in page


def test_many_views_stand_in_a_menu_and_the_one_shown_beside_it(
    owner: Member, owner_client: Client
) -> None:
    make_transaction(project=owner.merchant.projects.get())
    views = [keep(owner, f"View {number}") for number in range(9)]
    page = text(owner_client.get(f"{LIST}?view={views[8].pk}&status=paid"))
    assert tabs(page) == ["View 0", "View 1", "View 2", "View 3", "View 4", "View 8"]
    assert "More views" in page


# ------------------------------------------------------------------------------ costs
def test_the_page_of_views_asks_as_often_for_fifty_as_for_one(
    owner: Member,
    owner_client: Client,
    mate: Member,
    django_assert_num_queries,  # noqa: ANN001
    django_assert_max_num_queries,  # noqa: ANN001
) -> None:
    keep(mate, "Theirs", shared=True)
    owner_client.get(VIEWS)
    with django_assert_max_num_queries(14) as one:
        owner_client.get(VIEWS)
    for number in range(20):
        keep(owner, f"View {number}", "project=dragon-shop&product=Iron+Sword&q=x")
    with django_assert_num_queries(len(one)):
        owner_client.get(VIEWS)


def test_views_of_the_team_stand_in_the_order_of_their_making(
    owner: Member, owner_client: Client, mate: Member
) -> None:
    for member, name in ((owner, "One"), (mate, "Two"), (owner, "Three")):
        keep(member, name, shared=True)
    names = re.findall(r'status=paid"><bdi>(\w+)</bdi>', text(owner_client.get(VIEWS)))
    assert names == ["One", "Two", "Three"]


def test_the_page_without_any_view_teaches(owner_client: Client) -> None:
    assert "No saved views yet" in text(owner_client.get(VIEWS))
