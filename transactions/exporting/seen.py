"""Whose exports: a file is for those who may see all that it can hold, and nobody else.

That is asked again at every look and every download, with today's role and projects.
"""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from merchant.models import ApiKey, Member
from merchant.selectors import held_projects
from transactions.models import Export, ExportSchedule

_OF = Export.projects.through


def visible_to(member: Member) -> QuerySet[Export]:
    """Those of the member's merchant; for who is limited to some projects, those whose
    rows can be of these projects only."""
    rows = Export.objects.filter(merchant_id=member.merchant_id)
    held = held_projects(member)
    if not held:
        return rows
    others = _OF.objects.filter(export=OuterRef("pk")).exclude(project__in=held)
    return rows.filter(~Exists(others), whole=False)


def of_key(key: ApiKey) -> QuerySet[Export]:
    """Those that were asked for with keys of the key's project, and those that its
    project's endpoints are told of."""
    rows = Export.objects.filter(merchant_id=key.project.merchant_id, whole=False)
    others = _OF.objects.filter(export=OuterRef("pk")).exclude(project=key.project_id)
    mine = _OF.objects.filter(export=OuterRef("pk"), project=key.project_id)
    theirs = Q(key__isnull=False) | Q(schedule__endpoint__isnull=False)
    return rows.filter(theirs, ~Exists(others), Exists(mine))


def schedules_visible_to(member: Member) -> QuerySet[ExportSchedule]:
    """The member's own; for who sees every project, all of the merchant's."""
    rows = ExportSchedule.objects.filter(merchant_id=member.merchant_id)
    return rows.filter(member=member) if held_projects(member) else rows
