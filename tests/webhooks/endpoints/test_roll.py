"""Secrets are shown and rolled: with an overlap nothing is refused, without one a
secret that leaked is worth nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from merchant.models import Member, Project
from tests.webhooks.endpoints.parts import URL, make_endpoint, noted
from webhooks import dialects, endpoints, secrets, signing_keys
from webhooks.endpoints import NotUsable
from webhooks.models import Endpoint, EndpointSecret
from webhooks.samples import sample_news

pytestmark = pytest.mark.django_db


def accepted(endpoint: Endpoint, secret: str) -> bool:
    """Whether a receiver with this secret takes a letter that is signed now."""
    news = sample_news("payment.success")
    keys = secrets.keys_of(endpoint)
    letter = dialects.compose(endpoint.dialect, news, keys, timezone.now())
    assert letter is not None
    try:
        Webhook(secret).verify(letter.body, dict(letter.headers))
    except WebhookVerificationError:
        return False
    return True


def test_both_fit_while_they_overlap(project: Project, owner: Member) -> None:
    made, old = endpoints.create(project, url=URL)
    new = endpoints.roll(made, by=owner)
    assert new != old
    assert accepted(made, new)
    assert accepted(made, old)
    ends = EndpointSecret.objects.exclude(expires=None).get().expires
    assert timedelta(hours=23) < ends - timezone.now() <= timedelta(hours=24)
    assert noted("endpoint.secret_rolled")[0]["overlap_hours"] == 24


def test_the_old_one_ends_with_the_overlap(project: Project, owner: Member) -> None:
    made, old = endpoints.create(project, url=URL)
    new = endpoints.roll(made, overlap=timedelta(hours=1), by=owner)
    past = timezone.now() - timedelta(seconds=1)
    EndpointSecret.objects.exclude(expires=None).update(expires=past)
    secrets.forget(made)
    assert accepted(made, new)
    assert not accepted(made, old)


def test_rolled_now_the_old_one_is_destroyed_at_once(
    project: Project, owner: Member
) -> None:
    made, old = endpoints.create(project, url=URL)
    endpoints.roll(made, by=owner)
    assert accepted(made, old)
    new = endpoints.roll(made, overlap=timedelta(0), by=owner)
    assert accepted(made, new)
    assert not accepted(made, old)
    assert EndpointSecret.objects.count() == 1


def test_an_end_that_is_nearer_stays(project: Project, owner: Member) -> None:
    made = make_endpoint(project)
    endpoints.roll(made, overlap=timedelta(hours=1), by=owner)
    endpoints.roll(made, overlap=timedelta(days=7), by=owner)
    ends = EndpointSecret.objects.exclude(expires=None).order_by("expires")
    hours = [(row.expires - timezone.now()).total_seconds() / 3600 for row in ends]
    assert [round(hour) for hour in hours] == [1, 168]


@pytest.mark.parametrize("overlap", [timedelta(days=7, seconds=1), -timedelta(1)])
def test_an_overlap_is_up_to_seven_days(
    project: Project, owner: Member, overlap: timedelta
) -> None:
    made = make_endpoint(project)
    with pytest.raises(NotUsable, match="0 to 7 days") as refused:
        endpoints.roll(made, overlap=overlap, by=owner)
    assert refused.value.field == "overlap"


def test_only_so_many_sign_at_once(project: Project, owner: Member) -> None:
    made = make_endpoint(project)
    for _ in range(endpoints.MOST_LIVE - 1):
        endpoints.roll(made, by=owner)
    with pytest.raises(NotUsable, match="still sign"):
        endpoints.roll(made, by=owner)
    endpoints.roll(made, overlap=timedelta(0), by=owner)
    assert EndpointSecret.objects.count() == 1


def test_each_look_at_it_is_noted(project: Project, owner: Member) -> None:
    made, secret = endpoints.create(project, url=URL)
    assert endpoints.reveal(made, owner) == secret
    newer = endpoints.roll(made, by=owner)
    assert endpoints.reveal(made, owner) == newer
    assert len(noted("endpoint.secret_shown")) == 2
    assert newer not in str(noted("endpoint.secret_shown"))


def test_the_key_pair_is_rolled_for_all_that_it_signs_for(
    project: Project, owner: Member
) -> None:
    made, other = (make_endpoint(project, dialect="paysecure") for _ in range(2))
    (old,) = signing_keys.live(project.pk)
    assert secrets.keys_of(other).private_key == old.open()
    assert endpoints.roll(made, by=owner) == ""
    new = signing_keys.live(project.pk)[0]
    for each in (made, other):
        assert secrets.keys_of(each).private_key == new.open()
        assert secrets.keys_of(each).older_private_keys == (old.open(),)
    with pytest.raises(NotUsable, match="key pair"):
        endpoints.reveal(made, owner)
    endpoints.roll(made, overlap=timedelta(0), by=owner)
    assert len(signing_keys.live(project.pk)) == 1
    assert len(noted("endpoint.key_pair_rolled")) == 2
