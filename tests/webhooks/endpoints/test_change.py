"""An endpoint is changed; above all, its events do not go elsewhere unnoticed."""

from __future__ import annotations

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from merchant.models import Member, Project
from tests.factories import make_member, make_project
from tests.webhooks.endpoints.parts import URL, make_delivery, make_endpoint, noted
from webhooks import custom_headers, endpoints, secrets
from webhooks.endpoints import NotUsable
from webhooks.models import Delivery, Endpoint

pytestmark = pytest.mark.django_db

ELSEWHERE = "https://other.example.com/hooks"


def states(endpoint: Endpoint) -> list[str]:
    rows = Delivery.objects.filter(endpoint=endpoint).order_by("pk")
    return list(rows.values_list("state", flat=True))


def test_what_is_not_named_stays(project: Project, owner: Member) -> None:
    made = make_endpoint(project, rate=7, headers={"X-A": "a"}, events=["payment.*"])
    endpoints.change(made, by=owner, description="Shop")
    row = Endpoint.objects.get(pk=made.pk)
    assert (row.description, row.rate, row.events) == ("Shop", 7, ["payment.*"])
    assert custom_headers.opened(row) == {"X-A": "a"}
    assert made.description == "Shop"


def test_a_change_that_changes_nothing_is_not_noted(
    project: Project, owner: Member
) -> None:
    made = make_endpoint(project, headers={"X-A": "a"})
    before = Endpoint.objects.values().get(pk=made.pk)
    endpoints.change(made, by=owner, url=URL, rate=500, headers={"X-A": "a"})
    after = Endpoint.objects.values().get(pk=made.pk)
    assert before | {"sealed_headers": ""} == after | {"sealed_headers": ""}
    assert not noted("endpoint.changed")


def test_the_log_says_from_what_to_what_and_no_secret(
    project: Project, owner: Member
) -> None:
    made = make_endpoint(
        project, url=f"{URL}?token=t0psecret", headers={"X-A": "hush1"}
    )
    endpoints.change(
        made,
        by=owner,
        url=f"{URL}/v2?token=t0psecret",
        rate=3,
        headers={"X-B": "hush2"},
    )
    (detail,) = noted("endpoint.changed")
    assert detail["changed"] == ["url", "rate", "headers"]
    assert detail["url"] == [URL, f"{URL}/v2"]
    assert detail["rate"] == [500, 3]
    assert detail["headers"] == [["X-A"], ["X-B"]]
    assert "hush" not in str(detail)
    assert "t0psecret" not in str(detail)


def test_what_cannot_be_changes_nothing(project: Project, owner: Member) -> None:
    made = make_endpoint(project)
    with pytest.raises(NotUsable):
        endpoints.change(made, by=owner, description="New", url="ftp://x.example.com")
    assert Endpoint.objects.get(pk=made.pk).description == ""
    with pytest.raises(TypeError):
        endpoints.change(made, by=owner, state="disabled")


def test_one_that_was_deleted_meanwhile_says_so(
    project: Project, owner: Member
) -> None:
    made = make_endpoint(project)
    Endpoint.objects.all().delete()
    for verb in (endpoints.change, endpoints.pause, endpoints.enable):
        with pytest.raises(NotUsable, match="deleted"):
            verb(made, by=owner)


# ------------------------------------------------------------------- another address
@pytest.mark.parametrize(
    "url",
    [
        ELSEWHERE,
        "https://shop.example.com:8443/hooks",
        "https://shop.example.com.evil.example.com/hooks",
    ],
)
def test_what_waits_is_held_when_the_address_changes(
    project: Project, owner: Member, url: str
) -> None:
    made = make_endpoint(project)
    later = timezone.now() + timedelta(seconds=30)
    make_delivery(made)
    make_delivery(made, lease=uuid4(), leased_until=later)
    make_delivery(made, state="delivered")
    make_delivery(made, state="exhausted")
    endpoints.change(made, by=owner, url=url)
    assert states(made) == ["held", "held", "delivered", "exhausted"]
    assert not Delivery.objects.filter(lease__isnull=False).exists()
    assert noted("endpoint.changed")[0]["waiting"] == "hold"


