"""Mail about endpoints that fail: after an hour, after a day, when one is disabled, and
once a day about what was given up.

Written to the owners and developers of the merchant who see the project.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _

from webhooks.alerts import readers_of
from webhooks.models import Alert, Delivery, Endpoint

logger = logging.getLogger(__name__)

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: How long every try has failed, and the warning with which `warned` counts then.
WARNINGS = ((1, HOUR), (2, DAY))
#: `warned` of one that we disabled and said so.
SAID_DISABLED = 3
#: Of what was given up so many are counted.
MOST_COUNTED = 1000

WORDS = {
    "failing": _("An endpoint does not take its events"),
    "disabled": _("An endpoint was disabled"),
    "exhausted": _("Events were given up"),
}


@dataclass(frozen=True, slots=True)
class News:
    """What people should hear of an endpoint. `what`: a word of WORDS; `level`: what
    `warned` becomes; `count`: of deliveries given up."""

    endpoint: Endpoint
    what: str
    level: int = 0
    count: int = 0
    day: datetime | None = None

    @property
    def words(self) -> str:
        return str(WORDS[self.what])

    @property
    def at_least(self) -> bool:
        return self.count >= MOST_COUNTED

    @property
    def url(self) -> str:
        """The page that shows it; the front page where there is none."""
        try:
            path = reverse("webhooks:endpoint", args=[self.endpoint.pk])
        except NoReverseMatch:
            path = "/"
        return f"{settings.PUBLIC_URL}{path}"


# ---------------------------------------------------------------------- what there is
def news(now: datetime) -> Iterator[News]:
    """Everything that people have not heard of."""
    rows = Endpoint.objects.select_related("project__merchant")
    rows = rows.exclude(kind=Endpoint.Kind.FORWARD)
    told = set()
    for level, age in reversed(WARNINGS):
        for endpoint in rows.filter(
            state=Endpoint.State.ENABLED, failing__lte=now - age, warned__lt=level
        ):
            if endpoint.pk not in told:
                told.add(endpoint.pk)
                yield News(endpoint, "failing", level)
    for endpoint in rows.filter(
        state=Endpoint.State.DISABLED, warned__lt=SAID_DISABLED
    ):
        yield News(endpoint, "disabled", SAID_DISABLED)
    yield from _given_up(now)


def _given_up(now: datetime) -> Iterator[News]:
    """What was exhausted since yesterday; of one endpoint once a day."""
    recent = Delivery.objects.filter(
        state=Delivery.State.EXHAUSTED, done__gt=now - DAY
    ).exclude(name="endpoint.test")
    told = set(
        Alert.objects.filter(
            day=now.date(), cause__startswith="exhausted:"
        ).values_list("cause", flat=True)
    )
    rows = Endpoint.objects.filter(failed_last__gt=now - DAY)
    for endpoint in rows.select_related("project__merchant"):
        if f"exhausted:{endpoint.pk}" in told:
            continue
        count = recent.filter(endpoint=endpoint)[:MOST_COUNTED].count()
        if count:
            yield News(endpoint, "exhausted", count=count, day=now)


# ----------------------------------------------------------------------------- telling
def tell(news: News) -> bool:
    """Sends the mails unless somebody else does; whether we did."""
    if not _take(news):
        return False
    try:
        _send(news)
    except (OSError, SMTPException):
        logger.exception(
            "The mail about endpoint %s could not be sent", news.endpoint.pk
        )
        _give_back(news)
        return False
    return True


def _take(news: News) -> bool:
    """Makes it ours to tell."""
    if news.day is not None:
        cause = f"exhausted:{news.endpoint.pk}"
        return Alert.objects.get_or_create(cause=cause, day=news.day.date())[1]
    mine = Endpoint.objects.filter(pk=news.endpoint.pk, warned=news.endpoint.warned)
    return bool(mine.update(warned=news.level))


def _give_back(news: News) -> None:
    if news.day is not None:
        cause = f"exhausted:{news.endpoint.pk}"
        Alert.objects.filter(cause=cause, day=news.day.date()).delete()
        return
    mine = Endpoint.objects.filter(pk=news.endpoint.pk, warned=news.level)
    mine.update(warned=news.endpoint.warned)


def _send(news: News) -> None:
    """To each one alone, so that nobody sees the others' addresses."""
    subject = " ".join(f"{news.words}: {news.endpoint}".split())
    told = {"news": news, "endpoint": news.endpoint}
    text = render_to_string("emails/endpoint.txt", told)
    html = render_to_string("emails/endpoint.html", told)
    mails = []
    for member in readers_of(news.endpoint.project):
        mail = EmailMultiAlternatives(subject[:150], text, to=[member.user.email])
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    if mails:
        get_connection().send_messages(mails)
