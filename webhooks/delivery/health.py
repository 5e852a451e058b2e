"""How an endpoint is: what tries say of it, and when we stop sending to it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from merchant import audit, queue
from webhooks.delivery import schedule
from webhooks.delivery.notes import Result
from webhooks.models import Delivery, Endpoint

#: An endpoint that only failed for so long is disabled, if two of its failures lie so
#: far apart: one lost letter in a quiet week says little.
DISABLE_AFTER, APART = timedelta(hours=120), timedelta(hours=12)
#: Of an endpoint that is well its last success is written this often, seconds.
SECONDS_BETWEEN = 5.0
#: Deliveries that change their state in one statement.
BATCH = 5000

_written: dict[UUID, float] = {}


def note(results: Iterable[Result]) -> None:
    """Brings the endpoints' rows up to date with tries that have just ended."""
    of: dict[UUID, list[Result]] = {}
    for result in results:
        of.setdefault(result.claimed.endpoint.pk, []).append(result)
    troubled = [pk for pk, some in of.items() if not _is_well(some)]
    _note_success([pk for pk in of if pk not in troubled], of)
    for pk in troubled:
        _note_trouble(pk, of[pk])


def _is_well(results: Sequence[Result]) -> bool:
    endpoint = results[0].claimed.endpoint
    return (
        endpoint.failing is None
        and not endpoint.slow
        and all(result.verdict.ok for result in results)
    )


def _note_success(endpoints: Iterable[UUID], of: dict[UUID, list[Result]]) -> None:
    now = time.monotonic()
    some = [pk for pk in endpoints if now - _written.get(pk, 0.0) >= SECONDS_BETWEEN]
    if not some:
        return
    if len(_written) > 10_000:
        _written.clear()
    _written.update(dict.fromkeys(some, now))
    last = max(result.at for pk in some for result in of[pk])
    Endpoint.objects.filter(pk__in=some).update(succeeded_last=last)


@transaction.atomic
def _note_trouble(pk: UUID, results: Sequence[Result]) -> None:
    endpoint = Endpoint.objects.select_for_update().filter(pk=pk).first()
    if endpoint is None:
        return
    gone = False
    for result in results:
        learn(endpoint, result)
        gone = gone or result.verdict.gone
    endpoint.save(
        update_fields=[
            "failing", "failed_last", "succeeded_last", "warned", "slow", "slow_until",
        ]
    )  # fmt: skip
    if endpoint.state != Endpoint.State.ENABLED:
        hold(endpoint)
    elif gone:
        disable(endpoint, "It answered 410 (Gone): it wants no more events.")
    elif is_hopeless(endpoint):
        days = DISABLE_AFTER.days
        disable(endpoint, f"Every try of the last {days} days has failed.")


def learn(endpoint: Endpoint, result: Result) -> None:
    """Writes into the row, unsaved, what one try says of the endpoint."""
    verdict, at = result.verdict, result.at
    if verdict.ok:
        endpoint.succeeded_last = at
        endpoint.failing, endpoint.warned = None, 0
        endpoint.slow, endpoint.slow_until = False, None
        return
    endpoint.failing = endpoint.failing or at
    endpoint.failed_last = at
    if verdict.busy:
        endpoint.slow = True
        endpoint.slow_until = at + timedelta(seconds=schedule.rest(verdict))


def is_hopeless(endpoint: Endpoint) -> bool:
    """Whether it has failed for too long to go on."""
    if endpoint.failing is None or endpoint.failed_last is None:
        return False
    since = endpoint.failed_last - endpoint.failing
    return since >= max(DISABLE_AFTER, APART)


def disable(endpoint: Endpoint, reason: str) -> None:
    """Sends it nothing any more; what waits for it is held, and nothing lost."""
    endpoint.state, endpoint.reason = Endpoint.State.DISABLED, reason
    endpoint.save(update_fields=["state", "reason"])
    audit.note(
        "worker",
        "endpoint.disabled",
        endpoint,
        merchant=endpoint.project.merchant,
        detail={"reason": reason},
    )
    hold(endpoint)
    queue.ring("webhooks.jobs.alert")


def hold(endpoint: Endpoint) -> int:
    """Lays by what waits for an endpoint that is paused or disabled; how many.

    What a worker is just sending is left to it.
    """
    held = 0
    waiting = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.PENDING)
    while some := list(
        waiting.filter(lease=None).order_by("due").values_list("pk", flat=True)[:BATCH]
    ):
        held += waiting.filter(pk__in=some, lease=None).update(
            state=Delivery.State.HELD
        )
    return held


def hold_left_over(now: datetime) -> int:
    """Lays by what came to wait for such endpoints all the same: entered by a change
    that began before, or left behind by a worker that died."""
    rows = Endpoint.objects.exclude(state=Endpoint.State.ENABLED)
    left = Delivery.objects.filter(
        state=Delivery.State.PENDING, leased_until__lte=now, endpoint__in=rows
    )
    left.update(lease=None, leased_until=None)
    return sum(map(hold, rows))
