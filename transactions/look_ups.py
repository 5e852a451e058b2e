"""Asking providers what their webhooks left out, outside any database transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import OperationalError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from merchant import connections, http
from merchant.providers import PROVIDERS
from merchant.providers.base import (
    Fact,
    Keys,
    Refused,
    Unreachable,
    Unreadable,
    Want,
)
from transactions import binding, ledger
from transactions.models import LookUp, Transaction
from transactions.statuses import Status

log = logging.getLogger(__name__)

#: Seconds to the next try while a provider does not answer; the last one repeats.
AGAIN = (3, 10, 30, 120, 600, 1800, 3600)
#: After this many tries (more than a week) nobody asks any more.
MOST_TRIES = 200
#: A claim is good for this long; then the question is free for another worker.
LEASE = timedelta(seconds=90)
AT_ONCE = 8
BATCH = 40

#: Questions that are asked again while the purchase is open: Paysecure tries each
#: webhook once and never again, so its word may have been lost.
RECHECKED = frozenset({("paysecure", "purchase")})
#: Seconds between those, then every six hours until the purchase is this old.
RECHECK = (60, 180, 600, 1800, 7200, 21_600)
#: A refund under way is looked at hourly for three days, then daily.
REFUND_RECHECK, REFUND_RECHECK_LATER = 3600, 86_400
OLDEST_OPEN = timedelta(days=8)
OPEN = frozenset({Status.CREATED, Status.PENDING, Status.OVERDUE, Status.AUTHORIZED})

Answer = list[Fact] | Refused | Unreachable

DONE: dict[str, object] = {
    "state": LookUp.State.DONE,
    "error": "",
    "leased_until": None,
}


def due(now: datetime) -> QuerySet[LookUp]:
    """Questions that are due and that nobody is asking right now."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    return LookUp.objects.filter(free, state=LookUp.State.WAITING, due__lte=now)


def answer_due() -> int:
    """Asks everything that is due, a few at a time; returns how many were closed."""
    closed = 0
    while claimed := _claim():
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(_fetch, *zip(*_opened(claimed), strict=True)))
        closed += _enter(list(zip(claimed, answers, strict=True)))
    return closed


def _claim() -> list[LookUp]:
    now = timezone.now()
    if not due(now).exists():
        return []
    with transaction.atomic():
        rows = list(
            due(now)
            .order_by("due")
            .select_related("connection__project", "inbound")
            .select_for_update(skip_locked=True, of=("self",))[:BATCH]
        )
        lease = uuid4()
        for row in rows:
            row.lease = lease
        LookUp.objects.filter(pk__in=[row.pk for row in rows]).update(
            lease=lease, leased_until=now + LEASE
        )
    return rows


def _opened(rows: Sequence[LookUp]) -> list[tuple[str, Want, Keys | None]]:
    """Provider, question and keys of each, so that the threads need no database."""
    found = []
    for row in rows:
        opened = connections.opened(row.connection_id)
        keys = opened[1] if opened else None
        found.append((row.connection.provider, Want(row.kind, row.want), keys))
    return found


def _fetch(provider: str, want: Want, keys: Keys | None) -> Answer:
    """One call. Runs in a thread; touches nothing but the network."""
    if keys is None:
        return Refused("The connection is closed.")
    try:
        return PROVIDERS[provider].fetch(want, keys, http.discreet(keys.api_key))
    except (Refused, Unreachable) as error:
        return error
    except http.NotAllowed as error:
        # Names change their addresses, and settings are mended: not for good.
        return Unreachable(f"The connection's base URL cannot be called: {error}")
    except Unreadable as error:
        return Refused(f"The provider answered something else than asked: {error}")
    except Exception as error:
        log.exception("A look-up at %s failed", provider)
        return Unreachable(f"Something unexpected went wrong: {type(error).__name__}.")


def _enter(pairs: Sequence[tuple[LookUp, Answer]]) -> int:
    """Enters the answers in one database transaction; one that cannot be entered is
    put off alone. Returns how many questions were closed."""
    try:
        return _enter_all(pairs)
    except (OperationalError, binding.Unsettled):
        raise  # nobody's fault: the leases run out and all are asked again
    except Exception as error:
        if len(pairs) > 1:
            return sum(_enter([pair]) for pair in pairs)
        log.exception("The answer to look-up %s cannot be entered", pairs[0][0].pk)
        words = f"The answer could not be entered: {type(error).__name__}."
        return _enter_all([(pairs[0][0], Unreachable(words))])


@transaction.atomic
def _enter_all(pairs: Sequence[tuple[LookUp, Answer]]) -> int:
    """Enters the answers, except where the lease went to another worker meanwhile."""
    leases = {look_up.lease for look_up, _ in pairs}
    claimed = LookUp.objects.filter(
        pk__in=[look_up.pk for look_up, _ in pairs], lease__in=leases
    )
    mine = set(claimed.select_for_update().order_by("pk").values_list("pk", flat=True))
    pairs = [(look_up, answer) for look_up, answer in pairs if look_up.pk in mine]
    ledger.record_all(
        [
            ledger.Letter(look_up.connection, answer, "look_up", look_up.inbound)
            for look_up, answer in pairs
            if isinstance(answer, list)
        ]
    )
    closed = {look_up.pk: _closing(look_up, answer) for look_up, answer in pairs}
    done = [pk for pk, columns in closed.items() if columns == DONE]
    LookUp.objects.filter(pk__in=done).update(**DONE)
    for pk, columns in closed.items():
        if columns != DONE:
            LookUp.objects.filter(pk=pk).update(**columns)
    return sum(not isinstance(answer, Unreachable) for _, answer in pairs)


def _closing(look_up: LookUp, answer: Answer) -> dict[str, object]:
    """How the question stands after this answer."""
    if isinstance(answer, Unreachable):
        return _put_off(look_up, answer)
    if isinstance(answer, Refused):
        return DONE | {"state": LookUp.State.REFUSED, "error": str(answer)[:500]}
    return _next(look_up)


def _next(look_up: LookUp) -> dict[str, object]:
    """Done, or due again while what it asks about can still change unannounced."""
    if (look_up.connection.provider, look_up.kind) not in RECHECKED:
        return DONE
    # Read again: the answer may have changed the row, or joined it to another.
    row = Transaction.objects.filter(look_ups=look_up.pk).first()
    if row is None:
        return DONE
    age = timezone.now() - row.created
    if row.refund_pending:
        first_days = look_up.tries < 72
        wait = REFUND_RECHECK if first_days else REFUND_RECHECK_LATER
    elif row.status in OPEN and age < OLDEST_OPEN:
        wait = RECHECK[min(look_up.tries, len(RECHECK) - 1)]
    else:
        return DONE
    due = timezone.now() + timedelta(seconds=wait)
    return {
        "due": due,
        "tries": look_up.tries + 1,
        "error": "",
        "leased_until": None,
    }


def _put_off(look_up: LookUp, answer: Unreachable) -> dict[str, object]:
    wait: float = AGAIN[min(look_up.tries, len(AGAIN) - 1)]
    wait = max(wait, min(answer.after or 0, 86_400))
    tries = look_up.tries + 1
    return {
        "state": LookUp.State.REFUSED if tries > MOST_TRIES else LookUp.State.WAITING,
        "tries": tries,
        "due": timezone.now() + timedelta(seconds=wait),
        "error": str(answer)[:500],
        "leased_until": None,
    }
