"""What becomes of an invented purchase outside of its story, as in any shop.

Most of what was bought has been handed over, some of it is being refunded just now, and
of some amounts nobody has asked the provider yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from merchant.providers.base import Fact, Said
from transactions.demo.reading import Told
from transactions.statuses import Act, RefundStatus, Status

#: Staff hand over within this time, mostly.
_SOON = timedelta(days=2)
#: How often something is never handed over, is being refunded, is not confirmed.
_FORGOTTEN = 0.03
_ASKED_BACK = 0.02
_UNASKED = 0.02
#: Only what was paid so lately is being refunded.
_LATELY = timedelta(days=20)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def go_on(told: Sequence[Told], seed: int, index: int, now: datetime) -> list[Told]:
    """The same facts, and those of what came afterwards; always the same ones."""
    chance = Random(f"{seed} {index} afterwards")
    unasked, forgotten, asked_back, wait = (chance.random() for _ in range(4))
    paid = _paid(told)
    if unasked < _UNASKED and _needs_an_answer(told):
        # The answer alone confirms the amount, so nothing is handed over either.
        return [(source, facts) for source, facts in told if source != "look_up"]
    if paid is None or paid.at is None:
        return list(told)
    added: list[Told] = []
    if asked_back < _ASKED_BACK and now - paid.at < _LATELY and not _went_back(told):
        added.append(("webhook", [_refund(paid, paid.at)]))
    at = paid.at + _SOON * (0.01 + wait)
    if forgotten >= _FORGOTTEN and at < now:
        added.append(("staff", [_handed_over(paid, at)]))
    return [*told, *added]


def _paid(told: Iterable[Told]) -> Fact | None:
    """The fact that says that money came, and how much."""
    return next(
        (
            fact
            for fact in _facts(told)
            if fact.topic == "payment"
            and fact.status == Status.PAID
            and "money" in fact.says
        ),
        None,
    )


def _needs_an_answer(told: Iterable[Told]) -> bool:
    """Whether what the webhooks say has to be confirmed."""
    return any(not fact.says["verified"].value for fact in _facts(told, "verified"))


def _went_back(told: Iterable[Told]) -> bool:
    return any(fact.topic in ("refund", "dispute") for fact in _facts(told))


def _facts(told: Iterable[Told], says: str = "") -> Iterator[Fact]:
    for _, facts in told:
        yield from (fact for fact in facts if not says or says in fact.says)


def _refund(paid: Fact, at: datetime) -> Fact:
    """It was asked back, and the provider has not done it yet."""
    at += timedelta(hours=5)
    return Fact(
        topic="refund",
        object_kind="refund",
        object_id=f"{paid.object_id}-r",
        status=RefundStatus.PENDING,
        order=int(at.timestamp()),
        at=at,
        references=paid.references,
        says={
            "money": Said(paid.says["money"].value),
            "created": Said(at.isoformat(timespec="microseconds")),
            "reason": Said("requested_by_customer"),
        },
        summary="Refund on its way",
    )


def _handed_over(paid: Fact, at: datetime) -> Fact:
    """An act of staff, as transactions.acts writes it."""
    return replace(
        paid,
        topic="fulfilment",  # type: ignore[arg-type]
        object_kind="transaction",
        status=Act.DONE,
        order=(at - _EPOCH) // timedelta(microseconds=1),
        rank=0,
        at=at,
        says={},
        summary=str(Act.DONE.label),
        occurrence="",
    )
