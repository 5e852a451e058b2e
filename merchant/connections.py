"""Verbs on connections: open one with its keys, give it new ones, close it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from merchant import destinations, vault
from merchant.models import Connection, Project, Secret
from merchant.providers import PROVIDERS
from merchant.providers.base import Keys

#: How long a process believes what it has read of a connection.
SECONDS_KEPT = 5.0

OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
#: Each live key costs a forger's delivery one more comparison.
MOST_LIVE = 10

SHORTEST_SECRET = 6
LONGEST_SECRET = 10_000
MOST_BRANDS = 50
API_KEY = "connection.api_key"
USER_TOKEN = "connection.user_token"  # noqa: S105 - a purpose

_kept: dict[UUID, tuple[float, Connection, Keys]] = {}


class NotUsable(ValueError):
    """What was given cannot be used for a connection; `str()` says why."""


# ------------------------------------------------------------------------- reading
def keys_of(connection: Connection) -> Keys:
    """Every key that is live now, opened, newest first. Raises vault.Locked."""
    live = Q(expires=None) | Q(expires__gt=timezone.now())
    rows = connection.secrets.filter(live).order_by("-created", "-id")
    opened: dict[str, list[str]] = {"signing": [], "public": [], "private": []}
    for row in rows:
        opened[row.kind].append(row.open())
    return Keys(
        secrets=tuple(opened["signing"]),
        public_keys=tuple(opened["public"]),
        private_key=opened["private"][0] if opened["private"] else "",
        api_key=vault.unseal(
            connection.sealed_api_key, purpose=API_KEY, row=connection.id
        ),
        user_token=vault.unseal(
            connection.sealed_user_token, purpose=USER_TOKEN, row=connection.id
        ),
        base_url=connection.base_url,
        brand_ids=tuple(connection.brand_ids),
        account=connection.account,
        livemode=connection.livemode,
    )


def opened(connection_id: UUID) -> tuple[Connection, Keys] | None:
    """The open connection and its keys, as read at most 5 s ago; None if there is none.

    A miss is never kept, so a new connection works at once. Raises vault.Locked.
    """
    kept = _kept.get(connection_id)
    if kept is not None and kept[0] > time.monotonic():
        return kept[1], kept[2]
    rows = Connection.objects.select_related("project__merchant")
    connection = rows.filter(pk=connection_id, closed=None).first()
    if connection is None:
        _kept.pop(connection_id, None)
        return None
    keys = keys_of(connection)
    _kept[connection_id] = (time.monotonic() + SECONDS_KEPT, connection, keys)
    return connection, keys


def forget(connection_id: UUID) -> None:
    """Lets the next `opened` in this process read it anew."""
    _kept.pop(connection_id, None)


# ------------------------------------------------------------------------- changing
def open_connection(
    project: Project,
    provider: str,
    *,
    secret: str = "",
    public_key: str = "",
    private_key: str = "",
    api_key: str = "",
    user_token: str = "",
    base_url: str = "",
    brand_ids: Iterable[str] = (),
    account: str = "",
    livemode: bool = True,
    demo: bool = False,
) -> Connection:
    """A new connection of the project. Keys may come later: some providers show their
    secret only after they were given the intake URL. Raises NotUsable, vault.Locked.
    """
    if provider not in PROVIDERS:
        raise NotUsable(f"There is no provider {provider!r}; use {_either(PROVIDERS)}.")
    if secret and not public_key and _normaliser(provider):
        raise NotUsable(
            f"{PROVIDERS[provider].name} signs with a key of its own and shares no "
            "secret: give its public key instead."
        )
    given = {"signing": secret, "public": public_key, "private": private_key}
    keys = [
        (kind, _read_key(provider, kind, key)) for kind, key in given.items() if key
    ]
    connection = Connection(
        project=project,
        provider=provider,
        livemode=livemode,
        demo=demo,
        base_url=_read_base_url(base_url, demo=demo),
        brand_ids=_read_brands(brand_ids),
        account=_read_word(account, "The account", 80),
    )
    connection.sealed_api_key = _seal(connection, api_key, "API key", API_KEY)
    connection.sealed_user_token = _seal(
        connection, user_token, "user token", USER_TOKEN
    )
    with transaction.atomic():
        connection.save()
        for kind, key in keys:
            Secret.sealed_for(connection, kind, key).save()
    return connection


def add_secret(
    connection: Connection, secret: str, *, kind: str = "signing", label: str = ""
) -> Secret:
    """One more live key: "signing", "public" or "private". Raises NotUsable."""
    key = _read_key(connection.provider, kind, secret)
    with _changing(connection):
        live = Q(expires=None) | Q(expires__gt=timezone.now())
        if connection.secrets.filter(live, kind=kind).count() >= MOST_LIVE:
            raise NotUsable(
                f"{connection} has {MOST_LIVE} live keys of this kind; end one first."
            )
        row = Secret.sealed_for(connection, kind, key)
        row.label = _read_word(label, "The label", 80)
        row.save()
    return row


def rotate(
    connection: Connection,
    secret: str,
    *,
    kind: str = "signing",
    overlap: timedelta = OVERLAP,
) -> Secret:
    """A new key in the place of all of its kind, which stay live for the overlap.

    An overlap of zero ends them at once: for a key that leaked. Raises NotUsable.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise NotUsable("Old keys can stay live for 0 to 7 days.")
    key = _read_key(connection.provider, kind, secret)
    end = timezone.now() + overlap
    with _changing(connection):
        # A key that ends sooner anyway keeps its end.
        lasting = Q(expires=None) | Q(expires__gt=end)
        connection.secrets.filter(lasting, kind=kind).update(expires=end)
        row = Secret.sealed_for(connection, kind, key)
        row.save()
    return row


