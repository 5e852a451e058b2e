"""The safe: secrets are sealed at rest and open only on the row they belong to."""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class Locked(Exception):
    """A sealed text does not open here; `str()` says what the operator must do."""


def seal(secret: str, *, purpose: str, row: UUID) -> str:
    """The secret, sealed for this purpose and row with the first key. "" stays ""."""
    if not secret:
        return ""
    bound = f"{purpose}|{row}|{secret}"
    return _safe().encrypt(bound.encode()).decode()


def unseal(sealed: str, *, purpose: str, row: UUID) -> str:
    """The secret. Raises Locked when no key fits or it was sealed for another row."""
    if not sealed:
        return ""
    try:
        bound = _safe().decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Locked(
            "A stored secret does not open with ENCRYPTION_KEYS. Put the key that "
            "sealed it back into the list."
        ) from None
    prefix = f"{purpose}|{row}|"
    if not bound.startswith(prefix):
        raise Locked("A stored secret was sealed for another row; it stays closed.")
    return bound[len(prefix) :]


def reseal(sealed: str) -> str:
    """The same sealed text under the first of ENCRYPTION_KEYS. Raises Locked."""
    try:
        return _safe().rotate(sealed.encode()).decode() if sealed else ""
    except InvalidToken:
        raise Locked("A stored secret does not open with ENCRYPTION_KEYS.") from None


def new_key() -> str:
    """A fresh key for ENCRYPTION_KEYS."""
    return Fernet.generate_key().decode()


def _safe() -> MultiFernet:
    keys = tuple(settings.ENCRYPTION_KEYS)
    if not keys:
        raise Locked(
            "ENCRYPTION_KEYS is not set, so secrets can neither be stored nor opened. "
            "Set it to at least one key (make one with: manage.py new_encryption_key)."
        )
    return _multi(keys)


@lru_cache(maxsize=4)
def _multi(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
