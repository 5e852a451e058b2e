"""Asking a provider's API, and telling a final no from a bad moment."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from merchant.providers.base import (
    Answer,
    Call,
    Refused,
    Unreachable,
    mapping,
    text,
)

#: Client errors that a later try may not meet again.
_PASSING = frozenset({408, 409, 425, 429})

#: Of these, what was turned away before anybody looked at it.
_NOT_LOOKED_AT = frozenset({425, 429})

#: What staff can do about it, by status.
_ADVICE = {
    401: "Check the connection's API key (or secret).",
    403: "The credentials may not do this: check what they are allowed to.",
    404: "It is not there, or belongs to other credentials or another mode.",
}


def get(
    call: Call,
    url: str,
    headers: Mapping[str, str],
    whom: str,
    good: Collection[int] = (200,),
) -> Any:
    """The JSON of a GET. `whom` names the provider, for the words of an error.

    Raises Refused for a final no, Unreachable for what time may heal.
    """
    answer: Answer = call("GET", url, headers={"Accept": "application/json", **headers})
    if answer.status in good:
        return answer.json()
    raise failure(answer, whom)


def act(
    call: Call,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    whom: str,
    *,
    refused: Callable[[Answer], Exception | None] = lambda answer: None,
) -> Any:
    """The JSON of a call that changes something at the provider.

    `refused` may know better what an answer that is no success means. Raises Refused,
    or Unreachable: `unsent` only where it surely changed nothing. What is no answer of
    this provider (a redirect, a page, half of one) may come after it did.
    """
    answer: Answer = call(
        method, url, headers={"Accept": "application/json", **headers}, body=body
    )
    if 200 <= answer.status < 300:
        return answer.json()
    if error := refused(answer):
        raise error
    if answer.status < 400:
        raise Unreachable(f"{whom} answered {answer.status}, which is no answer of it.")
    found = failure(answer, whom)
    if isinstance(found, Unreachable):
        found.unsent = answer.status in _NOT_LOOKED_AT
    raise found


def failure(answer: Answer, whom: str) -> Refused | Unreachable:
    """What an answer that is no success means: a final no, or a bad moment."""
    words = f"{whom} answered {answer.status}{_words(answer)}."
    if answer.status >= 500 or answer.status in _PASSING:
        return Unreachable(words, after=_after(answer))
    return Refused(f"{words} {_ADVICE.get(answer.status, '')}".strip())


def _words(answer: Answer) -> str:
    """What the provider says about it, as it says it; "" when it says nothing."""
    try:
        found = mapping(answer.json())
    except Unreachable:
        return ""
    found = mapping(found.get("error")) or found  # Stripe wraps it once more
    said = text(found.get("message"), 200) or text(found.get("code"), 60)
    return f": {said.rstrip('.')}" if said else ""


def _after(answer: Answer) -> float | None:
    """Seconds of Retry-After; None when there are none or they are a date."""
    seconds = answer.headers.get("retry-after", "").strip()
    known = seconds.isascii() and seconds.isdecimal() and len(seconds) < 7
    return float(seconds) if known else None
