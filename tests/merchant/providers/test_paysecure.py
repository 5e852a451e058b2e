"""Paysecure's door: a signature of three fields, and everything it leaves open."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from merchant.providers import paysecure
from merchant.providers.base import BadSignature, Keys, Unreadable
from tests.merchant.providers.contract import NOW, ProviderContract
from tests.merchant.providers.paysecure_cases import (
    BRAND,
    FOLDER,
    ID,
    PAYOUT_ID,
    START,
    delivery,
    keys,
    load,
    private_pem,
    public_pem,
    raw,
    signature,
)


class TestPaysecure(ProviderContract):
    provider = paysecure
    signs_time = False
    signs_body = False

    def keys(self) -> Keys:
        return keys("own")

    def second_keys(self) -> Keys:
        return keys("newer", "older")

    def older_keys(self) -> Keys:
        return keys("older")

    def stranger_keys(self) -> Keys:
        return keys("stranger")

    def body(self) -> bytes:
        return raw("payin_paid")

    def unknown_body(self) -> bytes:
        """A status of tomorrow. Paysecure sends nothing twice, so it must be kept."""
        message = {"purchaseId": ID, "status": "SETTLED_LATER", "brand_id": BRAND}
        return json.dumps({"message": message, "status": "settled_later"}).encode()

    def sign(self, body: bytes, keys: Keys, at: datetime) -> Mapping[str, str]:
        if not any(keys.public_keys):  # no pair: there is nothing to sign with either
            keys = replace(keys, private_key="")
        return paysecure.sign(body, keys, at)

    def test_a_changed_byte_is_refused(self) -> None:
        """Of what is signed, that is; the rest is confirmed by a look-up."""
        headers, body = self.sign(self.body(), self.keys(), NOW), self.body()
        for signed in (ID.encode(), b'"PAID"', BRAND.encode()):
            place = body.index(signed) + 2
            changed = bytearray(body)
            changed[place] ^= 1
            assert not self.refuse(self.incoming(bytes(changed), headers)).stale
        self.refuse(self.incoming(body[1:], headers))
        self.refuse(self.incoming(body[:-1], headers))


class TestPaysecurePayouts(TestPaysecure):
    def body(self) -> bytes:
        return raw("payout_paid")

    def unknown_body(self) -> bytes:
        return json.dumps({"payload": {"payoutId": "p1", "status": "PARKED"}}).encode()

    def test_a_changed_byte_is_refused(self) -> None:
        headers, body = self.sign(self.body(), self.keys(), NOW), self.body()
        for signed in (PAYOUT_ID.encode(), b'"PAID"'):
            changed = bytearray(body)
            changed[body.index(signed) + 2] ^= 1
            self.refuse(self.incoming(bytes(changed), headers))


OWN = keys("own")
GOOD = signature(f"{ID}|PAID|{BRAND}")


def refusal(body: Any, value: str, accepted: Keys = OWN) -> BadSignature:
    with pytest.raises(BadSignature) as caught:
        paysecure.verify(delivery(body, value), accepted)
    assert not caught.value.stale
    return caught.value


def changed(name: str, **over: Any) -> dict[str, Any]:
    """A payload whose wrapped object differs in these keys."""
    payload = load(name)
    wrapper = "message" if "message" in payload else "payload"
    return payload | {wrapper: payload[wrapper] | over}


# ------------------------------------------------------------------ the signature
@pytest.mark.parametrize("spelling", ["PAID", "paid"])
@pytest.mark.parametrize(
    "name", ["payin_paid", "payin_paid_bare", "payin_paid_without_root_status"]
)
def test_the_status_may_be_signed_in_any_case(name: str, spelling: str) -> None:
    value = signature(f"{ID}|{spelling}|{BRAND}")
    assert paysecure.verify(delivery(raw(name), value), OWN)


def test_a_status_with_spaces_may_be_signed_as_it_stands() -> None:
    body = raw("payin_payment_in_process_with_spaces")
    for spelling in ("payment in process", "payment_in_process", "PAYMENT_IN_PROCESS"):
        value = signature(f"{ID}|{spelling}|{BRAND}")
        assert paysecure.verify(delivery(body, value), OWN)


def test_a_payout_is_signed_without_a_brand() -> None:
    for spelling in ("paid", "PAID"):
        value = signature(f"{PAYOUT_ID}|{spelling}")
        assert paysecure.verify(delivery(raw("payout_paid"), value), OWN)
    refusal(raw("payout_paid"), signature(f"{PAYOUT_ID}|paid|{BRAND}"))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda p: p.stem)
def test_our_own_signature_fits_every_payload(path: Path) -> None:
    body = path.read_bytes()
    (value,) = paysecure.sign(body, OWN, NOW).values()
    assert len(value) == 344
    assert paysecure.verify(delivery(body, value), OWN)


def test_a_doubled_header_is_tried_part_by_part() -> None:
    other = signature("something|else", "stranger")
    for value in (f"{GOOD},{GOOD}", f"{other}, {GOOD}", f"{GOOD},x", f"é,{GOOD}"):
        assert paysecure.verify(delivery(raw("payin_paid"), value), OWN)
    refusal(raw("payin_paid"), f"{other},{other}")


def test_a_header_of_endless_parts_is_not_tried_for_ever() -> None:
    refusal(raw("payin_paid"), ",".join([signature("x")] * 500 + [GOOD]))


def test_a_missing_header_names_the_trap() -> None:
    for value in ("", "   "):
        error = refusal(raw("payin_paid"), value)
        assert error.code == "missing"
        assert "signature header missing: your proxy may drop headers with " in str(
            error
        )


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1,", b'{"a":1,"a":2}', b"NaN"])
def test_a_body_that_does_not_parse_is_the_senders_fault(body: bytes) -> None:
    error = refusal(body, GOOD)
    assert (error.status, error.code) == (400, "unparsable")


def test_a_key_that_is_none_does_not_shut_the_door_for_the_others() -> None:
    both = replace(OWN, public_keys=("no key at all", public_pem("own")))
    assert paysecure.verify(delivery(raw("payin_paid"), GOOD), both)
    none = replace(OWN, public_keys=("no key at all",))
    assert refusal(raw("payin_paid"), GOOD, none).code == "no_secret"


def test_only_the_connections_brands_are_taken() -> None:
    body = raw("payin_paid")
    mine = replace(OWN, brand_ids=("another", BRAND))
    assert paysecure.verify(delivery(body, GOOD), mine)
    others = replace(OWN, brand_ids=("another",))
    assert refusal(body, GOOD, others).code == "account"
    # A payout names none.
    value = signature(f"{PAYOUT_ID}|paid")
    assert paysecure.verify(delivery(raw("payout_paid"), value), others)


# -------------------------------------------------------------------- forgeries
def test_a_changed_amount_verifies_and_is_never_called_verified() -> None:
    bill = load("payin_paid")["message"]["purchase"]
    forged = changed("payin_paid", purchase=bill | {"total": 37500})
    assert paysecure.verify(delivery(forged, GOOD), OWN)
    (fact,) = paysecure.read(forged, OWN)
    assert fact.says["verified"].value is False
    assert fact.says["money"].weight == 1
    assert [want.id for want in fact.wants] == [ID]


@pytest.mark.parametrize(
    "forged",
    [
        {"purchaseId": "6c40d1f29ab3e5001c7d8e02"},
        {"brand_id": "another"},
        {"status": "REFUNDED"},
        {"status": "PAID "},
        {"status": "PAİD"},
        {"status": "PAID\x00"},
        {"status": None},
        {"status": 5},
        {"status": ["PAID"]},
        {"purchaseId": None},
        {"purchaseId": 5},
        {"purchaseId": ""},
        {"purchaseId": "a b"},
        {"purchaseId": "x" * 65},
        {"purchaseId": f"{ID}\n"},
        {"brand_id": None},
        {"brand_id": ""},
        {"brand_id": f"{BRAND}|x"},
        {"brand_id": "\ud800"},
        {"brandId": "another"},  # beside brand_id
        {"payoutId": "p1"},  # beside purchaseId
    ],
    ids=repr,
)
def test_what_is_signed_cannot_be_changed(forged: dict[str, Any]) -> None:
    body = json.dumps(changed("payin_paid", **forged), default=float).encode()
    assert refusal(body, GOOD).status == 401


def test_a_purchases_signature_fits_no_payout_with_a_bar_in_its_status() -> None:
    value = signature(f"X|PAID|{BRAND}")
    body = {"payload": {"payoutId": "X", "status": f"PAID|{BRAND}"}}
    assert refusal(body, value).code == "malformed"


def test_a_purchases_signature_fits_no_payout_with_a_bar_in_its_id() -> None:
    value = signature("X|PAID|error")
    body = {"payload": {"payoutId": "X|PAID", "status": "error"}}
    assert refusal(body, value).code == "malformed"


def test_a_payouts_signature_fits_no_purchase() -> None:
    value = signature(f"{PAYOUT_ID}|paid")
    for brand in ("", None):
        body = {
            "message": {"purchaseId": PAYOUT_ID, "status": "paid", "brand_id": brand}
        }
        refusal(body, value)


@pytest.mark.parametrize("root", ["refunded", "REFUNDED", "error", 5, [], {}, "PAID|x"])
def test_two_statuses_must_agree(root: Any) -> None:
    forged = load("payin_paid") | {"status": root}
    assert refusal(forged, GOOD).code == "malformed"
    # Not even with a signature that fits the other one.
    refusal(forged, signature(f"{ID}|{root}|{BRAND}"))


@pytest.mark.parametrize("root", ["paid", "PAID", "Paid", None, ""])
def test_a_root_status_of_another_case_agrees(root: Any) -> None:
    assert paysecure.verify(delivery(load("payin_paid") | {"status": root}, GOOD), OWN)


def test_two_wrapped_objects_are_one_too_many() -> None:
    message = load("payin_paid")["message"]
    forged = {"message": message, "payload": message | {"purchaseId": "other"}}
    assert refusal(forged, GOOD).code == "malformed"


@pytest.mark.parametrize(
    "body", [[], "PAID", 5, None, {}, {"message": []}, {"status": "paid"}]
)
def test_what_is_neither_purchase_nor_payout_is_refused(body: Any) -> None:
    assert refusal(body, GOOD).code == "malformed"
    with pytest.raises(Unreadable):
        paysecure.identify(delivery(body, GOOD), body)
    with pytest.raises(Unreadable):
        paysecure.read(body, OWN)


# ------------------------------------------------------------------- the envelope
def identified(payload: Any) -> Any:
    return paysecure.identify(delivery(b"", ""), payload)


def test_the_event_is_made_of_what_changed() -> None:
    envelope = identified(load("payin_paid"))
    assert envelope.event_type == "purchase.paid"
    assert envelope.account == BRAND
    assert envelope.event_id.endswith(f":{START + 60}")
    assert envelope.livemode is True
    assert identified(load("payin_paid_test")).livemode is False
    assert identified(load("payout_paid")).livemode is None
    assert identified(load("payout_paid")).event_type == "payout.paid"


@pytest.mark.parametrize("name", ["payin_paid_bare", "payin_paid_without_root_status"])
def test_the_same_news_in_another_wrapper_is_the_same_event(name: str) -> None:
    ours, theirs = identified(load("payin_paid")), identified(load(name))
    assert (ours.event_id, ours.fingerprint) == (theirs.event_id, theirs.fingerprint)


def test_a_changed_amount_is_the_same_event_with_another_content() -> None:
    bill = load("payin_paid")["message"]["purchase"]
    forged = identified(changed("payin_paid", purchase=bill | {"total": 1}))
    ours = identified(load("payin_paid"))
    assert forged.event_id == ours.event_id
    assert forged.fingerprint != ours.fingerprint


def test_events_of_one_purchase_differ_by_status_and_time() -> None:
    names = ["payin_paid", "payin_paid_again", "payin_refund_in_process", "payin_hold"]
    ids = {identified(load(name)).event_id for name in names}
    assert len(ids) == len(names)


@pytest.mark.parametrize("junk", [None, "soon", -5, [], True, 10**18])
def test_a_junk_time_is_no_time(junk: Any) -> None:
    assert identified(changed("payin_paid", updated_on=junk)).event_id.endswith(":0")


def test_any_2xx_will_do() -> None:
    payload = load("payin_paid")
    assert (
        paysecure.reply(delivery(b"", ""), identified(payload), payload, True) is None
    )


# ----------------------------------------------------------------------- signing
def test_signing_needs_a_private_key() -> None:
    with pytest.raises(ValueError, match="private key"):
        paysecure.sign(raw("payin_paid"), replace(OWN, private_key=""), NOW)


def test_both_live_keys_are_taken_and_told_apart() -> None:
    both = keys("newer", "own")
    assert "older" in paysecure.verify(delivery(raw("payin_paid"), GOOD), both)
    value = signature(f"{ID}|PAID|{BRAND}", "newer")
    assert "newest" in paysecure.verify(delivery(raw("payin_paid"), value), both)


JAVA = """
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;

