"""The worker's rounds: each function does what is due now and says how much it was."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from merchant import connections, strict_json
from merchant.providers import PROVIDERS
from merchant.providers.base import Fact, Unreadable
from transactions import binding, invoices, ledger, look_ups, questions, refunds
from webhooks.models import InboundEvent

log = logging.getLogger(__name__)

#: How many events one database transaction takes. A batch's statements cost nearly the
#: same however many rows they are about. SQLite has one writer, and intake must not
#: wait long for it.
BATCH = {"postgresql": 600, "sqlite": 50}

#: Seconds to the next try of an event that could not be entered; then it is failed.
AGAIN = (10, 60, 300, 1800, 7200)

#: What of an event the drain needs; its headers and the like stay where they are.
NEEDED = (
    "connection_id",
    "testing",
    "body",
    "state",
    "error",
    "due",
    "tries",
    "received",
)

State = InboundEvent.State


def drain_inbox() -> int:
    """Reads every inbound event that is due; returns how many."""
    done, full = 0, False
    # After a full batch there is more: asking would walk past all that was just done.
    while full or _due().exists():
        with _uncollected():
            taken = _drain_batch()
        done += taken
        full = taken == BATCH[connection.vendor]
        if not taken:
            break  # another worker holds them
    return done


def drain_look_ups() -> int:
    """Asks providers what webhooks left out; returns how many questions were closed."""
    questions.open_for_key()
    invoices.adopt()
    return look_ups.answer_due()


def drain_refunds() -> int:
    """Sends refunds, asks what became of them, ends requests that nobody approved."""
    return refunds.expire_due() + refunds.submit_due()


@contextmanager
def _uncollected() -> Iterator[None]:
    """Garbage waits for the batch's end: a batch makes a hundred thousand objects that
    die by themselves, and looking through them costs a seventh of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _due() -> QuerySet[InboundEvent]:
    return InboundEvent.objects.filter(state=State.PENDING, due__lte=timezone.now())


def _drain_batch() -> int:
    with transaction.atomic():
        events = list(
            _due()
            .only(*NEEDED)
            .order_by("due")
            .select_for_update(skip_locked=True)[: BATCH[connection.vendor]]
        )
        letters = [letter for event in events if (letter := _open(event))]
        try:
            with transaction.atomic():
                outcome = ledger.record_all(letters)
        except (OperationalError, binding.Unsettled):
            raise  # nobody's fault: the whole batch stays due
        except Exception:
            log.exception("A batch of %d events has a culprit", len(letters))
            outcome = _one_by_one(letters)
        _close(events, letters, outcome)
    return len(events)


def _open(event: InboundEvent) -> ledger.Letter | None:
    """Reads one event into a letter; None when it cannot be read (then it says so)."""
    event.error = ""
    try:
        opened = connections.opened(event.connection_id)
        if opened is None:
            raise Unreadable("Its connection is closed, so it was not read.")
        account, keys = opened
        facts = PROVIDERS[account.provider].read(_payload(event), keys)
        return ledger.Letter(account, facts, "webhook", event)
    except Unreadable as error:
        event.state, event.error = State.QUARANTINED, str(error)
    except Exception as error:
        _fail(event, error)
    return None


def _payload(event: InboundEvent) -> Any:
    try:
        return strict_json.parse(bytes(event.body))
    except strict_json.NotStrict as error:
        raise Unreadable(f"The body is not the JSON it should be: {error}.") from error


def _one_by_one(letters: Sequence[ledger.Letter]) -> ledger.Outcome:
    """Each letter on its own, so that a bad one sinks alone."""
    whole = ledger.Outcome()
    for letter in letters:
        try:
            with transaction.atomic():
                outcome = ledger.record_all([letter])
        except (OperationalError, binding.Unsettled):
            raise
        except Exception as error:
            assert letter.inbound is not None
            _fail(letter.inbound, error)
        else:
            whole.fresh += outcome.fresh
            whole.changed |= outcome.changed
    return whole


def _fail(event: InboundEvent, error: Exception) -> None:
    """Puts the event off, each time for longer, and in the end aside."""
    log.error("Event %s could not be entered", event.pk, exc_info=error)
    words = type(error).__name__ if isinstance(error, DatabaseError) else repr(error)
    event.error = f"It could not be entered: {words[:500]}"
    if event.tries < len(AGAIN):
        event.due = timezone.now() + timedelta(seconds=AGAIN[event.tries])
    else:
        event.state = State.FAILED
    event.tries += 1


def _close(
    events: Sequence[InboundEvent],
    letters: Sequence[ledger.Letter],
    outcome: ledger.Outcome,
) -> None:
    """Notes on each event what came of it, in as few statements as there are notes."""
    now = timezone.now()
    facts = {letter.inbound.pk: letter.facts for letter in letters if letter.inbound}
    told = outcome.told
    notes: dict[str, list[UUID]] = {}
    for event in events:
        if event.error:
            event.read_at = now
            event.save(update_fields=["state", "error", "due", "tries", "read_at"])
        else:
            note = _note(event, facts[event.pk], event.pk in told)
            notes.setdefault(note, []).append(event.pk)
    for note, ids in notes.items():
        InboundEvent.objects.filter(pk__in=ids).update(
            state=State.DONE, note=note, error="", read_at=now
        )


def _note(event: InboundEvent, facts: Sequence[Fact], told: bool) -> str:
    if event.testing:
        return "A test send: kept, and nothing else."
    if not facts:
        return "Kept. Nothing in it changes a transaction."
    if told:
        return "Entered."
    if any(fact.wants and not fact.references for fact in facts):
        return "It only points at its object, which is being looked up."
    return "Nothing new: other events had told the same."


def backlog(now: datetime) -> bool:
    """Whether anything is due at `now`."""
    return _due().exists() or look_ups.due(now).exists() or refunds.due(now).exists()
