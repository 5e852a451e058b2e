"""Whose shops: which projects a member sees."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet

from merchant.models import Member, Project


def held_projects(member: Member) -> list[UUID]:
    """The projects that the member is limited to; none means every one.

    Uses `prefetch_related("projects")` where the member was fetched with it.
    """
    return [project.pk for project in member.projects.all()]


def projects_of(member: Member) -> QuerySet[Project]:
    """The projects of the member's merchant that the member may see, by name."""
    projects = Project.objects.filter(merchant_id=member.merchant_id)
    held = held_projects(member)
    if held:
        projects = projects.filter(pk__in=held)
    return projects.order_by("name", "pk")
