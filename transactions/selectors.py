"""Whose purchases: where every query of transactions starts."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from merchant.models import Member, Project
from merchant.selectors import held_projects
from transactions.models import Refund, Transaction, TransactionAlias


def visible_to(member: Member) -> QuerySet[Transaction]:
    """What the member may see: the merchant's, in the projects that the member holds.

    A parked row (an invoice that may still be a part of another purchase) is hidden.
    """
    rows = _shown().filter(merchant_id=member.merchant_id)
    held = held_projects(member)
    return rows.filter(project_id__in=held) if held else rows


def of_project(project: Project) -> QuerySet[Transaction]:
    """What an API key of the project may see."""
    # The merchant as well: the index by status starts with it.
    return _shown().filter(merchant_id=project.merchant_id, project_id=project.pk)


def refunds_visible_to(member: Member) -> QuerySet[Refund]:
    """The refunds of what the member may see."""
    rows = Refund.objects.filter(merchant_id=member.merchant_id)
    held = held_projects(member)
    return rows.filter(project_id__in=held) if held else rows


def refunds_of_project(project: Project) -> QuerySet[Refund]:
    """What an API key of the project may see."""
    return Refund.objects.filter(merchant_id=project.merchant_id, project=project)


def find(rows: QuerySet[Transaction], id: UUID) -> Transaction | None:
    """The transaction of this id, or what it was joined to; None where unseen."""
    found = rows.filter(pk=id).first()
    if found is None:
        joined = TransactionAlias.objects.filter(pk=id).values("transaction_id")
        found = rows.filter(pk__in=joined).first()
    return found


def _shown() -> QuerySet[Transaction]:
    return Transaction.objects.filter(parked=False)
