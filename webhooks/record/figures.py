"""How well deliveries go: attempts of a period, by time and by endpoint.

Never reads more than the newest MOST deliveries, so the cost does not grow with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from webhooks.models import Attempt, Delivery

#: Deliveries whose attempts are looked at, the newest first.
MOST = 5_000
#: And their attempts; more than this belong to an endpoint that is down for days.
MOST_ATTEMPTS = 20_000


@dataclass(slots=True)
class Figures:
    """Attempts of one time or one endpoint. `spans`: milliseconds of the successes."""

    succeeded: int = 0
    failed: int = 0
    spans: list[int] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        return self.succeeded + self.failed

    @property
    def success(self) -> float | None:
        """The share that succeeded; None of none."""
        return self.succeeded / self.attempts if self.attempts else None

    def at_most(self, share: float) -> int | None:
        """How many milliseconds that share of the successes took at most."""
        if not self.spans:
            return None
        ordered = sorted(self.spans)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    @property
    def median(self) -> int | None:
        return self.at_most(0.5)

    @property
    def p95(self) -> int | None:
        return self.at_most(0.95)

    def add(self, outcome: str, total_ms: int) -> None:
        if outcome == OK:
            self.succeeded += 1
            self.spans.append(total_ms)
        else:
            self.failed += 1


OK = "ok"


@dataclass(frozen=True, slots=True)
class Course:
    """`steps`: of each part of the period, the oldest first. `since`: from when on
    nothing is left out, None where that is the whole period."""

    steps: list[Figures]
    endpoints: dict[UUID, Figures]
    whole: Figures
    since: datetime | None


def course(strands: Sequence[QuerySet[Delivery]], edges: Sequence[datetime]) -> Course:
    """What became of the strands' newest deliveries between the edges' first and last.

    `edges`: where one step ends and the next begins, the oldest first.
    """
    rows, more = _attempts(strands, edges[0], edges[-1])
    found = Course([Figures() for _ in edges[1:]], {}, Figures(), _since(rows, more))
    width = (edges[-1] - edges[0]) / len(found.steps)
    for at, outcome, total_ms, endpoint in rows:
        step = _step(at, edges, width)
        of_endpoint = found.endpoints.setdefault(endpoint, Figures())
        for figures in (found.steps[step], of_endpoint, found.whole):
            figures.add(outcome, total_ms)
    return found


def _attempts(
    strands: Sequence[QuerySet[Delivery]], start: datetime, end: datetime
) -> tuple[list[Any], bool]:
    """(at, outcome, milliseconds, endpoint) of each, the newest delivery's first; and
    whether there may be more of them."""
    each = max(MOST // max(len(strands), 1), 1)
    rows: list[Any] = []
    more = False
    for strand in strands:
        newest = list(strand.order_by("-id").values_list("pk", flat=True)[: each + 1])
        if not newest:
            continue
        more |= len(newest) > each
        found = Attempt.objects.filter(
            Q(delivery__gte=newest[:each][-1]),
            delivery__in=strand.order_by("-id").values("pk")[:each],
            at__gte=start,
            at__lt=end,
        ).order_by("-delivery", "-number")
        rows += found.values_list("at", "outcome", "total_ms", "delivery__endpoint")[
            :MOST_ATTEMPTS
        ]
        more |= len(rows) >= MOST_ATTEMPTS
    return rows, more


def _since(rows: Sequence[Any], more: bool) -> datetime | None:
    return min((at for at, *_rest in rows), default=None) if more else None


def _step(at: datetime, edges: Sequence[datetime], width: timedelta) -> int:
    """Steps are nearly even, so a guess is at most one off."""
    step = min(int((at - edges[0]) / width), len(edges) - 2)
    while at < edges[step]:
        step -= 1
    while at >= edges[step + 1]:
        step += 1
    return step
