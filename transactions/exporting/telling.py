"""Telling people and endpoints that an export is ready, or why it is not.

A mail holds a link and no data: who opens it is asked who they are, and whether they
may still look.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant.access import may
from merchant.models import Member
from transactions.exporting import seen
from transactions.exporting.lists import LISTS
from transactions.exporting.objects import export_object
from transactions.models import Export, ExportSchedule
from webhooks import outbox
from webhooks.catalogue import EXPORT

log = logging.getLogger(__name__)

#: A mail server that is away is tried again so often, and no longer than this.
AGAIN, GIVE_UP = timedelta(minutes=5), timedelta(days=1)
MOST_A_ROUND = 50
#: Those who can mend a schedule or miss its files, besides its readers.
ROLES = ("owner", "finance")


def announce(export: Export) -> None:
    """Tells the schedule's endpoint, in the commit that makes the export ready."""
    schedule = export.schedule
    if schedule is None or schedule.endpoint is None:
        return
    outbox.publish(
        [
            outbox.Happening(
                project_id=schedule.endpoint.project_id,
                livemode=export.livemode is not False,
                name=EXPORT.name,
                subject_kind=EXPORT.subject,
                subject=export.pk,
                sequence=1,
                payload={"object": export_object(export)},
                happened=timezone.now(),
                only_to=schedule.endpoint.pk,
            )
        ]
    )


def send_due() -> int:
    """Sends the mails that are due; returns of how many exports."""
    now = timezone.now()
    due = Export.objects.filter(mail_due__lte=now).select_related(
        "schedule", "merchant"
    )
    sent = 0
    for export in due.order_by("mail_due")[:MOST_A_ROUND]:
        mine = Export.objects.filter(pk=export.pk, mail_due=export.mail_due)
        later = now + AGAIN
        if not mine.update(mail_due=later):
            continue  # another worker sends it
        try:
            _send(export)
        except (OSError, SMTPException):
            log.exception("The mail about export %s could not be sent", export.pk)
            if (export.finished or now) > now - GIVE_UP:
                continue
        Export.objects.filter(pk=export.pk, mail_due=later).update(mail_due=None)
        sent += 1
    return sent


def _send(export: Export) -> None:
    """To each one alone, so that nobody sees the others' addresses."""
    subject, told = _words(export)
    mails = []
    for member in _readers(export):
        text = render_to_string("emails/export.txt", told)
        mail = EmailMultiAlternatives(subject, text, to=[member.user.email])
        html = render_to_string("emails/export.html", told)
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    if mails:
        get_connection().send_messages(mails)


def _words(export: Export) -> tuple[str, dict[str, Any]]:
    named = export.schedule.name if export.schedule else _kind(export)
    ready = export.state == Export.State.READY
    path = reverse("transactions:export", args=[export.pk])
    subject = (_("Export ready: %s") if ready else _("Export failed: %s")) % named
    return " ".join(subject.split())[:150], {
        "export": export,
        "kind": _kind(export),
        "named": named,
        "ready": ready,
        "url": f"{settings.PUBLIC_URL}{path}",
    }


def _kind(export: Export) -> str:
    return f"{LISTS[export.listing].label}, {export.get_format_display()}"


def _readers(export: Export) -> Iterator[Member]:
    """Who asked, or whom the schedule tells, of those who may look today; that a file
    of a schedule is missing is also told to those in charge."""
    members = Member.objects.select_related("user").prefetch_related("projects")
    if export.schedule is not None:
        missing = export.state == Export.State.FAILED
        wanted = members.filter(whom(export.schedule, missing=missing))
    else:
        wanted = members.filter(exports=export)
    for member in wanted.filter(user__is_active=True, merchant=export.merchant_id):
        if may(member.role, "export") and _sees(member, export):
            yield member


def whom(schedule: ExportSchedule, *, missing: bool) -> Q:
    """Which members hear of a schedule's file, or that one is missing."""
    readers = Q(pk__in=schedule.members.values("pk"))
    return readers | Q(role__in=ROLES) if missing else readers


def _sees(member: Member, export: Export) -> bool:
    return seen.visible_to(member).filter(pk=export.pk).exists()
