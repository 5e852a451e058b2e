"""Twice is once for the API: an Idempotency-Key gets one answer, and always that one.

The same key with the same request is answered again as the first time; with another
request it is a mistake; while the first is still worked on, it is too early.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone

from merchant.api_errors import IDEMPOTENCY, Problem
from merchant.models import Project, RememberedAnswer

#: Longer than any request takes: after it, one that died may be done again.
LEASE = timedelta(seconds=60)
#: Answers are kept at least so long.
KEPT = timedelta(days=7)
LONGEST_KEY = 255

#: Status and body of an answer.
Answer = tuple[int, dict[str, Any]]


def key_of(headers: Any) -> str:
    """The key that a request came with. Raises Problem where there is none."""
    key = str(headers.get("Idempotency-Key") or "").strip()
    if not key:
        raise Problem(
            "Send an Idempotency-Key with each refund, a fresh random text for each: "
            "then a repeated request does nothing twice.",
            "idempotency_key_missing",
            param="Idempotency-Key",
        )
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Problem(
            f"The Idempotency-Key has at most {LONGEST_KEY} printable characters.",
            "idempotency_key_invalid",
            param="Idempotency-Key",
        )
    return key


def once_if_asked(
    project: Project, headers: Any, asked: dict[str, Any], do: Callable[[], Answer]
) -> tuple[Answer, dict[str, str]]:
    """The same as `once` where the request came with a key, and just `do` without one.

    With the headers of the answer. `asked` names the route as well as the body: a key
    that was used elsewhere is a mistake. Raises Problem.
    """
    if not headers.get("Idempotency-Key"):
        return do(), {}
    key = key_of(headers)
    answer, again = once(project, key, asked, do)
    told = {"Idempotency-Key": key}
    return answer, told | ({"Idempotent-Replayed": "true"} if again else {})


def once(
    project: Project, key: str, asked: dict[str, Any], do: Callable[[], Answer]
) -> tuple[Answer, bool]:
    """What `do` answers, or what it answered to this key before; and whether before.

    Outside a database transaction, so that others see that it is worked on. What `do`
    raises is nobody's answer: the key is free again. Raises Problem.
    """
    now = timezone.now()
    row, mine = RememberedAnswer.objects.get_or_create(
        project=project,
        key=key,
        defaults={"fingerprint": _print(asked), "leased_until": now + LEASE},
    )
    if not mine:
        if row.fingerprint != _print(asked):
            raise Problem(
                "This Idempotency-Key was used with another request. Use a fresh one "
                "for each.",
                "idempotency_key_reused",
                type=IDEMPOTENCY,
            )
        if row.status is not None:
            return (row.status, row.body or {}), True
        _take_over(row)
    try:
        status, body = do()
    except BaseException:
        RememberedAnswer.objects.filter(pk=row.pk, status=None).delete()
        raise
    RememberedAnswer.objects.filter(pk=row.pk).update(status=status, body=body)
    return (status, body), False


def _take_over(row: RememberedAnswer) -> None:
    """Goes on where a request died. Raises Problem while it may still be at work."""
    now = timezone.now()
    free = RememberedAnswer.objects.filter(
        pk=row.pk, status=None, leased_until=row.leased_until, leased_until__lte=now
    )
    if not free.update(leased_until=now + LEASE):
        raise Problem(
            "A request with this Idempotency-Key is being worked on. Ask again soon.",
            "idempotency_key_in_use",
            409,
            IDEMPOTENCY,
            headers={"Retry-After": "1"},
        )


def tidy() -> int:
    """Forgets old answers; returns how many."""
    old = RememberedAnswer.objects.filter(created__lt=timezone.now() - KEPT)
    return old.delete()[0]


def _print(asked: dict[str, Any]) -> str:
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
