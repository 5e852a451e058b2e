"""Who did what, when: notes that are added and never changed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.db.models import Model
from django.dispatch import receiver
from django.http import HttpRequest

from merchant import addresses
from merchant.models import AuditEntry, Member, Merchant, User
from merchant.providers.base import text

#: Who acts: a person, a member, or a word for what is neither ("command", "worker").
Actor = User | Member | str


def note(
    actor: Actor,
    verb: str,
    subject: Model | None = None,
    *,
    merchant: Merchant | None = None,
    detail: dict[str, Any] | None = None,
    request: HttpRequest | None = None,
) -> AuditEntry:
    """Writes down that `actor` did `verb` ("connection.opened") to `subject`.

    `merchant`: in whose log it stands; a member's own where it is not given. `detail`
    is what JSON can hold and holds no secret.
    """
    if isinstance(actor, Member):
        merchant, actor = merchant or actor.merchant, actor.user
    return AuditEntry.objects.create(
        merchant=merchant,
        actor=actor if isinstance(actor, User) else None,
        actor_label=text(actor.email if isinstance(actor, User) else actor, 160) or "",
        verb=verb,
        subject_type=subject._meta.model_name or "" if subject else "",
        subject_id=str(subject.pk) if subject else "",
        detail=detail or {},
        address=addresses.of(request) if request else None,
    )


def _note_for_each_merchant(user: User, verb: str, request: HttpRequest | None) -> None:
    """Into the log of every merchant the person belongs to; into none's if of none."""
    members = user.memberships.select_related("merchant")
    merchants: list[Merchant | None] = [member.merchant for member in members]
    for merchant in merchants or [None]:
        note(user, verb, user, merchant=merchant, request=request)


@receiver(user_logged_in)
def _signed_in(user: User, request: HttpRequest | None = None, **_more: Any) -> None:
    _note_for_each_merchant(user, "signed_in", request)


@receiver(user_logged_out)
def _signed_out(
    user: User | None, request: HttpRequest | None = None, **_more: Any
) -> None:
    if user is not None:
        _note_for_each_merchant(user, "signed_out", request)


@receiver(user_login_failed)
def _failed(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_more: Any
) -> None:
    """A known person's failures stand in their merchants' logs, a guess in none's."""
    email = str(credentials.get("email") or credentials.get("username") or "").lower()
    user = User.objects.filter(email=email[:254]).first()
    if user is not None:
        _note_for_each_merchant(user, "sign_in_failed", request)
    else:
        note(email or "nobody", "sign_in_failed", request=request)
