"""What stands between the server and the pages."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

Next = Callable[[HttpRequest], HttpResponse]


def answer_health(get_response: Next) -> Next:
    return get_response


def say_busy(get_response: Next) -> Next:
    return get_response


def know_the_member(get_response: Next) -> Next:
    return get_response
