"""Checking a merchant's handler: the letters of every case go to it, and are judged."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import audit, http
from merchant.audit import Actor
from webhooks import custom_headers, reach, secrets
from webhooks.models import Endpoint
from webhooks.trying import handler_tester
from webhooks.trying.handler_tester import Case, Verdict

#: A check sends seven letters, so one begins at most so often, seconds.
SECONDS_BETWEEN = 20
#: All answers are waited for as long as one is at a real delivery, seconds.
TIMEOUT = 15.0
MOST_ANSWER = 64 * 1024
#: With less time than this left, seconds, no other letter is begun.
LEAST_LEFT = 0.5


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
    """A case with what was answered to each of its letters, and what that means."""

    case: Case
    replies: list[Reply]

    @property
    def verdict(self) -> Verdict:
        """The first wrong answer's; else the last one's."""
        verdicts = [
            handler_tester.judge(self.case, reply.status) for reply in self.replies
        ]
        wrong = [verdict for verdict in verdicts if not verdict.passed]
        return next(iter([*wrong, *verdicts[-1:]]))


def check(endpoint: Endpoint, *, by: Actor, customer: str = "") -> list[Checked]:
    """Sends every case to the endpoint's URL and judges the answers.

    All cases go out at the same time, so that it takes no longer than one answer may;
    a second letter of a case follows when its first was answered. `customer`: one whom
    the handler knows. Raises TooSoon, secrets.NoKeys, vault.Locked.
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
    return _answered(endpoint, cases)


def _may_begin(endpoint: Endpoint) -> bool:
    return cache.add(f"handler_check:{endpoint.pk}", 1, SECONDS_BETWEEN)


def _answered(endpoint: Endpoint, cases: list[Case]) -> list[Checked]:
    if reach.is_foreign(endpoint):
        return [Checked(case, [Reply(None, 0, reach.FOREIGN)]) for case in cases]
    checked = [Checked(case, []) for case in cases]
    own = _own_headers(endpoint)
    end = time.monotonic() + TIMEOUT
    many = http.Many()
    try:
        for one in checked:
            many.begin(_next(endpoint, own, one, end))
        while many:
            for ended in many.ended(1.0):
                one = ended.tag
                one.replies.append(_reply(ended))
                if _goes_on(one, end):
                    many.begin(_next(endpoint, own, one, end))
    finally:
        many.close()
    return checked


def _next(
    endpoint: Endpoint, own: dict[str, str], one: Checked, end: float
) -> http.Post:
    letter = one.case.letters[len(one.replies)]
    left = max(end - time.monotonic(), 0.0)
    headers = {**own, **letter.headers}
    return http.Post(
        one, endpoint.url, headers, letter.body, timeout=left, most=MOST_ANSWER
    )


def _goes_on(one: Checked, end: float) -> bool:
    """Whether another letter of the case is to be sent, and in time to be answered."""
    answered = one.replies[-1].status is not None
    left = end - time.monotonic()
    return answered and len(one.replies) < len(one.case.letters) and left > LEAST_LEFT


def _reply(ended: http.Ended) -> Reply:
    trouble = ended.trouble.words if ended.trouble else ""
    return Reply(ended.answer.status or None, ended.total_ms, trouble)


def _own_headers(endpoint: Endpoint) -> dict[str, str]:
    return {
        name: value
        for name, value in custom_headers.opened(endpoint).items()
        if not custom_headers.is_reserved(name, endpoint.dialect)
    }
