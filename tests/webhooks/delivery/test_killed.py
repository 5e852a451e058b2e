"""A worker that dies at any step: nothing is lost, and one copy more at the most."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from merchant import http
from merchant.models import Project
from tests.webhooks.delivery.parts import Receiver, make_endpoint, publish
from webhooks import jobs
from webhooks.delivery import claims, health, letters, notes, rounds
from webhooks.models import Attempt, Delivery

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """No `except Exception` sees it, as none sees kill -9."""


def die(*_: Any, **__: Any) -> Any:
    raise Killed


#: Step -> what is not there any more, and whether the letter had gone out by then.
STEPS: dict[str, tuple[object, str, bool]] = {
    "claimed": (rounds.Run, "_begin", False),
    "before it is signed": (letters, "of", False),
    "before it is sent": (http.Many, "begin", False),
    "answer come": (rounds.Run, "_take", True),
    "before it is noted": (notes, "write", True),
    "noted, the endpoint's health not": (health, "note", True),
}


@pytest.mark.parametrize("step", STEPS)
def test_it_goes_out_once_or_once_more(
    project: Project, shop: Receiver, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    where, name, gone = STEPS[step]
    make_endpoint(project, shop.url)
    [row] = publish(project)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, die)
        with pytest.raises(Killed):
            jobs.deliver()
    assert len(shop.heard) == int(gone)
    assert jobs.deliver() == 0  # the lease is still the dead one's, or it is done
    Delivery.objects.exclude(lease=None).update(leased_until=timezone.now())
    jobs.deliver()
    row.refresh_from_db()
    assert (row.state, row.lease, row.attempts_made) == ("delivered", None, 1)
    assert len(shop.heard) <= int(gone) + 1
    assert {heard.id for heard in shop.heard} == {row.event.key}
    assert Attempt.objects.count() == 1


def claim() -> claims.Claimed:
    [claimed] = claims.Claims().take(10)
    return claimed


def test_who_comes_late_writes_nothing(project: Project, shop: Receiver) -> None:
    """Frozen beyond its lease, and thawed: another has sent it meanwhile."""
    make_endpoint(project, shop.url)
    [row] = publish(project)
    late = claim()
    Delivery.objects.update(leased_until=timezone.now())
    assert jobs.deliver() == 1
    ended = http.Ended(None, http.many.NOTHING, None)
    bad = notes.Verdict("timeout", "too late", busy=True)
    assert notes.write([notes.Result(late, timezone.now(), ended, bad, {})]) == 0
    row.refresh_from_db()
    assert (row.state, row.attempts_made) == ("delivered", 1)
    assert Attempt.objects.get().outcome == "ok"


def test_who_thaws_after_half_its_lease_sends_nothing(
    project: Project, shop: Receiver
) -> None:
    make_endpoint(project, shop.url)
    publish(project)
    late = claim()
    late.until -= timedelta(seconds=rounds.LATEST_START + 1)
    run = rounds.Run(rounds._courier())
    run._begin(late)
    assert len(run.courier) == 0


def test_one_that_cannot_be_written_holds_up_nobody(
    project: Project, shop: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_endpoint(project, shop.url)
    bad, good = publish(project), publish(project)
    real = letters.of

    def write(claimed: claims.Claimed, at: Any) -> letters.Outgoing:
        if claimed.id == bad[0].pk:
            raise RuntimeError
        return real(claimed, at)

    monkeypatch.setattr(letters, "of", write)
    assert jobs.deliver() == 1
    bad[0].refresh_from_db()
    good[0].refresh_from_db()
    assert (bad[0].state, bad[0].tries, bad[0].lease) == ("pending", 0, None)
    assert "RuntimeError" in bad[0].error
    assert good[0].state == "delivered"


def test_what_is_no_longer_kept_is_dropped_and_says_so(
    project: Project, shop: Receiver
) -> None:
    make_endpoint(project, shop.url)
    [row] = publish(project)
    row.event.__class__.objects.update(payload={})
    assert jobs.deliver() == 0
    row.refresh_from_db()
    assert (row.state, "no longer kept" in row.error) == ("dropped", True)
