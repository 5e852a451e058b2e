"""An endpoint is deleted, with its log however long, and nobody else's."""

from __future__ import annotations

import pytest

from merchant.models import Member, Project
from tests.webhooks.endpoints.parts import make_delivery, make_endpoint, make_try, noted
from webhooks import endpoints
from webhooks.endpoints import NotUsable
from webhooks.models import Attempt, Delivery, Endpoint, EndpointSecret, Event

pytestmark = pytest.mark.django_db


def test_it_goes_with_its_log_and_its_secrets(
    project: Project, owner: Member, monkeypatch
) -> None:
    monkeypatch.setattr(endpoints.verbs, "AT_ONCE", 2)
    made, other = make_endpoint(project), make_endpoint(project)
    for _ in range(5):
        make_try(made)
    make_delivery(made)
    kept = make_try(other)
    endpoints.delete(made, by=owner)
    assert list(Endpoint.objects.all()) == [other]
    assert list(Delivery.objects.all()) == [kept.delivery]
    assert list(Attempt.objects.all()) == [kept]
    assert EndpointSecret.objects.get().endpoint == other
    assert Event.objects.count() == 7
    assert noted("endpoint.deleted")[0]["url"] == made.url


def test_cut_off_in_the_middle_it_sends_no_more_and_can_be_done_again(
    project: Project, owner: Member, monkeypatch
) -> None:
    made = make_endpoint(project)
    make_delivery(made)

    def cut_off(_endpoint: Endpoint) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(endpoints.verbs, "_delete_some", cut_off)
        endpoints.delete(made, by=owner)
    assert Endpoint.objects.get().state == "disabled"
    assert Delivery.objects.get().state == "dropped"
    endpoints.delete(made, by=owner)
    assert not Endpoint.objects.exists()


def test_twice_says_that_it_is_gone(project: Project, owner: Member) -> None:
    made = make_endpoint(project)
    endpoints.delete(made, by=owner)
    with pytest.raises(NotUsable, match="deleted"):
        endpoints.delete(made, by=owner)
