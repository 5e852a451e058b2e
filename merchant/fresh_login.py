"""Proving again who one is, before money moves or secrets show: good for ten minutes.

A view asks `is_fresh(request)` and, where it is not, answers with `ask(request, back)`:
the page that wants the password once more and then leads back.
"""

from __future__ import annotations

import time
from urllib.parse import urlencode

from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect


def is_fresh(request: HttpRequest) -> bool:
    """Whether the person has proved who they are in the last ten minutes.

    Signing in counts as well as being asked again.
    """
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    last = max((record.get("at", 0) for record in records), default=0)
    return 0 <= time.time() - last < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def ask(request: HttpRequest, back: str) -> HttpResponse:
    """To the page that asks for the password; afterwards to `back`, a path of ours."""
    url = f"{reverse('account_reauthenticate')}?{urlencode({'next': back})}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponseClientRedirect(url)
    return HttpResponseRedirect(url)
