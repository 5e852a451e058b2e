"""Accounts with providers: open one, change its keys, close it, open its secrets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from merchant import destinations, vault
from merchant.models import Connection, Project, Secret
from merchant.providers import PROVIDERS
from merchant.providers.base import Keys

#: Seconds for which a process believes what it read; a wrong signature reads again.
KEPT = 5.0
#: How long an old secret stays live after a rotation.
OVERLAP = timedelta(hours=24)
SHORTEST_SECRET = 8
PURPOSE = "connection.api_key"

_opened: dict[UUID, tuple[float, Connection, Keys]] = {}


class NotUsable(ValueError):
    """What was given cannot work; `str()` says what to give instead."""


# ------------------------------------------------------------------------- reading
def keys_of(connection: Connection) -> Keys:
    """Everything of the connection that was sealed, opened. Raises vault.Locked."""
    live = connection.secrets.filter(Q(expires=None) | Q(expires__gt=timezone.now()))
    found: dict[str, list[str]] = {"signing": [], "public": [], "private": []}
    for secret in live.order_by("-created", "-id"):
        found[secret.kind].append(secret.open())
    return Keys(
        secrets=tuple(found["signing"]),
        public_keys=tuple(found["public"]),
        private_key=next(iter(found["private"]), ""),
        api_key=vault.unseal(
            connection.sealed_api_key, purpose=PURPOSE, row=connection.id
        ),
        base_url=connection.base_url,
        brand_ids=tuple(connection.brand_ids),
        account=connection.account,
        livemode=connection.livemode,
    )


def opened(id: UUID) -> tuple[Connection, Keys] | None:
    """The connection and its keys, kept for a few seconds; None when unknown or closed.

    A miss is not kept, so a new connection works at once.
    """
    kept = _opened.get(id)
    if kept and time.monotonic() - kept[0] < KEPT:
        return kept[1], kept[2]
    _opened.pop(id, None)
    found = (
        Connection.objects.select_related("project").filter(pk=id, closed=None).first()
    )
    if found is None:
        return None
    keys = keys_of(found)
    _opened[id] = (time.monotonic(), found, keys)
    return found, keys


def forget(id: UUID) -> None:
    """Lets the next `opened` read the database."""
    _opened.pop(id, None)


# ------------------------------------------------------------------------- writing
@transaction.atomic
def open_connection(
    project: Project,
    provider: str,
    *,
    secret: str = "",
    public_key: str = "",
    private_key: str = "",
    api_key: str = "",
    base_url: str = "",
    brand_ids: Sequence[str] = (),
    account: str = "",
    livemode: bool = True,
    demo: bool = False,
) -> Connection:
    """A new connection with its secrets sealed. Raises NotUsable and vault.Locked."""
    if provider not in PROVIDERS:
        raise NotUsable(f"{provider!r} is no provider; use {', '.join(PROVIDERS)}.")
    connection = Connection(
        project=project,
        provider=provider,
        base_url=_checked_url(base_url, demo=demo),
        brand_ids=[brand.strip() for brand in brand_ids if brand.strip()],
        account=account.strip(),
        livemode=livemode,
        demo=demo,
    )
    connection.sealed_api_key = vault.seal(api_key, purpose=PURPOSE, row=connection.id)
    connection.save()
    for kind, given in (
        ("signing", secret),
        ("public", public_key),
        ("private", private_key),
    ):
        if given:
            add_secret(connection, given, kind=kind)
    return connection


def add_secret(connection: Connection, secret: str, *, kind: str = "signing") -> Secret:
    """One more live secret beside those that are there. Raises NotUsable."""
    row = Secret.sealed_for(connection, kind, _checked(kind, secret))
    row.save()
    forget(connection.id)
    return row


@transaction.atomic
def rotate(
    connection: Connection,
    secret: str,
    *,
    kind: str = "signing",
    overlap: timedelta = OVERLAP,
) -> Secret:
    """A new secret; the old ones stay live for `overlap`. Raises NotUsable."""
    ends = timezone.now() + overlap
    old = connection.secrets.filter(kind=kind)
    old.filter(Q(expires=None) | Q(expires__gt=ends)).update(expires=ends)
    return add_secret(connection, secret, kind=kind)


def set_api_key(connection: Connection, api_key: str) -> None:
    """Sets or (with "") takes away the key for calls out."""
    connection.sealed_api_key = vault.seal(api_key, purpose=PURPOSE, row=connection.id)
    connection.save(update_fields=["sealed_api_key"])
    forget(connection.id)


def close(connection: Connection) -> None:
    """Takes no more deliveries; what came in stays."""
    connection.closed = timezone.now()
    connection.save(update_fields=["closed"])
    forget(connection.id)


def _checked(kind: str, secret: str) -> str:
    secret = secret.strip()
    if kind == "public":
        try:
            return PROVIDERS["paysecure"].normalise_public_key(secret)  # type: ignore[attr-defined, no-any-return]
        except ValueError as error:
            raise NotUsable(f"The public key cannot be used: {error}") from error
    if len(secret) < SHORTEST_SECRET:
        raise NotUsable(
            f"A secret of fewer than {SHORTEST_SECRET} characters protects nothing; "
            "copy the whole secret from the provider's dashboard."
        )
    return secret


def _checked_url(url: str, *, demo: bool) -> str:
    url = url.strip().rstrip("/")
    if not url:
        return ""
    try:
        target = destinations.read_url(url)
    except destinations.NotAllowed as error:
        raise NotUsable(f"The base URL cannot be used: {error}") from error
    if target.sandbox and not demo and not settings.ALLOW_PRIVATE_ENDPOINTS:
        raise NotUsable(
            "Only the demo's own connections may call the sandbox; set "
            "ALLOW_PRIVATE_ENDPOINTS for your own tests."
        )
    return url
