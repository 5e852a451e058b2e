"""An endpoint is set up: what it may be given, and that its secret is kept sealed."""

from __future__ import annotations

from typing import Any

import pytest

from merchant.models import Member, Project
from tests.factories import make_project
from tests.webhooks.endpoints.parts import URL, make_endpoint, noted
from webhooks import custom_headers, endpoints, secrets, signing_keys
from webhooks.endpoints import NotUsable
from webhooks.models import Endpoint, EndpointSecret

pytestmark = pytest.mark.django_db


def test_it_takes_everything_that_it_is_told(project: Project, owner: Member) -> None:
    made, secret = endpoints.create(
        project,
        url=f" {URL} ",
        events=["refund.failed", "payment.*", "payment.success"],
        description="Shop\n server",
        livemode=True,
        rate=7,
        headers={"X-Team": "payments"},
        metadata={"note": "ours"},
        by=owner,
    )
    row = Endpoint.objects.get(pk=made.pk)
    assert (row.url, row.description) == (URL, "Shop server")
    assert row.events == ["payment.*", "refund.failed"]
    assert (row.livemode, row.rate, row.state) == (True, 7, "enabled")
    assert row.metadata == {"note": "ours"}
    assert row.created_by == owner.user
    assert custom_headers.opened(row) == {"X-Team": "payments"}
    assert secrets.keys_of(row).secrets == (secret,)
    assert noted("endpoint.created")[0]["dialect"] == "standard"


def test_nothing_of_its_secrets_stands_in_the_row(project: Project) -> None:
    made, secret = endpoints.create(project, url=URL, headers={"X-Token": "topsecret1"})
    sealed = EndpointSecret.objects.get(endpoint=made).sealed
    assert secret.removeprefix("whsec_") not in sealed
    assert "topsecret1" not in made.sealed_headers
    assert "topsecret1" not in str(noted("endpoint.created"))


@pytest.mark.parametrize("dialect", ["standard", "stripe", "paysuper", "paynow"])
def test_each_dialect_has_a_secret_in_its_form(project: Project, dialect: str) -> None:
    made, secret = endpoints.create(project, url=URL, dialect=dialect)
    secrets.check_secret(dialect, secret)
    assert secrets.keys_of(made).secrets == (secret,)


def test_paysecure_signs_with_the_projects_pair(project: Project) -> None:
    made, secret = endpoints.create(project, url=URL, dialect="paysecure")
    other = make_endpoint(project, dialect="paysecure")
    assert not secret
    assert not made.secrets.exists()
    pair = signing_keys.live(project.pk)
    assert len(pair) == 1
    assert secrets.keys_of(made).private_key == pair[0].open()
    assert secrets.keys_of(other).private_key == pair[0].open()


def test_a_secret_of_the_receivers_own_is_kept(project: Project) -> None:
    given = "a-secret-from-the-old-system"
    _made, secret = endpoints.create(project, url=URL, dialect="paysuper", secret=given)
    assert secret == given


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"url": "http://shop.example.com/"}, "url", "https://"),
        ({"url": "https://10.0.0.7/"}, "url", "not public"),
        ({"url": "https://localhost/"}, "url", "domain"),
        ({"url": "https://shop.internal/"}, "url", "inside a network"),
        ({"url": "https://ana:pw@shop.example.com/"}, "url", "user name"),
        ({"url": ""}, "url", "look like"),
        ({"url": f"https://shop.example.com/{'x' * 2048}"}, "url", "longer"),
        ({"events": ["payment.sucess"]}, "events", "payment.sucess"),
        ({"events": ["endpoint.test"]}, "events", "endpoint.test"),
        ({"events": "payment.success"}, "events", "list"),
        ({"dialect": "klingon"}, "dialect", "klingon"),
        ({"description": "x" * 201}, "description", "200"),
        ({"description": "a\x00b"}, "description", "control"),
        ({"rate": 0}, "rate", "1 to 10000"),
        ({"rate": 10_001}, "rate", "1 to 10000"),
        ({"rate": "7"}, "rate", "whole number"),
        ({"rate": True}, "rate", "whole number"),
        ({"livemode": "yes"}, "livemode", "live"),
        ({"metadata": ["x"]}, "metadata", "object"),
        ({"metadata": {"x": "y" * 9000}}, "metadata", "8 KiB"),
        ({"headers": {"Host": "x"}}, "headers", "Host"),
        ({"headers": {"Webhook-Signature": "x"}}, "headers", "Webhook-Signature"),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, "headers", "printable"),
        ({"headers": {"X-A": 7}}, "headers", "texts"),
        ({"headers": ["X-A: a"]}, "headers", "object"),
        ({"secret": "short"}, "secret", "secret"),
        ({"secret": "x" * 40, "dialect": "paysecure"}, "secret", "key pair"),
        (
            {"headers": {"Authorization": "x"}, "dialect": "paysuper"},
            "headers",
            "Authorization",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    project: Project, given: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(NotUsable, match=words) as refused:
        endpoints.create(project, **{"url": URL} | given)
    assert refused.value.field == field
    assert str(refused.value)[-1] in ".;"
    assert not Endpoint.objects.exists()
    assert not EndpointSecret.objects.exists()


@pytest.mark.parametrize("private", [False, True])
def test_our_own_door_is_no_endpoint(project: Project, settings, private: bool) -> None:
    settings.PUBLIC_URL = "https://merchant.example.com"
    settings.ALLOW_PRIVATE_ENDPOINTS = private
    with pytest.raises(NotUsable, match="this installation"):
        endpoints.create(project, url="https://merchant.example.com/hooks/stripe/1")


def test_the_sandbox_is_no_endpoint(project: Project, settings) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:8099"
    with pytest.raises(NotUsable, match="sandbox"):
        endpoints.create(project, url="http://127.0.0.1:8099/hooks")


def test_a_project_has_only_so_many(project: Project, monkeypatch) -> None:
    monkeypatch.setattr(endpoints.verbs, "MOST", 2)
    make_endpoint(project)
    make_endpoint(project)
    with pytest.raises(NotUsable, match="2 endpoints"):
        make_endpoint(project)
    make_endpoint(make_project(merchant=project.merchant))
    Endpoint.objects.create(project=project, kind="callback", url=URL)
    assert Endpoint.objects.count() == 4


def test_a_hundred_endpoints_have_room(project: Project) -> None:
    Endpoint.objects.bulk_create(
        Endpoint(project=project, url=f"{URL}/{number}") for number in range(99)
    )
    endpoints.create(project, url=URL)
    assert Endpoint.objects.filter(project=project).count() == 100


def test_one_may_start_paused(project: Project) -> None:
    assert make_endpoint(project, enabled=False).state == "paused"
