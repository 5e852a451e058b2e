"""Whose bulk actions: what a member sees of their own and of their colleagues'."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from merchant.models import Member
from merchant.selectors import held_projects
from transactions import selectors
from transactions.models import BulkAction, BulkItem


def seen_by(member: Member) -> QuerySet[BulkAction]:
    """Those of the member's merchant; drafts only their author's.

    Who is limited to some projects sees only their own: what others chose and how much
    it came to may tell of projects that they do not see.
    """
    own = Q(member=member)
    if not held_projects(member):
        own |= ~Q(state=BulkAction.State.DRAFT)
    return BulkAction.objects.filter(own, merchant_id=member.merchant_id)


def items_seen_by(member: Member, bulk: BulkAction) -> QuerySet[BulkItem]:
    """Its items whose transactions the member may see now."""
    return bulk.items.filter(transaction__in=selectors.visible_to(member))
