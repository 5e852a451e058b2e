"""Keys of the API: made once and shown once, known again by their hash."""

from __future__ import annotations

import hashlib
import secrets
import zlib
from collections.abc import Iterable
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from merchant.models import ApiKey, Project

SCOPES = ("read", "write", "refund")
PREFIX = "mk_"

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#: 32 characters of 62 are 190 bits; six more tell a mistyped key from a wrong one.
_RANDOM, _CHECK = 32, 6
#: How old `used` may get before it is written again: not a write for each request.
_USED_EVERY = timedelta(minutes=1)


def issue(
    project: Project, scopes: Iterable[str] = ("read",), label: str = ""
) -> tuple[ApiKey, str]:
    """A new key for one project: its row and its text, which nobody can see again.

    Raises ValueError for a scope that does not exist, or none.
    """
    wanted = list(dict.fromkeys(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise ValueError(f"There is no scope {unknown[0]!r}; use {', '.join(SCOPES)}.")
    if not wanted:
        raise ValueError(f"A key needs a scope: {', '.join(SCOPES)}.")
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    text = f"{PREFIX}{random}{_check(random)}"
    key = ApiKey.objects.create(
        project=project,
        hashed=_hashed(text),
        hint=f"{PREFIX}…{text[-4:]}",
        scopes=wanted,
        label=label,
    )
    return key, text


def find(text: str) -> ApiKey | None:
    """The live key with this text and its project; None if unknown, revoked or expired.

    Notes the use, at most once a minute.
    """
    if not _is_well_formed(text):
        return None
    now = timezone.now()
    live = ApiKey.objects.filter(Q(expires=None) | Q(expires__gt=now), revoked=None)
    # Looked up by its hash, so the time it takes tells nothing about other keys.
    key = live.select_related("project").filter(hashed=_hashed(text)).first()
    if key is not None and (key.used is None or key.used < now - _USED_EVERY):
        ApiKey.objects.filter(pk=key.pk, used=key.used).update(used=now)
    return key


def _is_well_formed(text: str) -> bool:
    body = text.removeprefix(PREFIX)
    return (
        text.startswith(PREFIX)
        and len(body) == _RANDOM + _CHECK
        and body.isascii()
        and body.isalnum()
        and body[_RANDOM:] == _check(body[:_RANDOM])
    )


def _check(random: str) -> str:
    """The CRC of the random part in the key's own alphabet."""
    number = zlib.crc32(random.encode())
    digits = ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
