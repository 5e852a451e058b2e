"""How much one may give back alone: limits per project and role, and what they mean."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db.models import QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.models import ApiKey, Member, Project
from transactions.models import Refund, RefundLimit
from transactions.statuses import RefundStatus

#: Who asks for a refund.
Asker = Member | ApiKey

#: What did not become a refund does not count for the day.
_VOID = (
    RefundStatus.DECLINED,
    RefundStatus.EXPIRED,
    RefundStatus.CANCELED,
    RefundStatus.FAILED,
)


def above(by: Asker, project: Project, amount: int, currency: str) -> str:
    """Why this refund needs a second member, in a sentence; "" when it does not.

    Without limits for the asker's role there are none.
    """
    limits = {limit.currency: limit for limit in _of_role(by, project.pk)}
    if not limits:
        return ""
    limit = limits.get(currency)
    if limit is None:
        return _("There is no limit for refunds in %s.") % currency.upper()
    if limit.each is not None and amount > limit.each:
        return _("It is more than one refund may be.")
    if limit.daily is not None:
        so_far = today(by, project, currency)
        if so_far + amount > limit.daily:
            return _("It is more than may be given back in one day.")
    return ""


def lock(by: Asker, project: UUID) -> None:
    """Keeps the asker's limits for this database transaction, so that requests of one
    member at the same time are counted one after the other."""
    list(_of_role(by, project).select_for_update())


def _of_role(by: Asker, project: UUID) -> QuerySet[RefundLimit]:
    role = by.role if isinstance(by, Member) else RefundLimit.API_KEYS
    return RefundLimit.objects.filter(project=project, role=role).order_by("pk")


def today(by: Asker, project: Project, currency: str) -> int:
    """Minor units that the member or key has given back today, or is about to.

    The day is that of the project's time zone.
    """
    mine = {"asked_by": by.user_id} if isinstance(by, Member) else {"asked_with": by.pk}
    rows = Refund.objects.filter(
        **mine, project=project, currency=currency, created__gte=_midnight(project)
    )
    return int(rows.exclude(status__in=_VOID).aggregate(sum=Sum("amount"))["sum"] or 0)


def set_limit(
    by: Member,
    project: Project,
    role: str,
    currency: str,
    *,
    each: int | None,
    daily: int | None,
) -> None:
    """The role may give back so much alone; with neither there is no limit any more."""
    place: dict[str, Any] = {"project": project, "role": role, "currency": currency}
    if each is None and daily is None:
        RefundLimit.objects.filter(**place).delete()
        return
    told: dict[str, Any] = {
        "each": each, "daily": daily, "set_by": by.user, "changed": timezone.now(),
    }  # fmt: skip
    RefundLimit.objects.update_or_create(defaults=told, **place)


def of(project_id: UUID) -> list[RefundLimit]:
    return list(RefundLimit.objects.filter(project=project_id))


def _midnight(project: Project) -> datetime:
    try:
        zone = ZoneInfo(project.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    now = timezone.now().astimezone(zone)
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
