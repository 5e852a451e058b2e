"""What an endpoint's letters are signed with: new secrets, checks, what is in force."""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from webhooks import signing_keys
from webhooks.dialects.base import SigningKeys
from webhooks.models import Endpoint, EndpointSecret, SigningKey

PREFIX = "whsec_"
#: Bytes of a secret of Standard Webhooks. It advises 24 to 64; its own example has 18.
SHORTEST_KEY, LONGEST_KEY = 16, 64
NEW_KEY = 32

#: Dialect -> the shortest secret that is taken, characters. PaySuper's own dashboard
#: makes them 15 long, and takes 12; handlers written for it keep what they have.
SHORTEST = {"stripe": 16, "paysuper": 12, "paynow": 16}
LONGEST = 255

#: How long a process believes what it has read of an endpoint.
SECONDS_KEPT = 5.0


class NotUsable(ValueError):
    """A secret that a dialect cannot sign with; `str()` says why, to who gave it."""


class NoKeys(Exception):
    """Nothing to sign with is in force; `str()` says what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    """One secret or private key, and until when it is in force (None: no end)."""

    text: str
    expires: datetime | None


#: (endpoint, dialect) -> until when it is believed, and what was read.
_kept: dict[tuple[UUID, str], tuple[float, Sequence[_Key]]] = {}


# ---------------------------------------------------------------------- new and given
def has_secrets(dialect: str) -> bool:
    """Whether the dialect signs with a secret, and not with the project's key pair."""
    return dialect != "paysecure"


def new_secret(dialect: str) -> str:
    """A secret that nobody can guess, in the dialect's form. Raises NotUsable."""
    if not has_secrets(dialect):
        raise NotUsable("This dialect signs with the project's key pair.")
    if dialect in {"standard", "stripe"}:
        return PREFIX + base64.b64encode(secrets.token_bytes(NEW_KEY)).decode("ascii")
    return secrets.token_hex(NEW_KEY)


def check_secret(dialect: str, given: str) -> None:
    """Nothing for a secret that the dialect can sign with. Raises NotUsable."""
    if not has_secrets(dialect):
        raise NotUsable(
            "This dialect signs with the project's key pair: leave the secret out."
        )
    if given != given.strip() or not given.isprintable():
        raise NotUsable(
            "The secret holds a line break or another control character, or begins or "
            "ends with a blank."
        )
    if len(given) > LONGEST:
        raise NotUsable(f"The secret is longer than {LONGEST} characters.")
    if dialect == "standard":
        _check_standard(given)
    elif len(given) < SHORTEST[dialect]:
        raise NotUsable(
            f"The secret is shorter than {SHORTEST[dialect]} characters: a short one "
            "can be guessed."
        )


def _check_standard(given: str) -> None:
    form = (
        f"It must be {PREFIX} and the base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes, "
        "as Standard Webhooks wants it. Leave it out to have one made."
    )
    try:
        key = base64.b64decode(given.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise NotUsable(f"The secret is no base64. {form}") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise NotUsable(f"The secret has {len(key)} bytes. {form}")


# --------------------------------------------------------------------------- in force
def keys_of(endpoint: Endpoint) -> SigningKeys:
    """Everything that signs for the endpoint now, the newest first.

    As read at most 5 s ago: a sender of thousands a second asks no database for each
    letter. What has come to its end meanwhile is left out all the same.

    Standard and Stripe carry a signature of each, so a receiver with an old secret
    notices nothing until the overlap ends. The other dialects have room for one: there
    the tries of a delivery take turns (see dialects.base.SigningKeys.turn), the newest
    first, so that a receiver with the old secret takes the second try, seconds later.

    Raises NoKeys when nothing is in force, vault.Locked.
    """
    now = timezone.now()
    live = tuple(
        key.text for key in _read(endpoint) if key.expires is None or key.expires > now
    )
    if not live:
        forget(endpoint)
        raise NoKeys("It has no secret in force: give it a new one.")
    if has_secrets(endpoint.dialect):
        return SigningKeys(secrets=live)
    return SigningKeys(private_key=live[0], older_private_keys=live[1:])


def read_ahead(endpoints: Iterable[Endpoint]) -> None:
    """Lets `keys_of` find the secrets of all of them read, in one statement. Raises
    vault.Locked."""
    missing = [
        endpoint
        for endpoint in endpoints
        if has_secrets(endpoint.dialect) and _known(endpoint) is None
    ]
    if not missing:
        return
    found: dict[UUID, list[EndpointSecret]] = {}
    rows = _live().filter(endpoint__in=missing)
    for row in rows.order_by("-created", "-id"):
        found.setdefault(row.endpoint_id, []).append(row)
    for endpoint in missing:
        _keep(endpoint, found.get(endpoint.pk, ()))


def forget(endpoint: Endpoint) -> None:
    """Lets the next `keys_of` in this process read it anew."""
    for key in [key for key in _kept if key[0] == endpoint.pk]:
        _kept.pop(key, None)


def _read(endpoint: Endpoint) -> Sequence[_Key]:
    known = _known(endpoint)
    if known is not None:
        return known
    if not has_secrets(endpoint.dialect):
        return _keep(endpoint, _pairs(endpoint))
    rows = _live().filter(endpoint=endpoint).order_by("-created", "-id")
    return _keep(endpoint, rows)


def _known(endpoint: Endpoint) -> Sequence[_Key] | None:
    until, keys = _kept.get((endpoint.pk, endpoint.dialect), (0.0, ()))
    return keys if until > time.monotonic() else None


def _keep(
    endpoint: Endpoint, rows: Iterable[EndpointSecret | SigningKey]
) -> Sequence[_Key]:
    """A miss is never kept, so a new secret works at once."""
    found = [_Key(row.open(), row.expires) for row in rows]
    if found:
        until = time.monotonic() + SECONDS_KEPT
        _kept[endpoint.pk, endpoint.dialect] = (until, found)
    return found


def _live() -> QuerySet[EndpointSecret]:
    live = Q(expires=None) | Q(expires__gt=timezone.now())
    return EndpointSecret.objects.filter(live)


def _pairs(endpoint: Endpoint) -> Sequence[SigningKey]:
    """The project's pairs. A callback may be the first to need one."""
    return signing_keys.live(endpoint.project_id) or [
        signing_keys.pair_of(endpoint.project)
    ]
