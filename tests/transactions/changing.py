"""Stories of money that comes and goes, for tests of the journal and its files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from merchant.models import Project
from merchant.providers.base import Fact, say, stamp
from transactions.models import Transaction
from transactions.statuses import MONEY_CAME

#: Stories begin here and go on for some days.
START = datetime(2026, 3, 27, tzinfo=UTC)
HOURS = 24 * 8


def _at(draw: st.DrawFn, after: datetime) -> datetime:
    return after + timedelta(hours=draw(st.integers(0, 60)))


@st.composite
def stories(draw: st.DrawFn, most: int = 4) -> list[Fact]:
    """What providers tell of a few purchases, in the order in which it happened."""
    facts: list[Fact] = []
    for number in range(draw(st.integers(1, most))):
        came = START + timedelta(hours=draw(st.integers(0, HOURS)))
        facts += _purchase(draw, f"pi_{number}", came)
    return sorted(facts, key=lambda fact: fact.at or START)


def _purchase(draw: st.DrawFn, name: str, came: datetime) -> Iterable[Fact]:
    amount, currency = (
        draw(st.integers(100, 900)),
        draw(st.sampled_from(["eur", "jpy"])),
    )
    made = {"created": stamp(came), "customer_email": f"{name}@example.com"}

    def said(order: int, at: datetime, minor: int, **more: Any) -> Fact:
        told = made | {"paid": stamp(came), "money": [minor, currency]} | more
        return _fact("payment", "payment_intent", name, name, "paid", order, at, told)

    parts = draw(st.booleans())
    first = amount // 2 if parts else amount
    yield said(1, came, first, fee=None)
    if parts:
        yield said(2, _at(draw, came), amount)
    for number in range(draw(st.integers(0, 2))):
        minor = draw(st.integers(1, 40))
        told = {"money": [minor, currency], "reason": "other"}
        ends = draw(st.sampled_from(_REFUNDS))
        yield from _in_turn(
            draw, "refund", f"re_{name}_{number}", name, ends, came, told
        )
    if draw(st.booleans()):
        figure = draw(st.integers(1, first))
        yield said(3, _at(draw, came), amount, refunded_total=figure)
    if draw(st.booleans()):
        minor = draw(st.sampled_from([None, 30, 5000]))
        told = {"money": [minor, currency], "reason": "fraud"} if minor else {}
        ends = draw(st.sampled_from(_DISPUTES))
        yield from _in_turn(draw, "dispute", f"dp_{name}", name, ends, came, told)


_REFUNDS = [
    ("succeeded",), ("pending", "succeeded"), ("pending", "failed"),
    ("pending", "succeeded", "failed"), ("pending",),
]  # fmt: skip
_DISPUTES = [
    ("open",), ("open", "lost"), ("open", "won"), ("open", "lost", "won"),
]  # fmt: skip


def _in_turn(
    draw: st.DrawFn,
    topic: str,
    id: str,
    name: str,
    states: Iterable[str],
    after: datetime,
    told: dict[str, Any],
) -> Iterable[Fact]:
    for order, state in enumerate(states, start=1):
        after = _at(draw, after)
        says = told | {"created": stamp(after)}
        yield _fact(topic, topic, id, name, state, order, after, says)


def _fact(
    topic: str, kind: str, id: str, name: str, status: str, order: int, at: datetime,
    says: dict[str, Any],
) -> Fact:  # fmt: skip
    return Fact(
        topic=topic,
        object_kind=kind,
        object_id=id,
        status=status,
        order=order,
        at=at,
        references=(("payment_intent", name),),
        says=say(20, **says),
    )


def ledger_net(project: Project) -> dict[str, int]:
    """currency -> what the purchases' own columns say is left."""
    left: dict[str, int] = defaultdict(int)
    for row in Transaction.objects.filter(project=project, status__in=MONEY_CAME):
        gone = row.amount_refunded + row.amount_charged_back
        left[row.currency] += (row.amount or 0) - gone
    return {currency: sum for currency, sum in left.items() if sum}


def edges() -> st.SearchStrategy[list[datetime]]:
    """Cuts through the time of the stories, at hours at which things happen, too."""
    hours = st.sets(st.integers(0, HOURS + 90), min_size=1, max_size=6)
    return hours.map(lambda all: [START + timedelta(hours=h) for h in sorted(all)])
