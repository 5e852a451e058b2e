"""Stripe-Signature: a time, and one v1 for each secret that is live at Stripe."""

from __future__ import annotations

import hmac
import re
from datetime import UTC, datetime, timedelta

from merchant.providers.base import BadSignature, Incoming, Keys

HEADER = "stripe-signature"
#: Hex of HMAC-SHA256 over "<t>.<raw body>". Test mode adds a v0 that proves nothing.
SCHEME = "v1"
#: Stripe's own library lets the future pass; we judge both directions.
TOLERANCE = timedelta(seconds=300)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS = re.compile("0|[1-9][0-9]{0,14}")


def verify(incoming: Incoming, keys: Keys) -> str:
    """Which secret the signature fits, in words. Raises BadSignature."""
    secrets = [secret for secret in keys.secrets if secret]
    if not secrets:
        raise BadSignature(
            "No signing secret is set: copy the endpoint's whsec_... from Stripe.",
            code="no_secret",
        )
    at, given = _parts(incoming.headers.get(HEADER, ""))
    number = _fitting(at, given, incoming.body, secrets)
    _check_time(int(at), incoming.received)
    return f"signature matches secret {number} of {len(secrets)}"


def _parts(header: str) -> tuple[str, list[str]]:
    """The time and the v1 signatures; blanks are not stripped, as Stripe sends none."""
    if not header.strip():
        raise BadSignature(
            "The Stripe-Signature header is missing: a proxy drops it, or the sender "
            "is not Stripe.",
            code="missing",
        )
    pairs = [part.partition("=")[::2] for part in header.split(",")]
    at = next((value for name, value in pairs if name == "t"), "")
    given = [value for name, value in pairs if name == SCHEME]
    if not _SECONDS.fullmatch(at):
        raise BadSignature(
            "Stripe-Signature carries no time (t=...): something on the way rewrites "
            "the header.",
            code="malformed",
        )
    if not given:
        raise BadSignature(
            "Stripe-Signature carries no v1 signature; other schemes prove nothing.",
            code="malformed",
        )
    return at, given


def _fitting(at: str, given: list[str], body: bytes, secrets: list[str]) -> int:
    """The number, from 1, of the secret that made one of the signatures."""
    # As bytes: the comparison of texts that are not ASCII raises.
    sent = [one.encode("utf-8", "surrogatepass") for one in given]
    for number, secret in enumerate(secrets, 1):
        made = _mac(secret, at, body).encode("ascii")
        if sum(hmac.compare_digest(made, one) for one in sent):
            return number
    raise BadSignature(
        "The signature fits no secret of this connection: the secret belongs to "
        "another endpoint or mode (test, live, CLI), or the body was changed on its "
        "way.",
        code="mismatch",
    )


def _check_time(at: int, received: datetime) -> None:
    # Whole microseconds: a wild number cannot overflow a datetime.
    skew = (received - _EPOCH) // timedelta(microseconds=1) - at * 1_000_000
    if abs(skew) > TOLERANCE // timedelta(microseconds=1):
        way = "old" if skew > 0 else "in the future"
        raise BadSignature(
            f"The signature fits, but its time is {abs(skew) // 1_000_000} s {way}: "
            "it came late, it is a replay, or a clock is wrong.",
            code="stale",
            stale=True,
        )


def _mac(secret: str, at: str, body: bytes) -> str:
    key = secret.encode("utf-8", "surrogatepass")
    return hmac.digest(key, at.encode("ascii") + b"." + body, "sha256").hex()


def sign(body: bytes, keys: Keys, at: datetime) -> dict[str, str]:
    """The header as Stripe sends it: one v1 for each live secret."""
    seconds = str(int(at.timestamp()))
    made = [f"{SCHEME}={_mac(secret, seconds, body)}" for secret in keys.secrets]
    return {"Stripe-Signature": ",".join([f"t={seconds}", *made])}
