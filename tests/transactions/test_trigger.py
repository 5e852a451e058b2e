"""`trigger`: one signed sample event, to the right connection."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from merchant.providers import PROVIDERS
from tests.factories import make_connection
from transactions import jobs
from transactions.demo import samples
from transactions.models import Transaction
from webhooks.models import InboundEvent

pytestmark = pytest.mark.django_db

#: What each provider can be asked for at the least.
USUAL = {
    "stripe": {
        "checkout.session.completed",
        "charge.refunded",
        "payment_intent.succeeded",
    },
    "paysuper": {"payment.success", "payment.cancel", "payment.refund"},
    "paysecure": set(),
    "paynow": {"ON_ORDER_COMPLETED", "ON_REFUND", "ON_CHARGEBACK"},
}
ALL = [(provider, event) for provider in PROVIDERS for event in samples.known(provider)]


@pytest.fixture(autouse=True)
def away(settings, tmp_path: Path) -> None:
    """Nobody listens at PUBLIC_URL, so that events come in process."""
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = "http://127.0.0.1:9"


def trigger(*words: str) -> dict[str, object]:
    out = StringIO()
    call_command("trigger", *words, "--json", stdout=out)
    return json.loads(out.getvalue().splitlines()[-1])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_usual_events_are_known(provider: str) -> None:
    assert USUAL[provider] <= set(samples.known(provider))
    assert len(samples.known(provider)) >= 4


@pytest.mark.parametrize(("provider", "event"), ALL)
def test_every_event_is_taken_and_read(provider: str, event: str) -> None:
    row = make_connection(provider, livemode=False)
    said = trigger(provider, event)
    assert (said["status"], said["event"]) == (200, event)
    assert said["connection"] == str(row.pk)
    jobs.drain_inbox()
    (kept,) = InboundEvent.objects.all()
    assert (kept.state, kept.error) == ("done", "")


def test_a_second_one_is_another_purchase() -> None:
    make_connection("paysuper", livemode=False)
    for _ in range(2):
        trigger("paysuper", "payment.success")
    jobs.drain_inbox()
    assert Transaction.objects.filter(status="paid").count() == 2


def test_a_test_connection_is_preferred() -> None:
    row = make_connection("stripe", livemode=False)
    make_connection("stripe", project=row.project)
    event = next(iter(samples.known("stripe")))
    assert trigger("stripe", event)["connection"] == str(row.pk)


def test_the_connection_can_be_chosen() -> None:
    row = make_connection("stripe", livemode=False)
    make_connection("stripe", project=row.project, livemode=False)
    event = next(iter(samples.known("stripe")))
    said = trigger("stripe", event, "--connection", str(row.pk))
    assert said["connection"] == str(row.pk)


def test_the_case_of_the_event_does_not_matter() -> None:
    make_connection("paysuper", livemode=False)
    assert trigger("paysuper", "Payment.Success")["event"] == "payment.success"


def test_an_unknown_event_lists_those_that_are_known() -> None:
    make_connection("paysuper", livemode=False)
    with pytest.raises(CommandError, match=r"It knows: .*payment\.success") as problem:
        trigger("paysuper", "payment.fraud")
    assert problem.value.returncode == 2


def test_without_a_connection_it_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="add_connection") as problem:
        trigger("paysuper", "payment.success")
    assert problem.value.returncode == 1


def test_what_cannot_be_signed_is_not_sent() -> None:
    row = make_connection("paysecure", livemode=False)
    row.secrets.filter(kind="private").delete()
    event = next(iter(samples.known("paysecure")))
    with pytest.raises(CommandError, match="--public-key"):
        trigger("paysecure", event)
    assert not InboundEvent.objects.exists()
