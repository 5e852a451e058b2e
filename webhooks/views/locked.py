"""Pages that open secrets, where these do not open."""

from __future__ import annotations

from functools import wraps

from django.http import HttpRequest
from django.shortcuts import render

from merchant import vault
from merchant.views.guard import View


def says_when_locked(view: View) -> View:
    """A page instead of a fault where a secret does not open with our keys."""

    @wraps(view)
    def saying(request: HttpRequest, *args: object, **kwargs: object):  # noqa: ANN202
        try:
            return view(request, *args, **kwargs)
        except vault.Locked as error:
            told = {"trouble": str(error)}
            page = "webhooks/endpoints/locked.html"
            return render(request, page, told, status=503)

    return saying
