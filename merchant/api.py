"""The API's door: keys, scopes and limits, as the settings name them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import TYPE_CHECKING

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import (
    AuthenticationFailed,
    NotAuthenticated,
    PermissionDenied,
)
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from merchant import keys, rate_limit
from merchant.api_errors import answer_error
from merchant.models import ApiKey

if TYPE_CHECKING:
    # At run time DRF's views import this module.
    from rest_framework.views import APIView

__all__ = [
    "HasScope",
    "KeyAuthentication",
    "KeyThrottle",
    "answer_error",
]


class KeyAuthentication(BaseAuthentication):
    """`Bearer <key>`, `APIKey <key>`, or Basic with the key as user name.

    A browser's session is no key, so there is nothing for CSRF to abuse.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "").strip()
        if not header:
            return None
        scheme, _, text = header.partition(" ")
        read = SCHEMES.get(scheme.lower())
        if read is None:
            raise NotAuthenticated
        key = keys.find(read(text.strip()))
        if key is None:
            raise AuthenticationFailed("The key is unknown, revoked or expired.")
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Merchant API"'


def _user_of_basic(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return ""


#: Scheme in lower case -> the key in what follows it.
SCHEMES: dict[str, Callable[[str], str]] = {
    "bearer": str,
    "apikey": str,
    "basic": _user_of_basic,
}


class HasScope(BasePermission):
    """The key holds the scope that the view's `scopes` name for the method."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not isinstance(request.auth, ApiKey):
            return False
        needed = getattr(view, "scopes", {}).get(_as_asked(request))
        if needed and needed not in request.auth.scopes:
            raise PermissionDenied(f"This needs a key with the scope {needed!r}.")
        return True


def _as_asked(request: Request) -> str:
    return "GET" if request.method == "HEAD" else str(request.method)


class KeyThrottle(BaseThrottle):
    """100 requests a second for each key, 200 in a rush."""

    _wait = 0.0

    def allow_request(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, ApiKey):
            self._wait = rate_limit.seconds_to_wait(str(request.auth.pk))
        return not self._wait

    def wait(self) -> float:
        return self._wait
