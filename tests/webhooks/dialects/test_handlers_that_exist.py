"""Handlers written from the providers' own pages work with our letters as they are."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import load_der_public_key
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.views.decorators.csrf import csrf_exempt

from tests.factories import rsa_pair
from webhooks import dialects, samples, secrets
from webhooks.catalogue import KINDS
from webhooks.dialects import paysecure, rsa
from webhooks.dialects.base import Letter, SigningKeys

HERE = Path(__file__).parent
SECRET = secrets.new_secret("stripe")
NODE, JAVAC = shutil.which("node"), shutil.which("javac")


def _letter(dialect: str, name: str, **keys: Any) -> Letter:
    news = samples.sample_news(name)
    at = datetime.now(UTC)
    letter = dialects.compose(dialect, news, SigningKeys(**keys), at)
    assert letter
    return letter


# ----------------------------------------------------------------------------- Stripe
@csrf_exempt
def a_view_of_stripes_page(request: HttpRequest) -> HttpResponse:
    """A Django view as Stripe's page on what comes after the payment has it."""
    signature = request.META["HTTP_STRIPE_SIGNATURE"]
    try:
        event = stripe.Webhook.construct_event(request.body, signature, SECRET)
    except ValueError:
        return HttpResponse(status=400)
    except stripe.SignatureVerificationError:
        return HttpResponse(status=400)
    if event["type"] == "checkout.session.completed":
        session = event["data"]["object"]
        return HttpResponse(session["client_reference_id"], status=200)
    return HttpResponse(status=200)


def _ask(letter: Letter) -> HttpResponse:
    request = RequestFactory().post(
        "/webhook",
        letter.body,
        content_type="application/json",
        headers={"Stripe-Signature": letter.headers["Stripe-Signature"]},
    )
    return a_view_of_stripes_page(request)


def test_stripes_view_hands_over_what_was_bought() -> None:
    answer = _ask(_letter("stripe", "payment.success", secrets=(SECRET,)))
    assert (answer.status_code, answer.content) == (200, b"ORDER-10045")


@pytest.mark.parametrize("name", [k.name for k in KINDS.values() if k.stripe])
def test_stripes_view_takes_every_event(name: str) -> None:
    assert _ask(_letter("stripe", name, secrets=(SECRET,))).status_code == 200


def test_stripes_view_refuses_what_another_has_signed() -> None:
    other = secrets.new_secret("stripe")
    letter = _letter("stripe", "payment.success", secrets=(other,))
    assert _ask(letter).status_code == 400


# ----------------------------------------------------------------------------- PayNow
#: (signature, payload) of letters -> what the guide's handler says of each.
Guide = Callable[[Sequence[tuple[str, str]]], list[dict[str, Any]]]


