"""The worker's part: refunds are sent once, and asked about until their end is known.

A refund is claimed with a lease, looked at under its transaction's lock, called for
outside any database transaction, and what came of it is entered under the lock again.
Before the call a step says "sent": a worker that dies from then on leaves a refund that
is asked about, and never one that is sent again blindly. The step is taken back only by
an answer that says for sure that nothing happened (`unsent`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal
from uuid import UUID, uuid4

from django.db import OperationalError
from django.db import transaction as database
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from merchant import connections, http
from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.providers.base import (
    Call,
    Keys,
    Receipt,
    RefundOrder,
    Refused,
    Unreachable,
    Unreadable,
)
from transactions import binding, ledger
from transactions.models import Refund, TimelineEntry, Transaction
from transactions.refunds import rules, steps
from transactions.statuses import (
    REFUND_OPEN,
    RefundReason,
    RefundStatus,
    RefundStep,
)

log = logging.getLogger(__name__)

#: Seconds to the next look at a refund under way; then hourly, then daily.
LOOK = (3, 10, 30, 120, 600, 1800)
HOURLY, HOURS, DAILY = 3600, 72, 86_400
#: Seconds to the next try of one that surely was not taken; the last one repeats.
AGAIN = (3, 10, 30, 120, 600, 1800, 3600)
#: Seconds to the next look at one that waits for something else of ours.
LATER = 60
#: A claim is good for this long. No call is begun in its last part, so that one frozen
#: for a while sends nothing after another worker may have taken over.
LEASE = timedelta(seconds=50)
LATEST_CALL = 20.0
TIMEOUT = 15.0
AT_ONCE = 8

Outcome = Receipt | Refused | Unreachable | None
Kind = Literal["send", "find", "stop"]


@dataclass(frozen=True, slots=True)
class Task:
    """One call to make: everything that it needs, so that it touches no database."""

    refund: UUID
    lease: UUID
    kind: Kind
    provider: str
    connection: Connection
    keys: Keys
    order: RefundOrder
    began: float


def due(now: datetime) -> QuerySet[Refund]:
    """Refunds that a worker should look at and that nobody is at right now."""
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    return Refund.objects.filter(free, due__lte=now)


def submit_due() -> int:
    """Does what is due, a few at a time; returns how many refunds were looked at."""
    looked = 0
    while claimed := _claim():
        tasks = [task for refund in claimed if (task := _begin_calmly(refund))]
        if tasks:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                outcomes = list(pool.map(ask, tasks))
            for task, outcome in zip(tasks, outcomes, strict=True):
                _enter_calmly(task, outcome)
        looked += len(claimed)
    return looked


def _claim() -> list[Refund]:
    now = timezone.now()
    if not due(now).exists():
        return []
    with database.atomic():
        rows = list(
            due(now).order_by("due").select_for_update(skip_locked=True)[:AT_ONCE]
        )
        for row in rows:
            row.lease = uuid4()
            row.leased_until = now + LEASE
        Refund.objects.bulk_update(rows, ["lease", "leased_until"])
    return rows


# ------------------------------------------------------------------- before the call
def _begin_calmly(claimed: Refund) -> Task | None:
    """One that cannot even be begun must not keep those behind it."""
    try:
        return _begin(claimed)
    except (OperationalError, binding.Unsettled):
        raise  # nobody's fault: the leases run out and all are looked at again
    except Exception as error:
        log.exception("Refund %s cannot be begun", claimed.pk)
        words = f"Something unexpected went wrong: {type(error).__name__}."
        _put_off(claimed, LATER, words)
        return None


def _begin(claimed: Refund) -> Task | None:
    """What is to be asked of the provider now; None where nothing is.

    Enters what has to be written down before.
    """
    began = time.monotonic()
    with _locked(claimed.pk) as (row, refund):
        if refund.lease != claimed.lease:
            return None
        kind = _next(row, refund)
        if kind is None:
            return None
        opened = connections.opened(_connection(row).pk)
        if opened is None:
            _put_off(refund, LATER, _("The connection is closed."))
            return None
        connection, keys = opened
        return Task(
            refund=refund.pk,
            lease=claimed.lease,  # type: ignore[arg-type]
            kind=kind,
            provider=row.provider,
            connection=connection,
            keys=keys,
            order=order_of(row, refund),
            began=began,
        )


def _next(row: Transaction, refund: Refund) -> Kind | None:
    """What to do about it; enters the step where it is sent, or cannot be."""
    status = RefundStatus(refund.status)
    if status in (RefundStatus.REQUESTED, RefundStatus.APPROVED):
        return _next_unsent(row, refund)
    if status not in REFUND_OPEN or status == RefundStatus.AWAITING_APPROVAL:
        _done(refund)
        return None
    if refund.unsent:
        # From here on it may be there.
        Refund.objects.filter(pk=refund.pk).update(unsent=False)
        return "send"
    if refund.stopping and refund.provider_id:
        return "stop"
    return "find"


def _next_unsent(row: Transaction, refund: Refund) -> Kind | None:
    refunding = PROVIDERS[row.provider].refunds
    left = rules.left_of(row, row.refunds.all(), but=refund)
    if row.status not in rules.REFUNDABLE or (refund.amount or 0) > left:
        _step(row, refund, RefundStep.REFUSED, why=_gone(row))
        _done(refund)
        return None
    connection = _connection(row)
    if rules.is_by_hand(connection, refunding):
        _step(row, refund, RefundStep.BY_HAND, words=rules.where(row))
        _put_off(refund, HOURLY, "")
        return None
    if not rules.can_ask(connection, refunding):
        name = PROVIDERS[row.provider].name
        words = _("The connection to %s lacks its API key.") % name
        _put_off(refund, LATER * 10, words)
        return None
    if refunding.one_by_one and _another_is_under_way(refund):
        _put_off(refund, LATER, _("It waits for the refund before it."))
        return None
    _step(row, refund, RefundStep.SENT, figure=None if refunding.names else True)
    return "send"


def _gone(row: Transaction) -> str:
    return _("It was not sent: meanwhile there is less to give back.")


def _another_is_under_way(refund: Refund) -> bool:
    others = Refund.objects.filter(
        transaction_id=refund.transaction_id,
        status__in=(RefundStatus.SUBMITTED, RefundStatus.UNKNOWN, RefundStatus.PENDING),
    )
    return others.exclude(pk=refund.pk).exists()


def _connection(row: Transaction) -> Connection:
    """The connection to ask by: the purchase's own, else one to the same account."""
    own = row.connection
    if own.closed is None:
        return own
    same = Connection.objects.filter(
        project_id=own.project_id,
        provider=own.provider,
        livemode=own.livemode,
        account=own.account,
        base_url=own.base_url,
        closed=None,
    )
    return same.order_by("-created").first() or own