def test_it_goes_to_the_new_address_where_that_is_wanted(
    project: Project, owner: Member
) -> None:
    made = make_endpoint(project)
    make_delivery(made)
    endpoints.change(made, by=owner, url=ELSEWHERE, waiting="send")
    assert states(made) == ["pending"]
    assert noted("endpoint.changed")[0]["waiting"] == "send"


@pytest.mark.parametrize("url", [f"{URL}/v2", f"{URL}?a=b", "https://SHOP.example.com"])
def test_another_path_at_the_same_server_holds_nothing(
    project: Project, owner: Member, url: str
) -> None:
    made = make_endpoint(project)
    make_delivery(made)
    endpoints.change(made, by=owner, url=url)
    assert states(made) == ["pending"]
    assert not mail.outbox


def test_failures_of_the_old_address_are_forgotten(
    project: Project, owner: Member
) -> None:
    made = make_endpoint(project)
    now = timezone.now()
    Endpoint.objects.update(failing=now, warned=2, slow=True, slow_until=now)
    endpoints.change(made, by=owner, url=ELSEWHERE)
    assert (made.failing, made.warned, made.slow) == (None, 0, False)


def test_the_owners_hear_of_a_new_address(
    project: Project, owner: Member, developer: Member,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    second = make_member("owner", merchant=project.merchant)
    elsewhere = make_project(merchant=project.merchant)
    make_member("owner", merchant=project.merchant, projects=[elsewhere])
    made = make_endpoint(project, url=f"{URL}?key=t0psecret")
    with django_capture_on_commit_callbacks(execute=True):
        endpoints.change(made, by=developer, url=f"{ELSEWHERE}?key=t0psecret")
    assert {m.to[0] for m in mail.outbox} == {owner.user.email, second.user.email}
    text = mail.outbox[0].body
    assert project.name in mail.outbox[0].subject
    assert "From: https://shop.example.com/hooks" in text
    assert "To: https://other.example.com/hooks" in text
    assert developer.user.email in text
    assert f"/webhooks/{made.pk}/" in text
    assert "t0psecret" not in mail.outbox[0].message().as_string()


def test_a_mail_server_that_is_away_stops_nothing(
    project: Project, owner: Member, monkeypatch,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    def away(*_args: Any) -> None:
        raise SMTPServerDisconnected

    path = "django.core.mail.backends.locmem.EmailBackend.send_messages"
    monkeypatch.setattr(path, away)
    made = make_endpoint(project)
    with django_capture_on_commit_callbacks(execute=True):
        endpoints.change(made, by=owner, url=ELSEWHERE)
    assert Endpoint.objects.get(pk=made.pk).url == ELSEWHERE


# ------------------------------------------------------------------- another dialect
@pytest.mark.parametrize("dialect", ["paysuper", "paynow", "stripe"])
def test_a_secret_that_still_fits_is_kept(
    project: Project, owner: Member, dialect: str
) -> None:
    made, secret = endpoints.create(project, url=URL)
    endpoints.change(made, by=owner, dialect=dialect)
    assert secrets.keys_of(made).secrets == (secret,)


def test_one_that_does_not_fit_makes_room_for_a_new_one(
    project: Project, owner: Member
) -> None:
    made, secret = endpoints.create(
        project, url=URL, dialect="paysuper", secret="not base64, no!"
    )
    endpoints.change(made, by=owner, dialect="standard")
    (new,) = secrets.keys_of(made).secrets
    assert new != secret
    secrets.check_secret("standard", new)


def test_to_the_key_pair_and_back(project: Project, owner: Member) -> None:
    made = make_endpoint(project)
    endpoints.change(made, by=owner, dialect="paysecure")
    assert not made.secrets.exists()
    assert secrets.keys_of(made).private_key
    endpoints.change(made, by=owner, dialect="stripe")
    assert len(secrets.keys_of(made).secrets) == 1


def test_headers_that_the_new_dialect_needs_itself_are_in_the_way(
    project: Project, owner: Member
) -> None:
    made = make_endpoint(project, headers={"Authorization": "Basic eA=="})
    with pytest.raises(NotUsable, match="Authorization"):
        endpoints.change(made, by=owner, dialect="paysuper")
    endpoints.change(made, by=owner, dialect="paysuper", headers={})
    assert made.dialect == "paysuper"