def set_api_key(connection: Connection, api_key: str) -> None:
    """What calls to the provider carry from now on; "" takes it away.

    Raises NotUsable.
    """
    with _changing(connection):
        connection.sealed_api_key = _seal(connection, api_key, "API key", API_KEY)
        connection.save(update_fields=["sealed_api_key"])


def set_user_token(connection: Connection, token: str) -> None:
    """What proves a person of the merchant to the provider, for what the API key may
    not do; "" takes it away. Raises NotUsable.
    """
    with _changing(connection):
        connection.sealed_user_token = _seal(
            connection, token, "user token", USER_TOKEN
        )
        connection.save(update_fields=["sealed_user_token"])


def close(connection: Connection) -> None:
    """Takes no more deliveries and destroys its keys; what came stays."""
    with _changing(connection):
        connection.secrets.all().delete()
        connection.sealed_api_key = connection.sealed_user_token = ""
        connection.closed = connection.closed or timezone.now()
        connection.save(update_fields=["sealed_api_key", "sealed_user_token", "closed"])


@contextmanager
def _changing(connection: Connection) -> Iterator[None]:
    """One change at a time; nobody here believes afterwards what was read before."""
    with transaction.atomic():
        Connection.objects.select_for_update().filter(pk=connection.pk).first()
        yield
        transaction.on_commit(lambda: forget(connection.pk))
    forget(connection.pk)


# ------------------------------------------------------------------ what was given
def _read_key(provider: str, kind: str, given: str) -> str:
    """The key as it is kept. Raises NotUsable."""
    name = PROVIDERS[provider].name
    normalise = _normaliser(provider)
    if kind == "signing":
        return _read_secret(given)
    if kind not in {"public", "private"}:
        raise NotUsable(f"There is no kind of key {kind!r}.")
    if normalise is None:
        raise NotUsable(
            f"{name} signs with a secret and has no {kind} key; leave it out."
        )
    if kind == "private":
        return _read_private_key(given)
    try:
        return normalise(given)
    except ValueError as error:
        raise NotUsable(f"The public key cannot be read: {error}") from error


def _normaliser(provider: str) -> Callable[[str], str] | None:
    """What reads a public key of the provider; None where it signs with a secret."""
    return getattr(PROVIDERS[provider], "normalise_public_key", None)


def _read_secret(given: str) -> str:
    secret = given.strip()
    if len(secret) < SHORTEST_SECRET:
        raise NotUsable(
            f"The secret is shorter than {SHORTEST_SECRET} characters: a short one "
            "can be guessed, an empty one lets everybody in."
        )
    return _read_word(secret, "The secret", LONGEST_SECRET)


def _read_private_key(given: str) -> str:
    """Only the sandbox signs with one, so only its form is looked at."""
    try:
        load_pem_private_key(given.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotUsable("The private key is no PEM key without a password.") from error
    return given


def _seal(connection: Connection, given: str, what: str, purpose: str) -> str:
    key = _read_word(given, f"The {what}", LONGEST_SECRET)
    if not key.isascii():  # it travels in a header
        raise NotUsable(f"The {what} holds characters that no {what} has.")
    return vault.seal(key, purpose=purpose, row=connection.id)


def _read_base_url(given: str, *, demo: bool) -> str:
    url = given.strip().rstrip("/")
    if not url:
        return ""
    if len(url) > 500 or "?" in url or "#" in url:
        raise NotUsable("The base URL must be short and have no query.")
    try:
        target = destinations.read_url(url)
    except destinations.NotAllowed as error:
        raise NotUsable(f"The base URL cannot be used. {error}") from error
    if target.sandbox and not demo and not settings.ALLOW_PRIVATE_ENDPOINTS:
        raise NotUsable(
            "The sandbox is for the demo's own connections. To use it with others, "
            "start with ALLOW_PRIVATE_ENDPOINTS=on."
        )
    return url


def _read_brands(given: Iterable[str]) -> list[str]:
    brands = [_read_word(brand, "A brand id", 80) for brand in given]
    if len(brands) > MOST_BRANDS:
        raise NotUsable(f"A connection takes at most {MOST_BRANDS} brand ids.")
    return list(dict.fromkeys(filter(None, brands)))


def _read_word(given: str, what: str, most: int) -> str:
    word = given.strip()
    if len(word) > most:
        raise NotUsable(f"{what} is longer than {most} characters.")
    if not word.isprintable():
        raise NotUsable(f"{what} holds a line break or another control character.")
    return word


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)
