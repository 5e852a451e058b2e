"""The merchant's own headers: sealed, sent along, never in the signature's place."""

from __future__ import annotations

import pytest

from merchant import vault
from merchant.models import Project
from tests.webhooks.delivery.parts import Receiver, make_endpoint, publish
from webhooks import custom_headers, jobs
from webhooks.models import Attempt, Endpoint

pytestmark = pytest.mark.django_db


def test_they_are_sent_and_not_kept_in_the_clear(
    project: Project, shop: Receiver
) -> None:
    endpoint = make_endpoint(project, shop.url)
    given = {"Authorization": "Bearer gate-token", "X-Shop": "dragons"}
    endpoint.sealed_headers = custom_headers.seal(given, endpoint)
    endpoint.save()
    assert "gate-token" not in endpoint.sealed_headers
    assert custom_headers.opened(endpoint) == given
    publish(project)
    jobs.deliver()
    [heard] = shop.heard
    assert heard.headers["authorization"] == "Bearer gate-token"
    assert heard.told
    kept = Attempt.objects.get().sent_headers
    assert kept["Authorization"] == kept["X-Shop"] == "(hidden)"
    assert kept["webhook-id"] == heard.id


@pytest.mark.parametrize(
    "name",
    ["Host", "content-length", "Transfer-Encoding", "Webhook-Signature", "webhook-id",
     "Stripe-Signature", "PAYSECURE_SIGN", "Content-Type", "Cookie", "Expect"],
)  # fmt: skip
def test_the_senders_own_are_reserved(name: str) -> None:
    with pytest.raises(custom_headers.NotUsable, match="sender"):
        custom_headers.check({name: "x"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-A", "a\r\nHost: evil"),
        ("X-A\r\nB", "a"),
        ("X A", "a"),
        ("", "a"),
        ("X-A", "é"),
        ("X-A", "\x00"),
        ("X-A", "a" * 2001),
        ("X" * 101, "a"),
    ],
)
def test_what_cannot_be_sent_is_refused(name: str, value: str) -> None:
    with pytest.raises(custom_headers.NotUsable):
        custom_headers.check({name: value})


def test_there_are_not_too_many_and_none_twice() -> None:
    custom_headers.check({f"X-{n}": "v" for n in range(20)})
    with pytest.raises(custom_headers.NotUsable, match="more than"):
        custom_headers.check({f"X-{n}": "v" for n in range(21)})
    with pytest.raises(custom_headers.NotUsable, match="twice"):
        custom_headers.check({"X-A": "1", "x-a": "2"})


def test_authorization_is_paysupers_own() -> None:
    custom_headers.check({"Authorization": "x"}, dialect="standard")
    with pytest.raises(custom_headers.NotUsable):
        custom_headers.check({"Authorization": "x"}, dialect="paysuper")


def test_a_reserved_one_that_got_in_is_left_out(
    project: Project, shop: Receiver
) -> None:
    endpoint = make_endpoint(project, shop.url)
    endpoint.sealed_headers = vault.seal(
        '{"Webhook-Id": "msg_other", "X-Fine": "1"}',
        purpose=custom_headers.PURPOSE,
        row=endpoint.pk,
    )
    endpoint.save()
    [row] = publish(project)
    jobs.deliver()
    [heard] = shop.heard
    assert heard.id == row.event.key
    assert heard.headers["x-fine"] == "1"


def test_one_that_does_not_open_waits_and_is_not_lost(
    project: Project, shop: Receiver
) -> None:
    endpoint = make_endpoint(project, shop.url, sealed_headers="not sealed here")
    publish(project)
    assert jobs.deliver() == 0
    row = endpoint.deliveries.get()
    assert (row.state, row.tries, row.lease) == ("pending", 0, None)
    assert "ENCRYPTION_KEYS" in row.error
    Endpoint.objects.update(sealed_headers="")
