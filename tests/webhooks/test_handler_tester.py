"""The tester's cases are what they say they are, and its verdicts say what to do."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import stripe as stripe_library
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from merchant.providers import PROVIDERS
from merchant.providers.base import BadSignature, Incoming, Keys
from tests.factories import rsa_pair
from webhooks import secrets
from webhooks.dialects import DIALECTS
from webhooks.dialects.base import Letter, SigningKeys
from webhooks.trying import handler_tester
from webhooks.trying.handler_tester import Case

SECRET = secrets.new_secret("standard")
NAMES = [
    "existing_user",
    "non_existing_user",
    "correct_payment",
    "invalid_signature",
    "duplicate",
    "old",
]


def _now() -> datetime:
    return datetime.now(UTC)


def _cases(dialect: str, **more: Any) -> dict[str, Case]:
    keys = SigningKeys((SECRET,), rsa_pair()[1])
    found = handler_tester.cases(dialect, keys, _now(), **more)
    return {case.name: case for case in found}


def _is_taken(dialect: str, letter: Letter) -> bool:
    """Whether a correct receiver of the dialect believes the letter."""
    headers = {name.lower().replace("_", "-"): v for name, v in letter.headers.items()}
    try:
        if dialect == "standard":
            Webhook(SECRET).verify(letter.body, headers)
        elif dialect == "stripe":
            stripe_library.Webhook.construct_event(
                letter.body, headers["stripe-signature"], SECRET
            )
        else:
            keys = Keys(secrets=(SECRET,), public_keys=(rsa_pair()[0],))
            incoming = Incoming(letter.body, headers, _now())
            PROVIDERS[dialect].verify(incoming, keys)
    except (
        BadSignature,
        WebhookVerificationError,
        stripe_library.SignatureVerificationError,
    ):
        return False
    return True


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_has_the_same_cases(dialect: str) -> None:
    assert list(_cases(dialect)) == NAMES


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_letter_is_signed_as_its_case_says(dialect: str, name: str) -> None:
    case = _cases(dialect)[name]
    signed = name != "invalid_signature"
    if name == "old" and dialect in handler_tester.STAMPED:
        signed = False  # right, and too old to be taken
    assert [_is_taken(dialect, one) for one in case.letters] == [signed] * len(
        case.letters
    )


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_duplicate_is_the_same_event_twice(dialect: str) -> None:
    once, again = (json.loads(one.body) for one in _cases(dialect)["duplicate"].letters)
    for told in (once, again):
        told.pop("delivery_try", None)
    assert once == again


@pytest.mark.parametrize("dialect", DIALECTS)
def test_another_run_has_other_ids(dialect: str) -> None:
    keys = SigningKeys((SECRET,), rsa_pair()[1])
    first = handler_tester.cases(dialect, keys, _now())
    second = handler_tester.cases(dialect, keys, _now() + timedelta(seconds=1))
    bodies = [one.body for case in [*first, *second] for one in case.letters[:1]]
    assert len(set(bodies)) == len(bodies)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_looks_like_a_real_payment(dialect: str) -> None:
    marks = {
        "standard": lambda told: told["live"] is False,
        "stripe": lambda told: told["livemode"] is False,
        "paysuper": lambda told: told["object"]["testing_case"] and not told["live"],
        "paynow": lambda told: told["body"]["id"].startswith("test-"),
        "paysecure": lambda told: told["is_test"] and told["message"]["is_test"],
    }
    for case in _cases(dialect).values():
        assert all(marks[dialect](json.loads(one.body)) for one in case.letters)


def test_paysupers_unknown_customer_is_the_one_that_its_tester_invents() -> None:
    case = _cases("paysuper", customer="player-1")["non_existing_user"]
    order = json.loads(case.letters[0].body)["object"]
    assert order["user"]["external_id"].startswith("paysuper_test_")
    assert order["testing_case"] == "non_existing_user"
    assert handler_tester.judge(case, 400).passed
    assert not handler_tester.judge(case, 200).passed


def test_the_known_customer_can_be_named() -> None:
    case = _cases("paysuper", customer="player-1")["existing_user"]
    assert (
        json.loads(case.letters[0].body)["object"]["user"]["external_id"] == "player-1"
    )
    ours = _cases("standard", customer="bob@example.com")["existing_user"]
    customer = json.loads(ours.letters[0].body)["object"]["customer"]
    assert customer["email"] == "bob@example.com"


def test_while_a_secret_is_rolled_the_newest_is_tested() -> None:
    keys = SigningKeys((SECRET, "the old secret of it"))
    for case in handler_tester.cases("paysuper", keys, _now()):
        if case.name == "duplicate":
            assert all(_is_taken("paysuper", one) for one in case.letters)


@pytest.mark.parametrize(
    ("name", "status", "passed", "words"),
    [
        ("correct_payment", 200, True, "Right: it answered 200."),
        ("correct_payment", 204, True, "Right"),
        ("correct_payment", None, False, "did not answer"),
        ("correct_payment", 301, False, "never followed"),
        ("correct_payment", 500, False, "something broke"),
        ("correct_payment", 401, False, "this endpoint's secret"),
        ("correct_payment", 404, False, "2xx is right"),
        ("invalid_signature", 401, True, "Right"),
        ("invalid_signature", 200, False, "make up payments"),
        ("invalid_signature", 500, False, "something broke"),
        ("old", 400, True, "Right"),
        ("old", 200, False, "somebody's copy"),
        ("duplicate", 200, True, "Right"),
        ("duplicate", 409, False, "a third time"),
    ],
)
def test_a_verdict_says_what_was_wrong(
    name: str, status: int | None, passed: bool, words: str
) -> None:
    verdict = handler_tester.judge(_cases("standard")[name], status)
    assert verdict.passed is passed
    assert words in verdict.words


def test_paysuper_takes_nothing_but_200_and_204_for_received() -> None:
    case = _cases("paysuper")["correct_payment"]
    assert [s for s in range(200, 300) if handler_tester.judge(case, s).passed] == [
        200,
        204,
    ]
