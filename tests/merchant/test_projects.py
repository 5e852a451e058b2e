"""Projects on pages: named, given a time zone, told whom to believe; and by whom."""

from __future__ import annotations

import pytest
from django.test import Client

from merchant import projects
from merchant.models import AuditEntry, Member, Project
from tests.conftest import client_of
from tests.factories import make_member, make_project

pytestmark = pytest.mark.django_db


def page_of(project: Project) -> str:
    return f"/projects/{project.slug}/"


def typed(project: Project, **over: str) -> dict[str, str]:
    return {"name": project.name, "time_zone": project.time_zone} | over


def test_the_list_shows_what_is_set(owner_client: Client, project: Project) -> None:
    page = owner_client.get("/projects/").content.decode()
    assert page_of(project) in page
    assert "never called" in page


def test_a_change_is_kept_and_audited(owner_client: Client, project: Project) -> None:
    told = typed(project, name="Dragon Store", time_zone="Europe/Berlin")
    assert owner_client.post(page_of(project), told)["Location"] == page_of(project)
    project.refresh_from_db()
    assert (project.name, project.time_zone) == ("Dragon Store", "Europe/Berlin")
    entry = AuditEntry.objects.get(verb="project.changed")
    assert entry.detail == {
        "name": ["Dragon Shop", "Dragon Store"],
        "time_zone": ["UTC", "Europe/Berlin"],
    }


def test_callbacks_are_honoured_only_when_switched_on(
    owner_client: Client, project: Project
) -> None:
    assert not project.honour_callbacks
    owner_client.post(page_of(project), typed(project, honour_callbacks="on"))
    project.refresh_from_db()
    assert project.honour_callbacks
    owner_client.post(page_of(project), typed(project))
    project.refresh_from_db()
    assert not project.honour_callbacks
    assert AuditEntry.objects.filter(verb="project.changed").count() == 2


def test_nothing_changed_is_no_entry(owner_client: Client, project: Project) -> None:
    owner_client.post(page_of(project), typed(project))
    assert not AuditEntry.objects.filter(verb="project.changed").exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [("time_zone", "Mars/Base"), ("time_zone", ""), ("name", " "), ("name", "x" * 121)],
)
def test_what_is_wrong_is_said_at_its_field(
    owner_client: Client, project: Project, field: str, value: str
) -> None:
    answer = owner_client.post(page_of(project), typed(project, **{field: value}))
    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    before = (project.name, project.time_zone)
    project.refresh_from_db()
    assert (project.name, project.time_zone) == before


def test_a_project_is_added(owner_client: Client, project: Project) -> None:
    told = {"name": "Dragon Shop", "time_zone": "Asia/Tokyo"}
    answer = owner_client.post("/projects/new/", told)
    assert answer["Location"] == "/projects/dragon-shop-2/"
    made = Project.objects.get(slug="dragon-shop-2")
    assert made.merchant == project.merchant
    assert made.time_zone == "Asia/Tokyo"
    assert AuditEntry.objects.filter(verb="project.added").exists()


def test_a_name_without_latin_letters_gets_a_slug_too(project: Project) -> None:
    assert projects.add(project.merchant, "龍の店").slug == "project"


def test_the_id_leads_there_too(owner_client: Client, project: Project) -> None:
    assert owner_client.get(f"/projects/{project.pk}/").status_code == 200


@pytest.mark.parametrize("role", ["developer", "finance", "support", "viewer"])
def test_other_roles_are_told_who_may(project: Project, role: str) -> None:
    client = client_of(make_member(role, merchant=project.merchant))
    for path in ("/projects/", "/projects/new/", page_of(project)):
        assert client.get(path).status_code == 403
        if path != "/projects/":
            answer = client.post(path, typed(project, honour_callbacks="on"))
            assert answer.status_code == 403
    project.refresh_from_db()
    assert not project.honour_callbacks


def test_a_stranger_finds_nothing(stranger_client: Client, project: Project) -> None:
    assert stranger_client.get(page_of(project)).status_code == 404
    answer = stranger_client.post(page_of(project), typed(project, name="Mine"))
    assert answer.status_code == 404
    assert project.name not in stranger_client.get("/projects/").content.decode()


def test_who_is_limited_to_some_projects_adds_none(project: Project) -> None:
    member: Member = make_member("admin", merchant=project.merchant, projects=[project])
    other = make_project(merchant=project.merchant)
    client = client_of(member)
    assert client.get(page_of(other)).status_code == 404
    told = {"name": "X", "time_zone": "UTC"}
    assert client.post("/projects/new/", told).status_code == 404
    assert "/projects/new/" not in client.get("/projects/").content.decode()