public class Check {
    public static void main(String[] given) throws Exception {
        byte[] der = Base64.getDecoder().decode(given[0]);
        Signature check = Signature.getInstance("SHA256withRSA");
        check.initVerify(
            KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(der)));
        for (int place = 1; place < given.length; place += 2) {
            check.update(given[place].getBytes(StandardCharsets.UTF_8));
            System.out.println(
                check.verify(Base64.getDecoder().decode(given[place + 1])));
        }
    }
}
"""


@pytest.mark.skipif(not shutil.which("javac"), reason="optional: no Java compiler")
def test_java_agrees_with_our_signature(tmp_path: Path) -> None:
    """The documents give their recipe in Java: what we sign must satisfy it."""
    (tmp_path / "Check.java").write_text(JAVA)
    subprocess.run(["javac", "Check.java"], cwd=tmp_path, check=True, timeout=120)
    der = "".join(public_pem("own").splitlines()[1:-1])
    (payin,) = paysecure.sign(raw("payin_paid"), OWN, NOW).values()
    (payout,) = paysecure.sign(raw("payout_paid"), OWN, NOW).values()
    cases = [f"{ID}|PAID|{BRAND}", payin, f"{ID}|paid|{BRAND}", payin]
    cases += [f"{PAYOUT_ID}|PAID", payout]
    said = subprocess.run(
        ["java", "-Xshare:auto", "-cp", str(tmp_path), "Check", der, *cases],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert said.stdout.split() == ["true", "false", "true"]


def test_the_private_key_stays_out_of_every_message() -> None:
    error = refusal(raw("payin_paid"), signature("nothing"))
    assert private_pem("own").splitlines()[1] not in str(error)
