"""What signs an endpoint's letters: shown, rolled, and fitted to a dialect."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from merchant.audit import Actor
from merchant.models import Project
from webhooks import secrets, signing_keys
from webhooks.endpoints.rows import changing, note
from webhooks.endpoints.terms import NotUsable
from webhooks.models import Endpoint, EndpointSecret

OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
#: Each live secret is one more signature in every letter.
MOST_LIVE = 5


def live_secrets(endpoint: Endpoint) -> QuerySet[EndpointSecret]:
    """Those that sign now, the newest first; still sealed."""
    live = Q(expires=None) | Q(expires__gt=timezone.now())
    return endpoint.secrets.filter(live).order_by("-created", "-id")


def newest_secret(endpoint: Endpoint) -> str:
    """The one that signs first, opened; "" where the project's key pair signs.

    For who has just asked for it by another verb: `reveal` is the one that is noted.
    """
    newest = live_secrets(endpoint).first()
    return newest.open() if newest else ""


def reveal(endpoint: Endpoint, by: Actor, request: HttpRequest | None = None) -> str:
    """The newest secret, and a line in the audit log.

    Raises NotUsable where the project's key pair signs, vault.Locked.
    """
    secret = newest_secret(endpoint)
    if not secret:
        raise NotUsable("It has no secret: its letters are signed with a key pair.")
    note(by, "secret_shown", endpoint, request)
    return secret


def roll(
    endpoint: Endpoint,
    *,
    overlap: timedelta = OVERLAP,
    by: Actor,
    secret: str = "",
    request: HttpRequest | None = None,
) -> str:
    """A new secret. The old ones sign beside it for the overlap, 0 to 7 days.

    An overlap of zero destroys them at once: for one that leaked. Where the project's
    key pair signs, the pair is new, for all of its endpoints; then the answer is "".
    Raises NotUsable.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise NotUsable("Old secrets can stay valid for 0 to 7 days.", "overlap")
    hours = round(overlap.total_seconds() / 3600, 2)
    if not secrets.has_secrets(endpoint.dialect):
        with transaction.atomic():
            signing_keys.roll(endpoint.project, overlap)
            note(by, "key_pair_rolled", endpoint, request, overlap_hours=hours)
        _forget_all(endpoint.project)
        return ""
    secret = usable_secret(endpoint.dialect, secret)
    with changing(endpoint) as row:
        live = live_secrets(row)
        if not overlap:
            row.secrets.all().delete()
        elif live.count() >= MOST_LIVE:
            raise NotUsable(
                f"It has {MOST_LIVE} secrets that still sign. Wait until one ends, or "
                "roll without an overlap."
            )
        else:
            end = timezone.now() + overlap
            # One that ends sooner anyway keeps its end.
            lasting = Q(expires=None) | Q(expires__gt=end)
            row.secrets.filter(lasting).update(expires=end)
            row.secrets.filter(expires__lte=timezone.now()).delete()
        give(row, secret)
        note(by, "secret_rolled", row, request, overlap_hours=hours)
    secrets.forget(endpoint)
    return secret


def usable_secret(dialect: str, given: str) -> str:
    """The secret as it is kept, a new one if none was given; "" where none is used."""
    if not secrets.has_secrets(dialect):
        if given:
            raise NotUsable(
                "This dialect signs with the project's key pair: leave the secret out.",
                "secret",
            )
        return ""
    if not given:
        return secrets.new_secret(dialect)
    try:
        secrets.check_secret(dialect, given)
    except ValueError as error:
        raise NotUsable(str(error), "secret") from error
    return given


def give(endpoint: Endpoint, secret: str) -> None:
    if secret:
        EndpointSecret.sealed_for(endpoint, secret).save()


def make_pair(endpoint: Endpoint) -> None:
    """A key takes a while to make, so it is made before anybody is locked out."""
    if not secrets.has_secrets(endpoint.dialect):
        signing_keys.pair_of(endpoint.project)


def _forget_all(project: Project) -> None:
    """Nobody here signs on with a pair that was read before."""
    for endpoint in Endpoint.objects.filter(project=project).only("pk"):
        secrets.forget(endpoint)


def fit_secrets(endpoint: Endpoint) -> None:
    """Secrets that its new dialect can sign with: the old ones if they fit."""
    if secrets.has_secrets(endpoint.dialect):
        try:
            kept = [row.open() for row in live_secrets(endpoint)]
            for secret in kept:
                secrets.check_secret(endpoint.dialect, secret)
        except ValueError:
            kept = []
        if kept:
            return
    endpoint.secrets.all().delete()
    give(endpoint, usable_secret(endpoint.dialect, ""))
