"""A schedule that cannot go on stands still, and says so to those who wait for it.

Going on would leave a gap in its files. Once it is changed or goes on, it makes what it
left out.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit
from merchant.access import may
from merchant.models import Member
from transactions.exporting import seen
from transactions.exporting.telling import AGAIN, MOST_A_ROUND, whom
from transactions.models import ExportSchedule

log = logging.getLogger(__name__)


def stop(schedule: ExportSchedule, words: str) -> None:
    """It stands still where it is, for this reason; mails follow. Within the database
    transaction that has the schedule locked."""
    log.warning("Schedule %s is stopped: %s", schedule.pk, words)
    schedule.due, schedule.error = None, words[:300]
    schedule.mail_due = timezone.now()
    schedule.save(update_fields=["due", "error", "mail_due"])
    audit.note(
        "schedule", "export_schedule.stopped", schedule, merchant=schedule.merchant,
        detail={"name": schedule.name, "error": schedule.error},
    )  # fmt: skip


def send_due() -> int:
    """Sends the mails about schedules that stopped; returns about how many. A mail
    server that is away is tried again until the schedule goes on."""
    now = timezone.now()
    due = ExportSchedule.objects.filter(mail_due__lte=now).select_related("merchant")
    sent = 0
    for schedule in due.order_by("mail_due")[:MOST_A_ROUND]:
        mine = ExportSchedule.objects.filter(pk=schedule.pk, mail_due=schedule.mail_due)
        later = now + AGAIN
        if not mine.update(mail_due=later):
            continue  # another worker sends it
        try:
            _send(schedule)
        except (OSError, SMTPException):
            log.exception("The mail about schedule %s could not be sent", schedule.pk)
            continue
        ExportSchedule.objects.filter(pk=schedule.pk, mail_due=later).update(
            mail_due=None
        )
        sent += 1
    return sent


def _send(schedule: ExportSchedule) -> None:
    """To each one alone, so that nobody sees the others' addresses."""
    path = reverse("transactions:export_schedules")
    told: dict[str, Any] = {
        "schedule": schedule,
        "url": f"{settings.PUBLIC_URL}{path}",
    }
    subject = " ".join((_("Scheduled export stopped: %s") % schedule.name).split())
    mails = []
    for member in _readers(schedule):
        text = render_to_string("emails/schedule.txt", told)
        mail = EmailMultiAlternatives(subject[:150], text, to=[member.user.email])
        html = render_to_string("emails/schedule.html", told)
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    if mails:
        get_connection().send_messages(mails)


def _readers(schedule: ExportSchedule) -> Iterator[Member]:
    """Whom its files go to and who is in charge, of those who may look today."""
    members = Member.objects.filter(
        whom(schedule, missing=True),
        merchant=schedule.merchant_id,
        user__is_active=True,
    )
    for member in members.select_related("user").prefetch_related("projects"):
        if may(member.role, "export") and _sees(member, schedule):
            yield member


def _sees(member: Member, schedule: ExportSchedule) -> bool:
    """Whether they see the schedule, or at least the last of its files."""
    if seen.schedules_visible_to(member).filter(pk=schedule.pk).exists():
        return True
    last = schedule.exports.order_by("-since").first()
    return last is not None and seen.visible_to(member).filter(pk=last.pk).exists()
