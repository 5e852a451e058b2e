"""Mail to the owners when an endpoint's events go to another address."""

from __future__ import annotations

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from merchant.audit import Actor
from merchant.models import Member, Project
from webhooks.endpoints import terms
from webhooks.models import Endpoint

logger = logging.getLogger(__name__)


def tell_moved(endpoint: Endpoint, before: str, by: Actor) -> None:
    """To each owner alone. A mail that cannot be sent stops nothing: the audit log
    holds the change as well."""
    told = {
        "endpoint": endpoint,
        "before": terms.shown(before),
        "after": terms.shown(endpoint.url),
        "by": str(by.user if isinstance(by, Member) else by),
        "url": settings.PUBLIC_URL + reverse("webhooks:endpoint", args=[endpoint.pk]),
    }
    subject = _("Events of %s go to another address") % endpoint.project
    text = render_to_string("emails/endpoint_moved.txt", told)
    html = render_to_string("emails/endpoint_moved.html", told)
    mails = []
    for member in owners_of(endpoint.project):
        mail = EmailMultiAlternatives(
            " ".join(subject.split())[:150], text, to=[member.user.email]
        )
        mail.attach_alternative(html, "text/html")
        mails.append(mail)
    try:
        if mails:
            get_connection().send_messages(mails)
    except (OSError, SMTPException):
        logger.exception("The owners could not be told that %s moved", endpoint.pk)


def owners_of(project: Project) -> list[Member]:
    """The owners of its merchant who see the project."""
    rows = Member.objects.filter(
        Q(projects=None) | Q(projects=project),
        merchant=project.merchant_id,
        role="owner",
        user__is_active=True,
    )
    return list(rows.select_related("user").distinct())
