"""A project's own RSA pair, for endpoints that are told in Paysecure's words."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from cryptography.hazmat.primitives import serialization
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from merchant.models import Project
from webhooks.dialects import rsa
from webhooks.models import SigningKey

OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)


def pair_of(project: Project) -> SigningKey:
    """The pair that signs, made when the first endpoint needs one.

    Two who ask at the same moment get the same pair.
    """
    found = _newest(project.pk)
    if found is not None:
        return found
    # A key takes a while to make: before anybody is locked out.
    private, public = rsa.new_pair()
    with _alone(project):
        return _newest(project.pk) or _enter(project, private, public)


def roll(project: Project, overlap: timedelta = OVERLAP) -> SigningKey:
    """A new pair; the old ones stay valid for the overlap, 0 to 7 days.

    Until then the tries of a delivery take turns, the new pair first: a receiver that
    knows only the old public key takes the second try. An overlap of zero destroys the
    old pairs at once: for one that leaked. Raises ValueError.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise ValueError("Old keys can stay valid for 0 to 7 days.")
    private, public = rsa.new_pair()
    end = timezone.now() + overlap
    with _alone(project):
        rows = SigningKey.objects.filter(project=project)
        # One that ends sooner anyway keeps its end.
        rows.filter(Q(expires=None) | Q(expires__gt=end)).update(expires=end)
        rows.filter(expires__lte=timezone.now()).delete()
        return _enter(project, private, public)


def live(project_id: UUID) -> list[SigningKey]:
    """Every pair that is in force, the newest first."""
    live = Q(expires=None) | Q(expires__gt=timezone.now())
    rows = SigningKey.objects.filter(live, project_id=project_id)
    return list(rows.order_by("-created", "-id"))


def public_der(key: SigningKey) -> str:
    """The public key as the base64 of its DER form, in one line: what Java's
    X509EncodedKeySpec takes. `SigningKey.public` is the same key as PEM."""
    loaded = serialization.load_pem_public_key(key.public.encode())
    der = loaded.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode("ascii")


def _newest(project_id: UUID) -> SigningKey | None:
    return next(iter(live(project_id)), None)


def _enter(project: Project, private: str, public: str) -> SigningKey:
    row = SigningKey.sealed_for(project, private, public)
    row.save()
    return row


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """A transaction in which nobody else makes a pair for this project."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        yield
