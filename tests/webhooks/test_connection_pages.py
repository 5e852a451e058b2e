"""Connections on pages: added, heard, rotated, changed, closed; and by whom."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from merchant import connections
from merchant.models import AuditEntry, Connection, Member, Project, Secret
from merchant.providers import PROVIDERS
from tests.conftest import client_of, fresh_client_of
from tests.factories import (
    make_connection,
    make_inbound_event,
    make_member,
    make_project,
    make_secret,
    rsa_pair,
)
from tests.webhooks import deliveries
from webhooks.models import Refusal

pytestmark = pytest.mark.django_db

SECRET = "whsec_made_up_for_this_test"
LIST = "/connections/"


@pytest.fixture
def fresh(developer: Member) -> Client:
    """A developer who has just typed the password."""
    return fresh_client_of(developer)


def page_of(connection: Connection, verb: str = "") -> str:
    return f"{LIST}{connection.pk}/" + (f"{verb}/" if verb else "")


def text_of(response: Any) -> str:
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", words)


def audited() -> list[str]:
    entries = AuditEntry.objects.filter(verb__startswith="connection.")
    return list(entries.order_by("pk").values_list("verb", flat=True))


# ---------------------------------------------------------------------------- adding
def new(project: Project, **typed: Any) -> dict[str, Any]:
    return {"project": str(project.pk), "mode": "live", **typed}


def test_a_connection_starts_without_a_key(fresh: Client, project: Project) -> None:
    answer = fresh.post(f"{LIST}new/stripe/", new(project), follow=True)
    connection = Connection.objects.get()
    assert answer.redirect_chain[-1][0] == page_of(connection)
    url = f"{settings.PUBLIC_URL}{connection.intake_path}"
    assert url in answer.content.decode()
    assert "the signing secret is missing" in text_of(answer)
    assert audited() == ["connection.opened"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_provider_asks_for_what_it_needs(
    fresh: Client, project: Project, provider: str
) -> None:
    setup = PROVIDERS[provider].setup
    page = fresh.get(f"{LIST}new/{provider}/").content.decode()
    for asked in (setup.key, *setup.asks):
        assert f'name="{asked.name}"' in page
    assert ('name="user_token"' in page) is (provider == "paysuper")
    assert ('name="brand_ids"' in page) is (provider == "paysecure")


def test_everything_that_was_typed_is_kept(fresh: Client, project: Project) -> None:
    typed = new(
        project,
        mode="test",
        public_key=rsa_pair()[0],
        api_key="key_1",
        brand_ids="b1\nb2, b3",
        base_url="https://api.example.org/v1/",
    )
    fresh.post(f"{LIST}new/paysecure/", typed)
    connection = Connection.objects.get()
    keys = connections.keys_of(connection)
    assert keys.public_keys == (rsa_pair()[0],)
    assert keys.api_key == "key_1"
    assert keys.brand_ids == ("b1", "b2", "b3")
    assert keys.base_url == "https://api.example.org/v1"
    assert not keys.livemode


def test_a_provider_with_a_secret_per_event_takes_them_all_at_once(
    fresh: Client, project: Project
) -> None:
    secrets = [f"secret-of-event-{number}" for number in range(19)]
    fresh.post(f"{LIST}new/paynow/", new(project, secret="\r\n".join(secrets)))
    keys = connections.keys_of(Connection.objects.get())
    assert set(keys.secrets) == set(secrets)


def test_what_is_not_usable_is_said_at_its_field_and_shown_no_more(
    fresh: Client, project: Project
) -> None:
    typed = new(project, secret="abc", api_key="schlüssel-geheim")
    answer = fresh.post(f"{LIST}new/stripe/", typed)
    assert answer.status_code == 422
    assert "secret" in answer.context["form"].errors
    assert "schlüssel-geheim" not in answer.content.decode()
    assert not Connection.objects.exists()


def test_a_private_base_url_is_refused(fresh: Client, project: Project) -> None:
    for url in ("http://169.254.169.254/latest", "https://localhost/", "ftp://x.org"):
        answer = fresh.post(f"{LIST}new/stripe/", new(project, base_url=url))
        assert "base_url" in answer.context["form"].errors, url
    assert not Connection.objects.exists()


def test_somebody_elses_project_cannot_be_chosen(
    fresh: Client, project: Project
) -> None:
    answer = fresh.post(f"{LIST}new/stripe/", new(make_project()))
    assert answer.status_code == 422
    assert not Connection.objects.exists()


def test_who_has_no_project_is_led_to_one(owner: Member, viewer: Member) -> None:
    lonely = make_member("owner")
    page = client_of(lonely).get(f"{LIST}new/").content.decode()
    assert "/projects/new/" in page


# --------------------------------------------------------------------------- how it is
def test_a_delivery_that_is_really_signed_is_seen(
    fresh: Client, project: Project
) -> None:
    connection = make_connection("stripe", project=project)
    before = fresh.get(page_of(connection, "heard"))
    assert "Waiting for the first event" in text_of(before)
    assert b"every 3s" in before.content
    deliveries.post(connection, deliveries.body("stripe"))
    after = fresh.get(page_of(connection, "heard"))
    assert "The first event has arrived. charge.succeeded" in text_of(after)
    assert b"every 3s" not in after.content
    assert "Last event" in text_of(fresh.get(page_of(connection)))


def test_while_it_waits_it_says_what_was_turned_away(
    fresh: Client, project: Project
) -> None:
    connection = make_connection("stripe", project=project)
    Refusal.objects.create(
        connection=connection, code="mismatch", hour=timezone.now(), count=3,
        reason="the signature fits no live secret",
    )  # fmt: skip
    words = text_of(fresh.get(page_of(connection, "heard")))
    assert "turned away. The signature fits no live secret" in words
    assert "3 times" in text_of(fresh.get(page_of(connection)))
    assert "3 deliveries" in text_of(fresh.get(LIST))


@pytest.mark.parametrize(
    ("over", "word"),
    [
        ({}, "Waiting"),
        ({"secret": ""}, "Needs a key"),
        ({"created": timezone.now() - timedelta(days=2)}, "Waiting"),
        ({"heard": timezone.now() - timedelta(minutes=1)}, "Heard"),
        (
            {"heard": timezone.now() - timedelta(days=2), "usual_gap": 60},
            "Silent",
        ),
        (
            {"heard": timezone.now(), "reports_to": "https://shop.example.com/x"},
            "Reports elsewhere",
        ),
        ({"closed": timezone.now()}, "Closed"),
    ],
)
def test_the_list_says_how_each_stands(
    fresh: Client, project: Project, over: dict[str, Any], word: str
) -> None:
    connection = make_connection("stripe", project=project, **over)
    for path in (LIST, page_of(connection)):
        page = fresh.get(path).content.decode()
        badges = re.findall(r'<span class="badge[^"]*">.*?</svg>([^<]+)<', page, re.S)
        assert word in badges, path


def test_the_list_asks_no_more_for_many_than_for_one(
    fresh: Client, project: Project, django_assert_max_num_queries: Any
) -> None:
    for _number in range(12):
        connection = make_connection("stripe", project=project)
        make_inbound_event(connection=connection)
    with django_assert_max_num_queries(16):
        assert len(fresh.get(LIST).context["open"]) == 12


def test_a_purchase_that_reports_elsewhere_warns(
    fresh: Client, project: Project
) -> None:
    where = "https://shop.example.com/done?<b>"
    connection = make_connection("paysecure", project=project, reports_to=where)
    page = fresh.get(page_of(connection))
    assert "Purchases report elsewhere" in text_of(page)
    assert "https://shop.example.com/done?&lt;b&gt;" in page.content.decode()


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_page_says_what_to_click(
    fresh: Client, project: Project, provider: str
) -> None:
    connection = make_connection(provider, project=project)
    page = fresh.get(page_of(connection))
    assert f"What to do at {PROVIDERS[provider].name}" in text_of(page)
    assert "{intake_url}" not in page.content.decode()


def test_no_secret_stands_on_any_page(fresh: Client, project: Project) -> None:
    connection = make_connection(
        "paysuper", project=project, secret=SECRET, api_key="key_xyz_1",
        user_token="token_xyz_1",
    )  # fmt: skip
    key = connection.secrets.get()
    for path in (
        LIST,
        *(page_of(connection, verb) for verb in ("", "edit", "keys", "key", "close")),
        page_of(connection, "token"),
        f"{LIST}keys/{key.pk}/end/",
    ):
        answer = fresh.get(path)
        assert answer.status_code == 200, path
        for hidden in (SECRET, "key_xyz_1", "token_xyz_1", key.sealed[:20]):
            assert hidden not in answer.content.decode(), path
    assert SECRET not in str(AuditEntry.objects.values_list("detail", flat=True))


# ------------------------------------------------------------------------------- keys
def live(connection: Connection) -> set[str]:
    return set(connections.keys_of(connection).secrets)


def test_a_key_is_added_beside_the_others(fresh: Client, project: Project) -> None:
    connection = make_connection("stripe", project=project, secret="the-old-one")
    typed = {"secret": SECRET, "label": "new endpoint", "instead": ""}
    answer = fresh.post(page_of(connection, "keys"), typed, follow=True)
    assert live(connection) == {"the-old-one", SECRET}
    assert "new endpoint" in text_of(answer)
    assert audited() == ["connection.key_added"]


def test_a_key_takes_anothers_place_after_a_day(
    fresh: Client, project: Project
) -> None:
    connection = make_connection("stripe", project=project, secret="the-old-one")
    old = connection.secrets.get()
    typed = {"secret": SECRET, "instead": str(old.pk), "overlap": "24"}
    fresh.post(page_of(connection, "keys"), typed)
    old.refresh_from_db()
    left = old.expires - timezone.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert live(connection) == {"the-old-one", SECRET}
    assert audited() == ["connection.key_rotated"]


def test_a_key_that_leaked_ends_at_once(fresh: Client, project: Project) -> None:
    connection = make_connection("stripe", project=project, secret="the-old-one")
    make_secret(connection, "signing", "another-one")
    typed = {"secret": SECRET, "instead": "every", "overlap": "0"}
    fresh.post(page_of(connection, "keys"), typed)
    assert live(connection) == {SECRET}
    delivered = deliveries.post(connection, deliveries.body("stripe"))
    assert delivered.status_code == 200


def test_one_of_many_is_replaced_and_the_others_stay(
    fresh: Client, project: Project
) -> None:
    connection = make_connection("paynow", project=project, secret="of-event-1")
    second = make_secret(connection, "signing", "of-event-2")
    typed = {"secret": "of-event-2-new", "instead": str(second.pk), "overlap": "0"}
    fresh.post(page_of(connection, "keys"), typed)
    assert live(connection) == {"of-event-1", "of-event-2-new"}
    both = typed | {"secret": "one-more-key\nand-another", "instead": str(second.pk)}
    assert fresh.post(page_of(connection, "keys"), both).status_code == 422


@pytest.mark.parametrize("overlap", ["-1", "169", "all", "1.5"])
def test_only_overlaps_on_offer_are_taken(
    fresh: Client, project: Project, overlap: str
) -> None:
    connection = make_connection("stripe", project=project, secret="the-old-one")
    typed = {"secret": SECRET, "instead": "every", "overlap": overlap}
    assert fresh.post(page_of(connection, "keys"), typed).status_code == 422
    assert live(connection) == {"the-old-one"}


def test_a_key_of_another_connection_is_none_to_replace(
    fresh: Client, project: Project
) -> None:
    connection = make_connection("stripe", project=project, secret="the-old-one")
    other = make_connection("stripe", project=project).secrets.get()
    typed = {"secret": SECRET, "instead": str(other.pk), "overlap": "0"}
    assert fresh.post(page_of(connection, "keys"), typed).status_code == 422


def test_a_key_is_ended_now(fresh: Client, project: Project) -> None:
    connection = make_connection("stripe", project=project, secret="the-old-one")
    path = f"{LIST}keys/{connection.secrets.get().pk}/end/"
    signed = deliveries.signed(connection, deliveries.body("stripe", 1))
    assert "It is the last one" in text_of(fresh.get(path))
    fresh.post(path)
    assert not Secret.objects.exists()
    answer = deliveries.post(connection, deliveries.body("stripe", 1), signed)
    assert answer.status_code == 401
    assert audited() == ["connection.key_ended"]


# ----------------------------------------------------------------------------- editing
def test_details_are_changed_and_audited(fresh: Client, project: Project) -> None:
    connection = make_connection("paysecure", project=project, brand_ids=["b1"])
    typed = {"mode": "test", "brand_ids": "b1\nb2", "base_url": ""}
    fresh.post(page_of(connection, "edit"), typed)
    connection.refresh_from_db()
    assert connection.brand_ids == ["b1", "b2"]
    assert not connection.livemode
    entry = AuditEntry.objects.get(verb="connection.changed")
    assert entry.detail == {
        "brand_ids": [["b1"], ["b1", "b2"]],
        "livemode": [True, False],
    }


def test_another_host_does_not_get_the_api_key(fresh: Client, project: Project) -> None:
    connection = make_connection("stripe", project=project, api_key="key_1")
    typed = {"mode": "live", "account": "", "base_url": "https://evil.example.org"}
    fresh.post(page_of(connection, "edit"), typed)
    connection.refresh_from_db()
    assert connection.base_url == "https://evil.example.org"
    assert not connection.has_api_key


def test_nothing_changed_is_no_entry(fresh: Client, project: Project) -> None:
    connection = make_connection("stripe", project=project)
    typed = {"mode": "live", "account": "", "base_url": ""}
    assert fresh.post(page_of(connection, "edit"), typed).status_code == 302
    assert audited() == []


# ----------------------------------------------------------------------------- closing
def test_a_closed_connection_takes_nothing_more(
    fresh: Client, project: Project
) -> None:
    connection = make_connection("stripe", project=project, api_key="key_1")
    content = deliveries.body("stripe")
    signed = deliveries.signed(connection, content)
    assert "Close" in text_of(fresh.get(page_of(connection, "close")))
    fresh.post(page_of(connection, "close"))
    connection.refresh_from_db()
    assert connection.closed and not connection.has_api_key
    assert deliveries.post(connection, content, signed).status_code == 404
    assert audited() == ["connection.closed"]
    page = fresh.get(page_of(connection))
    assert "Closed since" in text_of(page)
    assert connection.intake_path not in page.content.decode()
    for verb in ("edit", "keys", "close", "key"):
        assert fresh.get(page_of(connection, verb)).status_code == 404


# --------------------------------------------------------------------------------- who
GRAVE = ("edit", "keys", "close", "key")


@pytest.mark.parametrize("verb", GRAVE)
@pytest.mark.parametrize("method", ["get", "post"])
def test_the_password_is_asked_for_first(
    developer_client: Client, project: Project, verb: str, method: str
) -> None:
    connection = make_connection("stripe", project=project)
    before = Connection.objects.values().get()
    answer = getattr(developer_client, method)(page_of(connection, verb))
    assert answer["Location"].startswith("/again/?next=")
    assert Connection.objects.values().get() == before
    assert audited() == []


def test_a_key_is_not_ended_without_the_password(
    developer_client: Client, project: Project
) -> None:
    connection = make_connection("stripe", project=project)
    path = f"{LIST}keys/{connection.secrets.get().pk}/end/"
    assert developer_client.post(path)["Location"].startswith("/again/")
    assert connection.secrets.exists()


@pytest.mark.parametrize("role", ["finance", "support", "viewer"])
def test_other_roles_are_told_who_may(project: Project, role: str) -> None:
    connection = make_connection("stripe", project=project)
    client = fresh_client_of(make_member(role, merchant=project.merchant))
    paths = [LIST, f"{LIST}new/", f"{LIST}new/stripe/", page_of(connection)]
    paths += [page_of(connection, verb) for verb in (*GRAVE, "heard")]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 403, path
        assert b"owner, admin, developer" in answer.content
    assert LIST.encode() not in client.get("/transactions/").content


def test_a_stranger_finds_nothing(stranger: Member, project: Project) -> None:
    connection = make_connection("stripe", project=project, account="acct_ours")
    client = fresh_client_of(stranger)
    key = connection.secrets.get()
    for path in (
        *(page_of(connection, verb) for verb in ("", "heard", *GRAVE)),
        f"{LIST}keys/{key.pk}/end/",
    ):
        assert client.get(path).status_code == 404, path
        assert client.post(path).status_code in {404, 405}, path
    assert str(connection.pk) not in client.get(LIST).content.decode()
    assert connection.secrets.exists()


def test_a_member_of_one_project_sees_only_its_connections(project: Project) -> None:
    other = make_project(merchant=project.merchant)
    ours = make_connection("stripe", project=project)
    theirs = make_connection("stripe", project=other)
    member = make_member("developer", merchant=project.merchant, projects=[project])
    client = fresh_client_of(member)
    shown = client.get(LIST).content.decode()
    assert str(ours.pk) in shown
    assert str(theirs.pk) not in shown
    assert client.get(page_of(theirs)).status_code == 404
    typed = new(other)
    assert client.post(f"{LIST}new/stripe/", typed).status_code == 422
