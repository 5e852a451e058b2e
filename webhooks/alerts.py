"""Mail to those who can repair it: events that could not be read, senders refused.

Of one cause (this connection, this trouble) people hear once a day at most. A mail
says where to look and holds nothing of what came.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException
from urllib.parse import urlencode

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from merchant.models import Connection, Member, Project
from webhooks.models import Alert, InboundEvent, Refusal

logger = logging.getLogger(__name__)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ROLES = ("owner", "developer")
MANY_REFUSED = 10
#: Of a flood of unreadable events so many are looked at.
MOST_COUNTED = 200

State = InboundEvent.State

#: trouble -> what the mail calls it.
WORDS = {
    State.QUARANTINED: _("Events could not be understood"),
    State.FAILED: _("Events could not be entered"),
    State.REFUSED: _("Deliveries are being refused"),
}


@dataclass(frozen=True, slots=True)
class Cause:
    """What people should hear: so many at this connection are in this trouble."""

    connection: Connection
    trouble: State
    count: int

    @property
    def name(self) -> str:
        return f"{self.trouble}:{self.connection.pk}"

    @property
    def at_least(self) -> bool:
        """Whether it may be more: nobody counts a flood to its end."""
        return self.trouble != State.REFUSED and self.count >= MOST_COUNTED

    @property
    def url(self) -> str:
        """The page that shows them."""
        if self.trouble == State.REFUSED:
            path, query = reverse("webhooks:refusals"), {}
        else:
            path, query = reverse("webhooks:inbox"), {"state": self.trouble.value}
        query["connection"] = str(self.connection.pk)
        return f"{settings.PUBLIC_URL}{path}?{urlencode(query)}"


# ---------------------------------------------------------------------- what there is
def causes(now: datetime) -> Iterator[Cause]:
    """Every trouble that people have not heard of, and not of its like today."""
    told = _told(now)
    rows = Connection.objects.select_related("project__merchant")
    for connection in rows.filter(Q(closed=None) | Q(closed__gt=now - DAY)):
        for trouble in WORDS:
            cause = f"{trouble}:{connection.pk}"
            since = told.get(cause, now - DAY)
            if since.date() == now.date() and cause in told:
                continue
            count = _count(connection, trouble, since, now)
            if count:
                yield Cause(connection, trouble, count)


def _told(now: datetime) -> dict[str, datetime]:
    """cause -> when people were told of it within the last day or so."""
    rows = Alert.objects.filter(sent__gt=now - 2 * DAY).order_by("sent")
    return dict(rows.values_list("cause", "sent"))


def _count(
    connection: Connection, trouble: State, since: datetime, now: datetime
) -> int:
    if trouble == State.REFUSED:
        return _refused(connection, since, now)
    rows = connection.inbound.filter(state=trouble).order_by("-id")
    moments = rows.values_list("received", "read_at")[:MOST_COUNTED]
    return sum((read or received) > since for received, read in moments)


def _refused(connection: Connection, since: datetime, now: datetime) -> int:
    """How many within an hour, if those are many; rows are counted by the clock's."""
    rows = Refusal.objects.filter(
        connection=connection, first__gt=since, hour__gt=now - 2 * HOUR
    )
    counts = list(rows.values_list("hour", "first", "count"))
    hours = {hour for hour, _first, _count in counts}
    tallies = [sum(c for hour, _f, c in counts if hour == one) for one in hours]
    tallies.append(sum(c for _h, first, c in counts if first > now - HOUR))
    most = max(tallies)
    return most if most >= MANY_REFUSED else 0


# ----------------------------------------------------------------------------- telling
def tell(cause: Cause) -> bool:
    """Sends the mails of one cause unless somebody else does; whether we did."""
    row, ours = Alert.objects.get_or_create(cause=cause.name, day=timezone.now().date())
    if not ours:
        return False
    try:
        _send(cause, readers_of(cause.connection.project))
    except (OSError, SMTPException):
        logger.exception("The mail about %s could not be sent", cause.name)
        row.delete()  # the next round tries again
        return False
    return True


def readers_of(project: Project) -> list[Member]:
    """Owners and developers of the merchant who see the project."""
    rows = Member.objects.filter(
        Q(projects=None) | Q(projects=project),
        merchant=project.merchant_id,
        role__in=ROLES,
        user__is_active=True,
    )
    return list(rows.select_related("user").distinct())


def _send(cause: Cause, readers: Sequence[Member]) -> None:
    """To each one alone, so that nobody sees the others' addresses."""
    told = {"cause": cause, "words": WORDS[cause.trouble], "url": cause.url}
    subject = " ".join(f"{WORDS[cause.trouble]}: {cause.connection}".split())
    text = render_to_string("emails/trouble.txt", told)
    html = render_to_string("emails/trouble.html", told)
    mails = []
    for member in readers:
        mail = EmailMultiAlternatives(subject[:150], text, to=[member.user.email])
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    if mails:
        get_connection().send_messages(mails)
