"""The front door: members come by invitation or by command, never by signing up."""

from __future__ import annotations

import logging
import math
import time
from smtplib import SMTPException
from typing import Any
from urllib.parse import urljoin

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import password_reset
from allauth.core.internal import ratelimit
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from merchant import addresses
from merchant.models import User

logger = logging.getLogger("merchant.login")


class ClosedDoor(DefaultAccountAdapter):
    """django-allauth's hooks, as this house wants them."""

    error_messages = DefaultAccountAdapter.error_messages | {
        # The same for a wrong password and for an address that nobody has.
        "email_password_mismatch": _("The e-mail or the password is not right."),
        "enter_current_password": _("This is not your current password."),
        "incorrect_password": _("This is not your current password."),
        "rate_limited": _("Too many tries. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whose tries are counted; all of unknown address share one count."""
        return addresses.of(request) or "unknown"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Counts the try. Raises ValidationError with the time to wait when limited."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            if error.code != "too_many_login_attempts":
                raise
            key = self._get_login_attempts_cache_key(request, **credentials)
            minutes = minutes_to_wait(request, key)
            words = ngettext(
                "Too many failed tries. Try again in %d minute.",
                "Too many failed tries. Try again in %d minutes.",
                minutes,
            )
            raise ValidationError(words % minutes, code=error.code) from error

    def is_safe_url(self, url: str) -> bool:
        """Whether a login may lead there: pages of this host only."""
        return url_has_allowed_host_and_scheme(
            url,
            allowed_hosts={self.request.get_host()},
            require_https=self.request.is_secure(),
        )

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of the mail, at our public address whatever Host was sent."""
        name = "account_reset_password_from_key"
        path = reverse(name, kwargs={"uidb36": "UID", "key": "KEY"})
        return urljoin(settings.PUBLIC_URL, path.replace("UID-KEY", key))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/"

    def send_mail(
        self, template_prefix: str, email: str, context: dict[str, Any]
    ) -> None:
        """A mail that cannot go out is our trouble: the page must not tell it, since
        it is written to known people only."""
        try:
            super().send_mail(template_prefix, email, context)
        except (OSError, SMTPException):
            logger.exception("The mail %s could not be sent", template_prefix)


def minutes_to_wait(request: HttpRequest, key: str) -> int:
    """Whole minutes until one more try is counted as one too few again."""
    waits = [0.0]
    now = time.time()
    for rate in ratelimit.get_rates(app="allauth.account", action="login_failed"):
        place = ratelimit.get_cache_key(
            request, app="allauth.account", action="login_failed", rate=rate, key=key
        )
        tries = cache.get(place) or []  # newest first
        if len(tries) >= rate.amount:
            waits.append(tries[rate.amount - 1] + rate.duration - now)
    return max(1, math.ceil(max(waits) / 60))


@receiver(password_reset)
def _let_in_again(request: HttpRequest, user: User, **_more: Any) -> None:
    """Who proved to own the mailbox does not wait for a limit others ran into."""
    ClosedDoor(request)._delete_login_attempts_cached_email(request, email=user.email)