def order_of(row: Transaction, refund: Refund) -> RefundOrder:
    """The refund as its provider is asked for it."""
    references: dict[str, list[str]] = {}
    for kind, name in row.references.order_by("id").values_list("kind", "reference"):
        references.setdefault(kind.partition(".")[2], []).append(name)
    for names in references.values():
        names.sort(key=lambda name: name != row.provider_id)
    refunds = list(row.refunds.all())
    left = rules.left_of(row, refunds, but=refund)
    reason = refund.reason or RefundReason.OTHER
    return RefundOrder(
        request=str(refund.pk),
        amount=refund.amount or 0,
        currency=refund.currency,
        whole=not refund.line and refund.amount == left,
        untouched=left == row.amount,
        reason=reason,
        words=str(RefundReason(reason).label),
        references={kind: tuple(names) for kind, names in references.items()},
        line=refund.line,
        livemode=row.livemode,
        provider_id=refund.provider_id,
        # What seems to be made elsewhere may be this one, heard of before its answer.
        others=frozenset(r.provider_id for r in refunds if r.asked and r != refund),
        sent=refund.sent,
    )


# ------------------------------------------------------------------------- the call
def ask(task: Task) -> Outcome:
    """One call. Runs in a thread; touches nothing but the network."""
    provider = PROVIDERS[task.provider]
    if time.monotonic() - task.began > LATEST_CALL:
        # Frozen in between: by now another worker may be at it.
        return Unreachable("The worker was held up before it could ask.", unsent=True)
    call = _discreet(task.keys)
    try:
        if task.kind == "send":
            return provider.refund(task.order, task.keys, call)
        if task.kind == "stop":
            return provider.stop_refund(task.order, task.keys, call)
        return provider.find_refund(task.order, task.keys, call)
    except (Refused, Unreachable) as error:
        return error
    except http.NotAllowed as error:
        words = f"The connection's base URL cannot be called: {error}"
        return Unreachable(words, unsent=True)
    except Unreadable as error:
        return Unreachable(f"The provider answered something else: {error}")
    except Exception as error:
        log.exception("A refund at %s failed", task.provider)
        return Unreachable(f"Something unexpected went wrong: {type(error).__name__}.")


def _discreet(keys: Keys) -> Call:
    return partial(http.discreet(keys.user_token or keys.api_key), timeout=TIMEOUT)


# -------------------------------------------------------------------- after the call
def _enter_calmly(task: Task, outcome: Outcome) -> None:
    """An answer that cannot be entered leaves the refund to the next look-up."""
    try:
        enter(task, outcome)
    except Exception:
        log.exception("The answer about refund %s cannot be entered", task.refund)


def enter(task: Task, outcome: Outcome) -> None:
    """Writes down what came of the call.

    What the provider says of the refund is true whoever asked. Everything else counts
    only while the lease is this worker's: another may know better by now.
    """
    with _locked(task.refund) as (row, refund):
        mine = refund.lease == task.lease
        if isinstance(outcome, Receipt):
            _take(task, row, refund, outcome)
        elif not mine:
            log.warning("A late answer about refund %s is left out", refund.pk)
        elif isinstance(outcome, Refused):
            _take_refusal(task, row, refund, outcome)
        elif isinstance(outcome, Unreachable):
            _take_silence(task, row, refund, outcome)
        else:
            _take_absence(task, row, refund)


