"""Under which names, addresses and accounts a customer is known, by their purchases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from merchant.templatetags.show import spoken
from transactions.models import Transaction

#: So many of the newest purchases are asked.
MOST_ASKED = 100
#: So many different answers of each kind are shown.
MOST_SHOWN = 8

COLUMNS = (
    "customer_name", "customer_email", "customer_phone", "customer_details"
)  # fmt: skip


@dataclass(slots=True)
class Identities:
    """What the newest purchases say, the newest first, each said once.

    `accounts`: (platform, name, id) at Steam, Discord and the like.
    """

    names: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    own_ids: list[str] = field(default_factory=list)
    provider_ids: list[str] = field(default_factory=list)
    accounts: list[tuple[str, str, str]] = field(default_factory=list)


def of(theirs: QuerySet[Transaction]) -> Identities:
    """What is known from `theirs`, one customer's purchases."""
    known = Identities()
    newest = theirs.order_by("-created", "-id").values_list(*COLUMNS)[:MOST_ASKED]
    for name, email, phone, details in newest:
        told = details if isinstance(details, dict) else {}
        _note(known.names, name)
        _note(known.emails, email)
        _note(known.phones, phone)
        _note(known.own_ids, told.get("external_id"))
        _note(known.provider_ids, told.get("provider_id"))
        for account in _accounts(told.get("identities")):
            _note(known.accounts, account)
    return known


def _accounts(identities: Any) -> Iterable[tuple[str, str, str]]:
    if not isinstance(identities, dict):
        return
    for platform, account in identities.items():
        told = account if isinstance(account, dict) else {"id": account}
        name, id = (str(told.get(part) or "") for part in ("name", "id"))
        if name or id:
            yield spoken(platform), name, id


def _note(known: list[Any], value: Any) -> None:
    if value and value not in known and len(known) < MOST_SHOWN:
        known.append(value if isinstance(value, tuple) else str(value))
