"""manage.py resend for all that an endpoint has missed."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from merchant.models import AuditEntry, Project
from tests.webhooks.delivery.parts import make_endpoint, publish
from tests.webhooks.resends.parts import give_up
from webhooks.models import Endpoint, Resend
from webhooks.resends import running

pytestmark = pytest.mark.django_db


def resend(endpoint: Endpoint, *words: str) -> dict[str, Any]:
    out = StringIO()
    call_command("resend", "--endpoint", str(endpoint.pk), *words, "--json", stdout=out)
    return dict(json.loads(out.getvalue().splitlines()[-1]))


def test_all_that_failed_since(endpoint: Endpoint) -> None:
    rows = give_up(endpoint, 3)
    day = rows[0].created.date().isoformat()
    told = resend(endpoint, "--failed-since", day, "--rate", "5")
    assert (told["state"], told["queued"]) == ("done", 3)
    assert endpoint.deliveries.filter(state="pending").count() == 3
    assert AuditEntry.objects.get(verb="resend.started").actor_label == "command"


def test_what_it_was_never_told(project: Project) -> None:
    publish(project, 2)
    late = make_endpoint(project, "https://late.example.com/")
    since = f"{timezone.now() - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    assert resend(late, "--missing-since", since)["queued"] == 2


def test_many_are_left_to_the_worker(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "AT_ONCE", 2)
    give_up(endpoint, 3)
    told = resend(endpoint, "--failed-since", "2026-01-01")
    assert (told["state"], told["queued"]) == ("pending", 0)
    assert str(Resend.objects.get().pk) == told["resend"]


def test_an_endpoint_that_is_paused_says_so(endpoint: Endpoint) -> None:
    Endpoint.objects.update(state="paused")
    with pytest.raises(CommandError, match="paused") as problem:
        resend(endpoint, "--failed-since", "2026-11-01")
    assert problem.value.returncode == 1


@pytest.mark.parametrize(
    "words",
    [
        (), ("--failed-since", "2026-11-01"),
        ("--failed-since", "soon", "--endpoint", "x"),
        ("--failed-since", "2026-11-01", "--endpoint", "x", "--rate", "0"),
    ],
)  # fmt: skip
def test_what_says_too_little_is_wrong_use(words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as problem:
        call_command("resend", *words)
    assert problem.value.returncode == 2