def _take(task: Task, row: Transaction, refund: Refund, receipt: Receipt) -> None:
    told = any("request" in fact.says for fact in receipt.facts)
    if receipt.provider_id and receipt.provider_id != refund.provider_id and not told:
        _step(row, refund, RefundStep.ACCEPTED, provider_id=receipt.provider_id)
    source = TimelineEntry.Source.LOOK_UP
    if task.kind != "find":
        source = TimelineEntry.Source.ANSWER
    ledger.record(task.connection, receipt.facts, source=source)
    now = Refund.objects.get(pk=refund.pk)
    if now.status not in REFUND_OPEN:
        _done(now)
    elif refund.lease == task.lease:
        fresh = task.kind == "send" or now.status != refund.status
        _look_again(now, tries=0 if fresh else now.tries)


def _take_refusal(task: Task, row: Transaction, refund: Refund, no: Refused) -> None:
    if task.kind == "send":
        _step(row, refund, RefundStep.REFUSED, why=str(no))
        _done(refund, str(no))
        return
    if task.kind == "stop":
        _step(row, refund, RefundStep.ACCEPTED, words=str(no))
    _look_again(refund, error=str(no))


def _take_silence(
    task: Task, row: Transaction, refund: Refund, error: Unreachable
) -> None:
    if task.kind == "send" and error.unsent:
        wait = max(
            AGAIN[min(refund.tries, len(AGAIN) - 1)], min(error.after or 0, DAILY)
        )
        _put_off(refund, wait, str(error), unsent=True)
        return
    if task.kind == "send":
        _step(row, refund, RefundStep.UNKNOWN, words=str(error))
        refund.tries = 0
    _look_again(refund, error=str(error), least=error.after or 0)


def _take_absence(task: Task, row: Transaction, refund: Refund) -> None:
    """The provider has no such refund, as far as it tells."""
    provider = PROVIDERS[task.provider]
    if not refund.by_hand and refund.status != RefundStatus.UNKNOWN:
        _step(row, refund, RefundStep.UNKNOWN)
    since = timezone.now() - (refund.sent or refund.created)
    if not refund.by_hand and since < provider.refunds.replays:
        # With the same key it has no second effect there.
        wait = AGAIN[min(refund.tries, len(AGAIN) - 1)]
        _put_off(refund, wait, "", unsent=True)
        return
    words = "" if refund.by_hand else _("%s has no such refund so far.") % provider.name
    _look_again(refund, error=words)


# ------------------------------------------------------------------------ the columns
def seconds_to_look(tries: int) -> int:
    """How long to wait before the look-up after so many."""
    if tries < len(LOOK):
        return LOOK[tries]
    return HOURLY if tries < len(LOOK) + HOURS else DAILY


def _look_again(
    refund: Refund, *, tries: int | None = None, error: str = "", least: float = 0
) -> None:
    tries = refund.tries if tries is None else tries
    wait = max(float(seconds_to_look(tries)), min(least, DAILY))
    if refund.by_hand:
        wait = max(wait, HOURLY)
    _set(refund, due=_in(wait), tries=tries + 1, error=error[:500])


def _put_off(
    refund: Refund, wait: float, error: str, *, unsent: bool | None = None
) -> None:
    more = {} if unsent is None else {"unsent": unsent}
    _set(refund, due=_in(wait), tries=refund.tries + 1, error=error[:500], **more)


def _done(refund: Refund, error: str = "") -> None:
    _set(refund, due=None, tries=0, unsent=False, error=error[:500])


def _set(refund: Refund, **columns: Any) -> None:
    Refund.objects.filter(pk=refund.pk).update(leased_until=None, **columns)


def _in(seconds: float) -> datetime:
    return timezone.now() + timedelta(seconds=seconds)


# --------------------------------------------------------------------------- the lock
@contextmanager
def _locked(id: UUID) -> Iterator[tuple[Transaction, Refund]]:
    """The refund and its transaction, locked in the order that everybody keeps."""
    with database.atomic():
        for _attempt in range(binding.MOST_ATTEMPTS):
            place = Refund.objects.values_list("transaction_id", flat=True).get(pk=id)
            rows = binding.lock([place])
            refund = Refund.objects.select_for_update().get(pk=id)
            if refund.transaction_id in rows:
                yield rows[refund.transaction_id], refund
                return
        raise binding.Unsettled("The purchase of this refund kept changing.")


def _step(
    row: Transaction,
    refund: Refund,
    step: RefundStep,
    *,
    words: str = "",
    why: str | None = None,
    **says: Any,
) -> None:
    """Enters our step; `why` is shown as the reason of a failure."""

    def decide(
        found: Transaction, timeline: Sequence[TimelineEntry]
    ) -> Iterable[TimelineEntry]:
        return [
            steps.entry(
                found,
                timeline,
                refund.pk,
                step,
                says={**says, "why": why},
                words=words or why or "",
            )
        ]

    ledger.act([row.pk], decide)


__all__ = ["ask", "due", "enter", "order_of", "seconds_to_look", "submit_due"]
