"""Verbs on connections: open one, change it, rotate its keys, close it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from merchant import credentials, vault
from merchant.credentials import NotUsable
from merchant.models import Connection, Project, Secret
from merchant.providers import PROVIDERS
from merchant.providers.base import Keys

__all__ = ["NotUsable"]

#: How long a process believes what it has read of a connection.
SECONDS_KEPT = 5.0

OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
#: Each live key costs a forger's delivery one more comparison.
MOST_LIVE = 10
#: Where every subscription has a key of its own: all of them, twice in a rotation.
MOST_LIVE_PER_EVENT = 40

API_KEY = "connection.api_key"
USER_TOKEN = "connection.user_token"  # noqa: S105 - a purpose

_kept: dict[UUID, tuple[float, Connection, Keys]] = {}


# ------------------------------------------------------------------------- reading
def keys_of(connection: Connection) -> Keys:
    """Every key that is live now, opened, newest first. Raises vault.Locked."""
    opened: dict[str, list[str]] = {"signing": [], "public": [], "private": []}
    for row in live_secrets(connection):
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
    more_secrets: Iterable[str] = (),
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
    secret only after they were given the intake URL. `more_secrets`: others of a
    provider that has several. Raises NotUsable, vault.Locked.
    """
    if provider not in PROVIDERS:
        either = " or ".join(PROVIDERS)
        raise NotUsable(f"There is no provider {provider!r}; use {either}.")
    if secret and not public_key and credentials.normaliser(provider):
        raise NotUsable(
            f"{PROVIDERS[provider].name} signs with a key of its own and shares no "
            "secret: give its public key instead.",
            "secret",
        )
    given = {"signing": secret, "public": public_key, "private": private_key}
    keys = [
        (kind, credentials.read_key(provider, kind, key))
        for kind, key in given.items()
        if key
    ]
    connection = Connection(
        project=project,
        provider=provider,
        livemode=livemode,
        demo=demo,
        base_url=credentials.read_base_url(base_url, demo=demo),
        brand_ids=credentials.read_brands(brand_ids),
        account=credentials.read_word(account, "The account", 80, "account"),
    )
    connection.sealed_api_key = _seal_api_key(connection, api_key)
    connection.sealed_user_token = _seal_user_token(connection, user_token)
    with transaction.atomic():
        connection.save()
        for kind, key in keys:
            Secret.sealed_for(connection, kind, key).save()
        for more in more_secrets:
            _add(connection, "signing", more, "")
    return connection


def change(
    connection: Connection,
    *,
    base_url: str,
    brand_ids: Iterable[str],
    account: str,
    livemode: bool,
) -> dict[str, list[Any]]:
    """What is no key of it, as it is from now on; returns {name: [before, after]}.

    Another host in the base URL takes the API key and the user token away: they were
    entrusted for the old one, and who may edit must not get them sent elsewhere.
    Raises NotUsable.
    """
    told: dict[str, Any] = {
        "base_url": credentials.read_base_url(base_url, demo=connection.demo),
        "brand_ids": credentials.read_brands(brand_ids),
        "account": credentials.read_word(account, "The account", 80, "account"),
        "livemode": livemode,
    }
    with _changing(connection):
        changed = {
            name: [getattr(connection, name), value]
            for name, value in told.items()
            if getattr(connection, name) != value
        }
        if _host(connection.base_url) != _host(told["base_url"]):
            connection.sealed_api_key = connection.sealed_user_token = ""
        for name, value in told.items():
            setattr(connection, name, value)
        connection.save(update_fields=[*told, "sealed_api_key", "sealed_user_token"])
    return changed


def add_secret(
    connection: Connection, secret: str, *, kind: str = "signing", label: str = ""
) -> Secret:
    """One more live key: "signing", "public" or "private". Raises NotUsable."""
    with _changing(connection):
        return _add(connection, kind, secret, label)


def add_secrets(
    connection: Connection, secrets: Iterable[str], *, kind: str, label: str = ""
) -> list[Secret]:
    """Several live keys, all or none of them. Raises NotUsable."""
    with _changing(connection):
        return [_add(connection, kind, secret, label) for secret in secrets]


