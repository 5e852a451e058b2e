"""Plain rows for tests: each function makes one thing and what it cannot be without."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import transaction

from merchant import keys, vault
from merchant.models import ApiKey, Connection, Member, Merchant, Project, Secret, User
from transactions import journal
from transactions.fold import changes
from transactions.models import (
    BalanceChange,
    Dispute,
    LineItem,
    Payout,
    Product,
    Refund,
    Transaction,
)
from webhooks.models import InboundEvent

PASSWORD = "correct horse battery 9"
_numbers = itertools.count(1)


def make_merchant(**over: Any) -> Merchant:
    number = next(_numbers)
    given = {"name": f"Merchant {number}", "slug": f"merchant-{number}"}
    return Merchant.objects.create(**given | over)


def make_project(**over: Any) -> Project:
    number = next(_numbers)
    given: dict[str, Any] = {"name": f"Shop {number}", "slug": f"shop-{number}"}
    if "merchant" not in over:
        given["merchant"] = make_merchant()
    return Project.objects.create(**given | over)


def make_user(**over: Any) -> User:
    given = {"email": f"person{next(_numbers)}@example.com", "password": PASSWORD}
    return User.objects.create_user(**given | over)


def make_member(role: str = "owner", **over: Any) -> Member:
    """A member of `merchant` (a new one if not given), or only of some `projects`."""
    projects = over.pop("projects", ())
    if "merchant" not in over:
        over["merchant"] = make_merchant()
    if "user" not in over:
        over["user"] = make_user(email=f"{role}{next(_numbers)}@example.com")
    member = Member.objects.create(role=role, **over)
    member.projects.set(projects)
    return member


@cache
def rsa_pair() -> tuple[str, str]:
    """(public, private) PEM texts, made once per run and never written down."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return public.decode(), private.decode()


def make_connection(
    provider: str = "stripe",
    *,
    secret: str | None = None,
    api_key: str = "",
    **over: Any,
) -> Connection:
    """A connection that can verify and sign: a sealed secret, or Paysecure's RSA pair.

    `secret=""` leaves the signing secret out. `merchant.connections.keys_of` opens
    what was sealed.
    """
    if "project" not in over:
        over["project"] = make_project()
    user_token = over.pop("user_token", "")
    connection = Connection(provider=provider, **over)
    connection.sealed_user_token = vault.seal(
        user_token, purpose="connection.user_token", row=connection.id
    )
    connection.sealed_api_key = vault.seal(
        api_key, purpose="connection.api_key", row=connection.id
    )
    connection.save()
    if provider == "paysecure":
        public, private = rsa_pair()
        make_secret(connection, "public", public)
        make_secret(connection, "private", private)
    elif secret != "":
        prefix = "whsec_" if provider == "stripe" else ""
        make_secret(connection, "signing", secret or prefix + secrets.token_hex(16))
    return connection


def make_secret(connection: Connection, kind: str, secret: str, **over: Any) -> Secret:
    row = Secret.sealed_for(connection, kind, secret, **over)
    row.save()
    return row


def make_api_key(
    project: Project | None = None, scopes: Sequence[str] = ("read",)
) -> tuple[ApiKey, str]:
    """A key's row and its text."""
    return keys.issue(project or make_project(), scopes)


def make_inbound_event(**over: Any) -> InboundEvent:
    """A kept delivery; not signed, the ledger does not look again."""
    body = over.setdefault("body", b"{}")
    given: dict[str, Any] = {
        "event_key": f"evt_{next(_numbers)}",
        "event_type": "payment.success",
        "fingerprint": hashlib.sha256(body).hexdigest(),
        "headers": {"content-type": "application/json"},
    }
    if "connection" not in over:
        given["connection"] = make_connection()
    return InboundEvent.objects.create(**given | over)


def make_transaction(**over: Any) -> Transaction:
    """A row as the ledger would leave it, without timeline; paid 19.99 EUR."""
    number = next(_numbers)
    if "connection" not in over:
        project = over.get("project") or make_project()
        over["connection"] = make_connection(project=project)
    connection = over["connection"]
    when = over.get("created", datetime(2026, 3, 1, 12, tzinfo=UTC))
    given: dict[str, Any] = {
        "merchant": connection.project.merchant,
        "project": connection.project,
        "provider": connection.provider,
        "provider_id": f"pi_{number}",
        "status": "paid",
        "amount": 1999,
        "currency": "eur",
        "customer_name": "Ada Byron",
        "customer_email": f"ada{number}@example.com",
        "customer_country": "GB",
        "method": "card",
        "method_brand": "visa",
        "method_last4": "4242",
        "created": when,
        "paid": when,
    }
    return Transaction.objects.create(**given | over)


def make_item(
    transaction: Transaction, name: str = "Iron Sword", **over: Any
) -> LineItem:
    """A line of the purchase; makes its product where the project has none."""
    key = over.pop("product_key", f"prod_{name}")
    product, _ = Product.objects.get_or_create(
        project=transaction.project,
        provider=transaction.provider,
        key=key,
        defaults={"name": name},
    )
    given: dict[str, Any] = {
        "transaction": transaction,
        "key": str(next(_numbers)),
        "position": 0,
        "project": transaction.project,
        "product": product,
        "created": transaction.created,
        "name": name,
        "amount": transaction.amount,
    }
    return LineItem.objects.create(**given | over)


def make_refund(transaction: Transaction, **over: Any) -> Refund:
    """A refund made in the provider's own dashboard; without timeline."""
    number = next(_numbers)
    name = over.get("provider_id", f"re_{number}")
    given: dict[str, Any] = {
        "transaction": transaction,
        "merchant": transaction.merchant,
        "project": transaction.project,
        "livemode": transaction.livemode,
        "key": name,
        "provider_id": name,
        "status": "succeeded",
        "amount": 500,
        "currency": transaction.currency,
        "created": transaction.created,
    }
    return Refund.objects.create(**given | over)


def make_changes(*rows: Transaction) -> list[BalanceChange]:
    """The journal's rows of purchases that were made without a timeline."""
    for row in rows:
        row.refresh_from_db()
        whose = {
            name: getattr(row, name)
            for name in ("merchant_id", "project_id", "livemode")
        }
        found = changes.of(
            [],
            vars(row),
            {refund.key: vars(refund) for refund in row.refunds.all()},
            {dispute.provider_id: vars(dispute) for dispute in row.disputes.all()},
        )
        with transaction.atomic():
            journal.keep(
                {(row.pk, key): columns | whose for key, columns in found.items()},
                [row.pk],
            )
    return list(BalanceChange.objects.filter(transaction__in=rows))


def make_dispute(transaction: Transaction, **over: Any) -> Dispute:
    """An open chargeback of the whole purchase; without timeline."""
    given: dict[str, Any] = {
        "transaction": transaction,
        "project": transaction.project,
        "livemode": transaction.livemode,
        "provider_id": f"dp_{next(_numbers)}",
        "status": "open",
        "amount": transaction.amount,
        "currency": transaction.currency,
        "created": transaction.created,
    }
    return Dispute.objects.create(**given | over)


def make_payout(connection: Connection, **over: Any) -> Payout:
    """Money that its provider has sent; without timeline."""
    given: dict[str, Any] = {
        "connection": connection,
        "project": connection.project,
        "provider": connection.provider,
        "provider_id": f"po_{next(_numbers)}",
        "status": "paid",
        "amount": 5000,
        "currency": "eur",
        "created": datetime(2026, 3, 1, 12, tzinfo=UTC),
    }
    return Payout.objects.create(**given | over)
