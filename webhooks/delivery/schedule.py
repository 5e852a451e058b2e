"""When a delivery is tried again, and what an answer means; values only.

The schedule is that of Standard Webhooks: ten tries within three days and more, each
delay counted from the failure before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from merchant.http.exchange import Trouble

#: Seconds before each try.
DELAYS = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
TRIES = len(DELAYS)
#: Each delay is stretched by up to this share, so that what failed together does not
#: come back together.
JITTER = 0.2
#: From the first try to the last, at most.
LONGEST = timedelta(seconds=sum(DELAYS) * (1 + JITTER))

#: Answers of one who has too much to do, or whose server behind it has.
BUSY = frozenset({429, 502, 503, 504})
#: After those and after a timeout nothing goes out for so long, seconds.
REST = 60.0
#: A Retry-After may stretch a delay to an hour, or to twice what it was.
LONGEST_ASKED, MOST_ASKED = 3600.0, 86_400.0

#: An outcome is one word of Attempt.outcome: "ok", the kind of a Trouble, or
#: "gone" (410), "redirect" (3xx, never followed), "refused" (any other answer).
OK, GONE, REDIRECT, REFUSED, TIMEOUT = "ok", "gone", "redirect", "refused", "timeout"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a try.

    `error`: in words, "" when it is well. `busy`: the endpoint rests and is then given
    one delivery at a time. `gone`: it wants no more. `asked`: seconds by Retry-After.
    """

    outcome: str
    error: str = ""
    busy: bool = False
    gone: bool = False
    asked: float | None = None

    @property
    def ok(self) -> bool:
        return self.outcome == OK


def judge(
    status: int, headers: Mapping[str, str], trouble: Trouble | None, now: datetime
) -> Verdict:
    """What an answer means. `status` 0: none came; `headers` in lower case; `trouble`:
    why it is not whole."""
    if trouble is not None:
        return Verdict(
            trouble.kind, _told(trouble, status), busy=trouble.kind == TIMEOUT
        )
    if 200 <= status < 300:
        return Verdict(OK)
    asked = retry_after(headers.get("retry-after", ""), now)
    error = f"The endpoint answered {_named(status)}."
    if status == HTTPStatus.GONE:
        return Verdict(GONE, error, gone=True)
    if 300 <= status < 400:
        words = f"{error} Redirects are not followed."
        return Verdict(REDIRECT, words, asked=asked)
    return Verdict(REFUSED, error, busy=status in BUSY, asked=asked)


def _told(trouble: Trouble, status: int) -> str:
    words = trouble.words
    if words.startswith("the "):
        words = f"T{words[1:]}"
    if status >= 200:
        words += f", after it had begun to answer {_named(status)}"
    return f"{words}."


def _named(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def delay(tries: int, verdict: Verdict, chance: float) -> float | None:
    """Seconds until the next try after `tries` of them have failed; None: no more.

    `chance`: from 0 to 1, for the jitter.
    """
    if tries >= TRIES:
        return None
    base = DELAYS[tries] * (1 + JITTER * chance)
    if verdict.busy:
        base = max(base, REST)
    return _stretched(base, verdict.asked)


def rest(verdict: Verdict) -> float:
    """Seconds for which a busy endpoint gets nothing at all."""
    return _stretched(REST, verdict.asked)


def _stretched(base: float, asked: float | None) -> float:
    if asked is None:
        return base
    most = min(max(2 * base, LONGEST_ASKED), MOST_ASKED)
    return max(base, min(asked, most))


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for: a number or a date. None where it
    says nothing usable."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        when = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    seconds = (when - now).total_seconds()
    return seconds if seconds >= 0 else None


def expires(created: datetime, at: datetime) -> datetime:
    """When the last try will have been made: the same for every try of a delivery.

    One that is sent again by hand after that counts from the try `at`.
    """
    last = created + LONGEST
    return last if last >= at else at + LONGEST