def guide_in_node(letters: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    lines = [json.dumps({"signature": s, "payload": p}) for s, p in letters]
    done = subprocess.run(
        [str(NODE), str(HERE / "guide.mjs"), SECRET],
        input="\n".join(lines).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def guide_in_python(letters: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The same steps, for where there is no Node."""
    processed: set[str] = set()
    answers: list[dict[str, Any]] = []
    for signature, payload in letters:
        digest = hmac.new(SECRET.encode(), payload.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, digest):
            answers.append({"status": 401})
            continue
        told = json.loads(payload)
        known = told["event_id"] in processed
        processed.add(told["event_id"])
        answers.append(
            {
                "status": 200,
                "text": "Already processed" if known else "OK",
                "found": _found(told["event_type"], told["body"]),
            }
        )
    return answers


def _found(event: str, body: dict[str, Any]) -> dict[str, Any] | None:
    if event == "ON_ORDER_COMPLETED":
        return {
            "userId": body["customer_id"],
            "revenue": body["total_amount"] / 100,
            "currency": body["currency"],
            "products": [line["product_name"] for line in body["lines"]],
            "prices": [line["price"] * line["quantity"] for line in body["lines"]],
            "name": body["customer"]["name"],
        }
    if event == "ON_DELIVERY_ITEM_ADDED":
        return {
            "steamId": body["customer"]["steam_id"],
            "productName": body["product"]["name"],
        }
    if event == "ON_CHARGEBACK":
        return {
            "order": body["order_id"],
            "payment": body["id"],
            "amount": body["amount"],
            "status": body["chargeback_status"],
            "customer": body["customer"]["id"],
        }
    return {"user": body["discord_user_id"], "product": body["product"]["name"]}


@pytest.mark.parametrize("guide", [guide_in_python] + [guide_in_node] * bool(NODE))
def test_paynows_guide_finds_what_it_reads(guide: Guide) -> None:
    names = [
        "payment.success",
        "payment.success",
        "delivery_item.added",
        "dispute.opened",
        "customer.linked",
        "endpoint.test",
    ]
    letters = [_letter("paynow", name, secrets=(SECRET,)) for name in names]
    sent = [(one.headers["x-paynow-signature"], one.body.decode()) for one in letters]
    sent.append((sent[0][0], sent[0][1].replace("5950", "1")))
    bought, again, item, dispute, linked, test, changed = guide(sent)
    customer = samples.sample("payment.success")["object"]["customer"]["id"]
    assert bought["found"] == {
        "userId": customer,
        "revenue": 59.5,
        "currency": "EUR",
        "products": ["Snow Defender", "Season pass"],
        "prices": [4950, 1000],
        "name": "Ada Example",
    }
    assert (bought["text"], again["text"]) == ("OK", "Already processed")
    assert item["found"] == {
        "steamId": "76561190000000001",
        "productName": "Season pass",
    }
    assert dispute["found"]["amount"] == 5950
    assert dispute["found"]["status"] == "pending"
    assert all(dispute["found"].values())
    assert linked["found"] == {
        "user": "123456789012345678",
        "product": "Snow Defender",
    }
    assert test["text"] == "OK"
    assert changed == {"status": 401}


# -------------------------------------------------------------------------- Paysecure
#: Public key (DER in base64), and (message, signature) pairs -> whether each fits.
Verify = Callable[[str, Sequence[tuple[str, str]], Path], list[bool]]


def verify_in_java(
    public: str, pairs: Sequence[tuple[str, str]], folder: Path
) -> list[bool]:
    """The page's own method, compiled."""
    subprocess.run(
        [str(JAVAC), "-d", str(folder), str(HERE / "Verifier.java")],
        check=True,
        timeout=120,
    )
    java = str(Path(str(JAVAC)).with_name("java"))
    done = subprocess.run(
        [java, "-cp", str(folder), "Verifier", public],
        input="\n".join("\t".join(pair) for pair in pairs).encode(),
        capture_output=True,
        timeout=60,
        check=True,
    )
    return [word == "true" for word in done.stdout.decode().split()]


def verify_in_python(
    public: str, pairs: Sequence[tuple[str, str]], folder: Path
) -> list[bool]:
    """The same, for where there is no Java."""
    key: Any = load_der_public_key(base64.b64decode(public))

    def fits(message: str, signature: str) -> bool:
        try:
            key.verify(
                base64.b64decode(signature),
                message.encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature:
            return False
        return True

    return [fits(*pair) for pair in pairs]


@pytest.mark.parametrize("verify", [verify_in_python] + [verify_in_java] * bool(JAVAC))
def test_paysecures_page_verifies_every_state(verify: Verify, tmp_path: Path) -> None:
    public, private = rsa_pair()
    der = "".join(line for line in public.splitlines() if "-----" not in line)
    names = [kind.name for kind in KINDS.values() if kind.paysecure]
    letters = [_letter("paysecure", name, private_key=private) for name in names]
    pairs = [
        (
            paysecure.signed_text(json.loads(letter.body)).decode(),
            letter.headers["paysecure_sign"],
        )
        for letter in letters
    ]
    paid, signature = pairs[names.index("payment.success")]
    pairs.append((paid.replace("|PAID|", "|REFUNDED|"), signature))
    pairs.append((paid, rsa.sign(rsa.new_pair()[0], paid.encode())))
    expected = [True] * len(letters) + [False, False]
    assert verify(der, pairs, tmp_path) == expected
