"""The API's door: keys, scopes, limits and errors in one shape."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.throttling import BaseThrottle


class KeyAuthentication(BaseAuthentication):
    pass


class HasScope(BasePermission):
    pass


class KeyThrottle(BaseThrottle):
    pass


def answer_error(exc, context):
    return None