def rotate(
    connection: Connection,
    secret: str,
    *,
    kind: str = "signing",
    overlap: timedelta = OVERLAP,
    only: Secret | None = None,
) -> Secret:
    """A new key in the place of all of its kind, or of `only` one of them.

    The old ones stay live for the overlap; an overlap of zero ends them at once: for
    a key that leaked. Raises NotUsable.
    """
    return replace(connection, [secret], kind=kind, overlap=overlap, only=only)[0]


def replace(
    connection: Connection,
    secrets: Iterable[str],
    *,
    kind: str,
    overlap: timedelta = OVERLAP,
    only: Secret | None = None,
    label: str = "",
) -> list[Secret]:
    """Several new keys in the place of the old ones, as `rotate` does with one."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise NotUsable("Old keys can stay live for 0 to 7 days.", "overlap")
    end = timezone.now() + overlap
    with _changing(connection):
        # A key that ends sooner anyway keeps its end.
        lasting = connection.secrets.filter(Q(expires=None) | Q(expires__gt=end))
        old = lasting.filter(pk=only.pk) if only else lasting.filter(kind=kind)
        old.update(expires=end)
        return [_add(connection, kind, secret, label) for secret in secrets]


def end_secret(connection: Connection, secret: Secret) -> None:
    """Ends a key now and destroys it: what it signed is refused from here on."""
    with _changing(connection):
        connection.secrets.filter(pk=secret.pk).delete()


def set_api_key(connection: Connection, api_key: str) -> None:
    """What calls to the provider carry from now on; "" takes it away.

    Raises NotUsable.
    """
    with _changing(connection):
        connection.sealed_api_key = _seal_api_key(connection, api_key)
        connection.save(update_fields=["sealed_api_key"])


def set_user_token(connection: Connection, token: str) -> None:
    """What proves a person of the merchant to the provider, for what the API key may
    not do; "" takes it away. Raises NotUsable.
    """
    with _changing(connection):
        connection.sealed_user_token = _seal_user_token(connection, token)
        connection.save(update_fields=["sealed_user_token"])


def close(connection: Connection) -> None:
    """Takes no more deliveries and destroys its keys; what came stays."""
    with _changing(connection):
        connection.secrets.all().delete()
        connection.sealed_api_key = connection.sealed_user_token = ""
        connection.closed = connection.closed or timezone.now()
        connection.save(update_fields=["sealed_api_key", "sealed_user_token", "closed"])


def live_secrets(connection: Connection) -> list[Secret]:
    """The keys that are live now, the newest first; still sealed."""
    return live_secrets_of([connection])


def live_secrets_of(rows: Iterable[Connection]) -> list[Secret]:
    """Those of several connections, the newest first; still sealed."""
    live = Secret.objects.filter(_live(), connection__in=rows)
    return list(live.order_by("-created", "-id"))


# --------------------------------------------------------------------------- beneath
@contextmanager
def _changing(connection: Connection) -> Iterator[None]:
    """One change at a time; nobody here believes afterwards what was read before."""
    with transaction.atomic():
        Connection.objects.select_for_update().filter(pk=connection.pk).first()
        yield
        transaction.on_commit(lambda: forget(connection.pk))
    forget(connection.pk)


def _live() -> Q:
    return Q(expires=None) | Q(expires__gt=timezone.now())


def _add(connection: Connection, kind: str, secret: str, label: str) -> Secret:
    key = credentials.read_key(connection.provider, kind, secret)
    per_event = PROVIDERS[connection.provider].setup.per_event
    most = MOST_LIVE_PER_EVENT if per_event else MOST_LIVE
    if connection.secrets.filter(_live(), kind=kind).count() >= most:
        raise NotUsable(
            f"{connection} has {most} live keys of this kind; end one first."
        )
    row = Secret.sealed_for(connection, kind, key)
    row.label = credentials.read_word(label, "The label", 80, "label")
    row.save()
    return row


def _seal_api_key(connection: Connection, given: str) -> str:
    key = credentials.read_call_key(given, "API key", "api_key")
    return vault.seal(key, purpose=API_KEY, row=connection.id)


def _seal_user_token(connection: Connection, given: str) -> str:
    token = credentials.read_call_key(given, "user token", "user_token")
    return vault.seal(token, purpose=USER_TOKEN, row=connection.id)


def _host(base_url: str) -> str:
    """Scheme, host and port; "" for the provider's own."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc}".lower() if base_url else ""
