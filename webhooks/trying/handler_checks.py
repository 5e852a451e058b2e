"""Checking a merchant's handler: the letters of every case go to it, and are judged."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit, http
from merchant.audit import Actor
from merchant.providers.base import Unreachable
from webhooks import custom_headers, secrets
from webhooks.dialects.base import Letter
from webhooks.models import Endpoint
from webhooks.trying import handler_tester
from webhooks.trying.handler_tester import Case, Verdict

#: A check sends seven letters, so one begins at most so often, seconds.
SECONDS_BETWEEN = 20
#: An answer is waited for as long as at a real delivery, seconds.
TIMEOUT = 15.0
MOST_ANSWER = 64 * 1024


class TooSoon(Exception):
    """The last check was a moment ago; `str()` says when the next one may begin."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one letter: a status and how long it took, or in words why
    there was none."""

    status: int | None
    milliseconds: int
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """A case with what was answered to each of its letters, and what that means.

    `verdict` is None where nothing was sent, since nobody answers there.
    """

    case: Case
    replies: list[Reply]
    verdict: Verdict | None


def check(endpoint: Endpoint, *, by: Actor, customer: str = "") -> list[Checked]:
    """Sends every case to the endpoint's URL and judges the answers.

    `customer`: one whom the handler knows. After a letter that nobody answers no other
    is sent. Raises TooSoon, secrets.NoKeys, vault.Locked.
    """
    if not _may_begin(endpoint):
        words = _("A check was just made; the next one can begin in %d seconds.")
        raise TooSoon(words % SECONDS_BETWEEN)
    keys = secrets.keys_of(endpoint)
    audit.note(
        by, "endpoint.handler_checked", endpoint, merchant=endpoint.project.merchant
    )
    now = timezone.now()
    cases = handler_tester.cases(endpoint.dialect, keys, now, customer=customer)
    return list(_judged(endpoint, cases))


def _may_begin(endpoint: Endpoint) -> bool:
    return cache.add(f"handler_check:{endpoint.pk}", 1, SECONDS_BETWEEN)


def _judged(endpoint: Endpoint, cases: list[Case]) -> Iterator[Checked]:
    headers = {
        name: value
        for name, value in custom_headers.opened(endpoint).items()
        if not custom_headers.is_reserved(name, endpoint.dialect)
    }
    answers = True
    for case in cases:
        replies: list[Reply] = []
        for letter in case.letters if answers else ():
            replies.append(_send(endpoint.url, headers, letter))
            answers = replies[-1].status is not None
            if not answers:
                break
        yield Checked(case, replies, _verdict(case, replies))


def _verdict(case: Case, replies: list[Reply]) -> Verdict | None:
    """The first wrong answer's; else the last one's."""
    verdicts = [handler_tester.judge(case, reply.status) for reply in replies]
    wrong = [verdict for verdict in verdicts if not verdict.passed]
    return next(iter([*wrong, *verdicts[-1:]]), None)


def _send(url: str, own: dict[str, str], letter: Letter) -> Reply:
    started = time.monotonic()
    status, trouble = None, ""
    try:
        answer = http.send(
            "POST",
            url,
            headers={**own, **letter.headers},
            body=letter.body,
            timeout=TIMEOUT,
            most=MOST_ANSWER,
        )
        status = answer.status
    except (http.NotAllowed, Unreachable) as error:
        trouble = str(error)
    return Reply(status, round((time.monotonic() - started) * 1000), trouble)
