"""Questions to providers, written down in the transaction that raised them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone

from merchant import bulk
from merchant.models import Connection
from merchant.providers.base import Want
from transactions.models import LookUp
from webhooks.models import InboundEvent

#: What is set back when a question is asked again; its lease too, or it would have to
#: run out before anybody asks.
_AFRESH = [
    "state",
    "due",
    "tries",
    "lease",
    "leased_until",
    "error",
    "transaction_id",
]


@dataclass(frozen=True, slots=True)
class Question:
    """Something to look up, for the transaction that it is about."""

    connection: Connection
    want: Want
    transaction: UUID | None
    inbound: InboundEvent | None


def ask(asked: Sequence[Question]) -> None:
    """Enters look-ups that are due now, or that wait for an API key.

    Asked again, an answered one is due again: the state behind it has changed.
    """
    rows = {
        (question.connection.pk, question.want): _row(question) for question in asked
    }
    bulk.upsert(
        LookUp,
        [bulk.row_of(rows[place]) for place in sorted(rows, key=str)],
        unique=["connection_id", "kind", "want"],
        update=_AFRESH,
    )


def open_for_key() -> int:
    """Questions that waited for an API key that is there now; returns how many."""
    waiting = LookUp.objects.filter(state=LookUp.State.NEEDS_KEY)
    return waiting.exclude(connection__sealed_api_key="").update(
        state=LookUp.State.WAITING, due=timezone.now()
    )


def _row(question: Question) -> LookUp:
    has_key = question.connection.has_api_key
    return LookUp(
        connection=question.connection,
        kind=question.want.kind[:40],
        want=question.want.id[:300],
        transaction_id=question.transaction,
        inbound=question.inbound,
        state=LookUp.State.WAITING if has_key else LookUp.State.NEEDS_KEY,
    )
