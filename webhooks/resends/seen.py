"""Whose resends a member sees, and how far one is."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from merchant.models import Member
from merchant.selectors import held_projects, projects_of
from webhooks.models import Resend

#: Before this much has passed nobody knows how long the rest will take.
TOO_EARLY = timedelta(seconds=2)


def seen_by(member: Member) -> QuerySet[Resend]:
    """Those of the member's projects, and their own.

    A selection may be from several projects: who is limited to some does not see what
    others selected.
    """
    own = Q(member=member) | Q(project__in=projects_of(member))
    if not held_projects(member):
        own |= Q(project=None)
    rows = Resend.objects.filter(own, merchant_id=member.merchant_id)
    return rows.select_related("endpoint__project", "to__project", "project")


def time_left(run: Resend, now: datetime) -> timedelta | None:
    """How much longer it takes at the speed so far; None while nobody can know."""
    if run.started is None or run.rows_total is None or not run.rows_done:
        return None
    reached = max(now, run.next_due or now)
    if reached - run.started < TOO_EARLY:
        return None
    left = max(run.rows_total - run.rows_done, 0)
    return (reached - run.started) / run.rows_done * left + (reached - now)
