"""The pages of endpoints: who sees them, what they show, and what they ask first."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from django.utils import timezone

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import make_member, make_project
from tests.webhooks.endpoints.parts import (
    URL,
    make_delivery,
    make_endpoint,
    make_try,
    noted,
    proven,
)
from webhooks import custom_headers, endpoints
from webhooks.catalogue import KINDS
from webhooks.models import Delivery, Endpoint
from webhooks.trying import test_sends

pytestmark = pytest.mark.django_db

FORM = {
    "url": URL, "description": "Shop", "dialect": "standard", "which": "all",
    "mode": "both", "rate": "25", "headers": "", "enabled": "on",
}  # fmt: skip


@pytest.fixture
def made(project: Project) -> Endpoint:
    return make_endpoint(project, description="Shop server")


def text(answer: Any) -> str:
    return answer.content.decode()


# --------------------------------------------------------------------------- the list
def test_the_list_tells_health_at_a_glance(
    made: Endpoint, owner_client: Client
) -> None:
    for _ in range(3):
        make_try(made, total_ms=120)
    make_try(made, "timeout", status=None)
    make_try(made, "ok").delivery.event.delete()
    Endpoint.objects.update(succeeded_last=timezone.now())
    page = text(owner_client.get("/webhooks/"))
    assert "Shop server" in page
    assert "75.0 %" in page
    assert "4 tries" in page
    assert "120 ms" in page
    assert "1 waiting" in page


def test_why_one_is_disabled_stands_in_the_list(
    made: Endpoint, owner_client: Client
) -> None:
    Endpoint.objects.update(state="disabled", reason="It answered 410.")
    make_delivery(made, state="held")
    page = text(owner_client.get("/webhooks/?state=disabled"))
    assert "It answered 410." in page
    assert "1 held" in page
    assert "No endpoints match" in text(owner_client.get("/webhooks/?state=paused"))


def test_the_list_is_narrowed_by_project_and_mode(
    made: Endpoint, project: Project, owner_client: Client
) -> None:
    other = make_project(merchant=project.merchant, name="Other")
    make_endpoint(other, description="Elsewhere", livemode=True)
    shown = {
        query: "Elsewhere" in text(owner_client.get(f"/webhooks/?{query}"))
        for query in ("", f"project={other.slug}", f"project={project.slug}",
                      "livemode=true", "livemode=false")
    }  # fmt: skip
    assert list(shown.values()) == [True, True, False, True, False]
    assert owner_client.get("/webhooks/?livemode=x").status_code == 422
    assert owner_client.get("/webhooks/?state=x").status_code == 422


def test_many_are_shown_page_by_page(project: Project, owner_client: Client) -> None:
    names = [f"E{number:02}." for number in range(60)]
    Endpoint.objects.bulk_create(
        Endpoint(project=project, url=URL, description=name) for name in names
    )
    seen: list[str] = []
    url = "/webhooks/"
    while url:
        context = owner_client.get(url).context
        seen += [row.endpoint.description for row in context["rows"]]
        last, url = url, context["older_url"]
    assert sorted(seen) == names
    back = owner_client.get(last).context["newer_url"]
    assert [r.endpoint.description for r in owner_client.get(back).context["rows"]] == (
        seen[25:50]
    )


def test_the_queries_do_not_grow_with_the_log(
    made: Endpoint, owner_client: Client, django_assert_max_num_queries: Any
) -> None:
    for _ in range(30):
        make_try(made)
    with django_assert_max_num_queries(12):
        owner_client.get("/webhooks/")


# ----------------------------------------------------------------------------- who may
@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_others_neither_see_nor_do(made: Endpoint, role: str) -> None:
    client = client_of(make_member(role, merchant=made.project.merchant))
    assert "/webhooks/" not in text(client.get("/transactions/"))
    for path in ("", "new/", f"{made.pk}/", f"{made.pk}/edit/", f"{made.pk}/code/"):
        assert client.get(f"/webhooks/{path}").status_code == 403
    for act in ("secret", "roll", "pause", "test", "delete", "check"):
        assert client.post(f"/webhooks/{made.pk}/{act}/").status_code == 403
    assert Endpoint.objects.get().state == "enabled"


# --------------------------------------------------------------------- set up, changed
def test_the_secret_is_shown_once(project: Project, owner: Member) -> None:
    client = proven(owner)
    answer = client.post("/webhooks/new/", FORM | {"project": project.slug})
    made = Endpoint.objects.get()
    secret = endpoints.newest_secret(made)
    assert answer["Location"] == f"/webhooks/{made.pk}/"
    assert secret not in text(answer)
    first = client.get(answer["Location"])
    assert secret in text(first)
    assert "no-store" in first["Cache-Control"]
    assert secret not in text(client.get(answer["Location"]))


def test_everything_that_is_typed_arrives(project: Project, owner: Member) -> None:
    proven(owner).post(
        "/webhooks/new/",
        FORM | {
            "project": project.slug, "which": "some", "mode": "test", "rate": "7",
            "events": ["refund.*", "payment.success"], "dialect": "stripe",
            "headers": "X-Team: payments\n\nX-Token: abc:def\n", "enabled": "",
        },
    )  # fmt: skip
    made = Endpoint.objects.get()
    assert made.events == ["refund.*", "payment.success"]
    assert (made.livemode, made.rate, made.dialect) == (False, 7, "stripe")
    assert made.state == "paused"
    assert custom_headers.opened(made) == {"X-Team": "payments", "X-Token": "abc:def"}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"url": "https://10.0.0.1/"}, "not public"),
        ({"url": ""}, "Write the URL"),
        ({"which": "some"}, "Tick at least one event"),
        ({"which": "some", "events": "payment.nonsense"}, "payment.nonsense"),
        ({"headers": "no colon"}, "one header in each line"),
        ({"headers": "Host: x"}, "Host"),
        ({"rate": "0"}, "greater than or equal to 1"),
        ({"project": "nobody"}, "nobody"),
    ],
)
def test_what_is_wrong_is_told_beside_the_field(
    project: Project, owner: Member, typed: dict[str, str], words: str
) -> None:
    form = FORM | {"project": project.slug} | typed
    answer = proven(owner).post("/webhooks/new/", form)
    assert answer.status_code == 422
    assert words in text(answer)
    assert not Endpoint.objects.exists()


def test_headers_that_were_typed_are_not_sent_back(
    project: Project, owner: Member
) -> None:
    form = FORM | {"project": project.slug, "url": "", "headers": "X-Key: topsecret"}
    page = text(proven(owner).post("/webhooks/new/", form))
    assert "topsecret" not in page
    assert "Type the custom headers again" in page


def test_a_new_one_asks_who_it_is(project: Project, owner: Member) -> None:
    client = client_of(owner)
    assert client.get("/webhooks/new/")["Location"].startswith("/again/")
    answer = client.post("/webhooks/new/", FORM | {"project": project.slug})
    assert answer.status_code == 422
    assert "Confirm your password" in text(answer)
    assert URL in text(answer)
    assert not Endpoint.objects.exists()


@pytest.mark.parametrize(
    ("typed", "grave"),
    [
        ({"description": "New", "rate": "9"}, False),
        ({"url": f"{URL}/v2"}, True),
        ({"dialect": "stripe"}, True),
        ({"headers": "X-A: a"}, True),
    ],
)
def test_only_grave_changes_ask_who_it_is(
    made: Endpoint, owner: Member, typed: dict[str, str], grave: bool
) -> None:
    path = f"/webhooks/{made.pk}/edit/"
    answer = client_of(owner).post(path, FORM | typed)
    assert answer.status_code == (422 if grave else 302)
    assert proven(owner).post(path, FORM | typed).status_code == 302
    assert noted("endpoint.changed")


def test_headers_are_kept_replaced_and_removed(project: Project, owner: Member) -> None:
    made = make_endpoint(project, headers={"X-A": "aaa", "X-B": "bbb", "X-C": "ccc"})
    path, client = f"/webhooks/{made.pk}/edit/", proven(owner)
    page = text(client.get(path))
    assert "X-A" in page
    assert "aaa" not in page
    client.post(path, FORM | {"headers": "x-b: new", "drop": "X-C"})
    made.refresh_from_db()
    assert custom_headers.opened(made) == {"X-A": "aaa", "x-b": "new"}


def test_what_waits_goes_to_a_new_address_only_if_it_is_told_to(
    made: Endpoint, owner: Member, monkeypatch
) -> None:
    monkeypatch.setattr("webhooks.views.endpoint_forms.send_test", _nobody_home)
    client, path = proven(owner), f"/webhooks/{made.pk}/edit/"
    waiting = make_delivery(made)
    assert "Hold them until I decide" in text(client.get(path))
    client.post(path, FORM | {"url": "https://new.example.com/"})
    waiting.refresh_from_db()
    assert waiting.state == "held"
    page = text(client.get(f"/webhooks/{made.pk}/"))
    assert "waits for your decision" in page


def _nobody_home(*_args: Any) -> None:
    raise test_sends.NotSent("Nobody is home.")


# ---------------------------------------------------------------------------- secrets
def test_the_secret_on_demand_needs_a_fresh_login(
    made: Endpoint, owner: Member
) -> None:
    path, page = f"/webhooks/{made.pk}/secret/", f"/webhooks/{made.pk}/"
    secret = endpoints.newest_secret(made)
    stale, client = client_of(owner), proven(owner)
    assert stale.post(path)["Location"].startswith("/again/")
    assert secret not in text(stale.get(page))
    assert not noted("endpoint.secret_shown")
    client.post(path)
    assert secret in text(client.get(page))
    assert secret not in text(client.get(page))
    assert len(noted("endpoint.secret_shown")) == 1


def test_a_look_at_one_shows_no_other(
    made: Endpoint, project: Project, owner: Member
) -> None:
    other, client = make_endpoint(project), proven(owner)
    client.post(f"/webhooks/{made.pk}/secret/")
    page = text(client.get(f"/webhooks/{other.pk}/"))
    assert endpoints.newest_secret(made) not in page
    assert endpoints.newest_secret(other) not in page


@pytest.mark.parametrize(("overlap", "left"), [("24", 2), ("0", 1)])
def test_rolling_shows_the_new_one(
    made: Endpoint, owner: Member, overlap: str, left: int
) -> None:
    old, path = endpoints.newest_secret(made), f"/webhooks/{made.pk}/roll/"
    form = {"overlap": overlap}
    assert client_of(owner).post(path, form)["Location"].startswith("/again/")
    client = proven(owner)
    client.post(path, form)
    new = endpoints.newest_secret(made)
    assert new != old
    assert new in text(client.get(f"/webhooks/{made.pk}/"))
    assert made.secrets.count() == left
    assert client.post(path, {"overlap": "169"}).status_code == 422
    assert client.post(path, {"overlap": "soon"}).status_code == 422


def test_paysecures_public_key_is_there_to_copy(
    project: Project, owner_client: Client
) -> None:
    made = make_endpoint(project, dialect="paysecure")
    page = text(owner_client.get(f"/webhooks/{made.pk}/"))
    assert "BEGIN PUBLIC KEY" in page
    assert "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" in page
    assert "PRIVATE" not in page
    assert "Show secret" not in page


def test_lost_keys_are_said_and_break_nothing(
    project: Project, owner: Member, settings
) -> None:
    made = make_endpoint(project, headers={"X-A": "a"})
    client = proven(owner)
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    for path in ("", "edit/"):
        answer = client.get(f"/webhooks/{made.pk}/{path}")
        assert answer.status_code == 503
        assert "ENCRYPTION_KEYS" in text(answer)
    assert client.get("/webhooks/").status_code == 200


# ------------------------------------------------------------- pause, catch up, delete
def test_paused_enabled_and_caught_up(made: Endpoint, owner_client: Client) -> None:
    page = f"/webhooks/{made.pk}/"
    for _ in range(3):
        make_delivery(made)
    assert owner_client.post(f"{page}pause/")["Location"] == page
    assert Delivery.objects.filter(state="held").count() == 3
    assert owner_client.post(f"{page}enable/")["Location"] == f"{page}catch-up/"
    assert "3 deliveries" in text(owner_client.get(f"{page}catch-up/"))
    assert (
        owner_client.post(f"{page}catch-up/", {"what": "all", "rate": "0"}).status_code
        == 422
    )
    answer = owner_client.post(f"{page}catch-up/", {"what": "all", "rate": "5"})
    assert answer["Location"] == page
    assert Delivery.objects.filter(state="pending").count() == 3
    assert "Nothing is held" in text(owner_client.get(f"{page}catch-up/"))


def test_what_was_held_may_be_let_go(made: Endpoint, owner_client: Client) -> None:
    make_delivery(made, state="held")
    owner_client.post(f"/webhooks/{made.pk}/catch-up/", {"what": "none"})
    assert Delivery.objects.get().state == "dropped"


def test_deleting_is_asked_first(made: Endpoint, owner: Member) -> None:
    path = f"/webhooks/{made.pk}/delete/"
    make_delivery(made)
    assert "1 waiting" in text(client_of(owner).get(path))
    assert client_of(owner).post(path)["Location"].startswith("/again/")
    assert Endpoint.objects.exists()
    assert proven(owner).post(path)["Location"] == "/webhooks/"
    assert not Endpoint.objects.exists()


# ------------------------------------------------------------------------------- tools
def test_each_event_has_a_sample_in_each_dialect(owner_client: Client) -> None:
    for name in KINDS:
        for dialect in ("standard", "stripe", "paysuper", "paynow", "paysecure"):
            path = f"/webhooks/samples/{name}/?dialect={dialect}"
            part = owner_client.get(path, headers={"hx-request": "true"})
            assert part.status_code == 200
            assert "<html" not in text(part)
    assert "payout.failed" in text(owner_client.get("/webhooks/samples/payout.failed/"))


def test_no_sample_of_nothing(owner_client: Client) -> None:
    assert owner_client.get("/webhooks/samples/nothing/").status_code == 404
    path = "/webhooks/samples/payment.success/?dialect=klingon"
    assert owner_client.get(path).status_code == 404


def test_receiver_code_in_the_language_that_is_asked_for(
    made: Endpoint, owner_client: Client
) -> None:
    page = f"/webhooks/{made.pk}/code/"
    assert "standard.py" in text(owner_client.get(page))
    assert "standard.go" in text(owner_client.get(f"{page}?in=go"))
    assert "standard.py" in text(owner_client.get(f"{page}?in=cobol"))


def test_a_test_of_another_endpoint_is_not_shown(
    made: Endpoint, project: Project, owner_client: Client
) -> None:
    other = make_endpoint(project)
    row = make_delivery(other, name="endpoint.test")
    for typed in (row.pk, "x", "9" * 30, "-1"):
        page = owner_client.get(f"/webhooks/{made.pk}/?test={typed}")
        assert page.status_code == 200
        assert not page.context["tried"]
