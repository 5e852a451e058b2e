"""What we asked for and what providers say, in any order: always the same rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from merchant.models import Connection
from merchant.providers.base import Fact, say, stamp
from tests import factories
from tests.transactions.any_order import arrivals, snapshot
from transactions import fulfilment, ledger
from transactions.models import (
    FulfilmentRule,
    Refund,
    TimelineEntry,
    Transaction,
)
from transactions.refunds import steps
from transactions.statuses import RefundStep

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def payment(minutes: int, rank: int = 3, **columns: Any) -> Fact:
    return Fact(
        topic="payment",
        object_kind="charge",
        object_id="ch_1",
        status="paid",
        order=minutes,
        rank=rank,
        at=at(minutes),
        references=(("charge", "ch_1"),),
        says=say(
            60, money=[1000, "eur"], created=stamp(at(0)), paid=stamp(at(0)), **columns
        ),
    )


def told(
    name: str, status: str, rank: int, amount: int, kind: str = "refund", **columns: Any
) -> Fact:
    return Fact(
        topic="refund",
        object_kind=kind,
        object_id=name,
        status=status,
        rank=rank,
        at=at(50 + rank),
        references=(("charge", "ch_1"),),
        says=say(0, money=[amount, "eur"], created=stamp(at(50)), **columns),
    )


#: A step: (name of the refund, step, what it says).
Step = tuple[str, RefundStep, dict[str, Any]]


def asked(name: str, amount: int, **more: Any) -> Step:
    said = {"money": [amount, "eur"], "reason": "duplicate", "asker": "Ana", **more}
    return name, RefundStep.REQUESTED, said


class Books:
    """One connection, and refunds of ours under ids of this run."""

    def __init__(self) -> None:
        self.connection: Connection = factories.make_connection(provider="stripe")
        self.ids: dict[str, UUID] = {}
        self.numbers: dict[str, int] = {}

    def id(self, name: str) -> UUID:
        return self.ids.setdefault(name, uuid4())

    def ours(self, fact: Fact) -> Fact:
        """Names of our refunds in it become their ids."""
        if "request" not in fact.says:
            return fact
        name = fact.says["request"].value
        said = {**fact.says, **say(0, request=str(self.id(name)))}
        return replace(fact, says=said)

    def enter(self, batch: Sequence[Fact | tuple[int, Step]]) -> None:
        facts = [self.ours(one) for one in batch if isinstance(one, Fact)]
        mine = [one for one in batch if not isinstance(one, Fact)]
        if facts:
            ledger.record(self.connection, facts, source="webhook")
        row = self.row
        known = set(
            TimelineEntry.objects.filter(connection=self.connection).values_list(
                "identity", flat=True
            )
        )
        entries = []
        for number, (name, step, said) in mine:
            entry = steps.entry(row, [], self.id(name), step, says=said)
            entry.order, entry.at = number, at(number)
            entry.identity = f"refund:{self.id(name)}:{number}"
            if entry.identity not in known:
                entries.append(entry)
                known.add(entry.identity)
        if entries:
            ledger.act([row.pk], lambda row, timeline: entries)

    @property
    def row(self) -> Transaction:
        return Transaction.objects.get(project=self.connection.project)

    def refund(self, name: str) -> Refund:
        return Refund.objects.get(pk=self.id(name))

    def picture(self) -> Any:
        """Everything the books say, our ids by their names."""
        shown = snapshot(self.connection.project)
        names = {str(id): name for name, id in self.ids.items()}
        pattern = re.compile("|".join(map(re.escape, names)) or "never")

        def plain(text: Any) -> Any:
            if isinstance(text, str):
                # A fact's identity is made of our ids, too.
                text = re.sub("[0-9a-f]{64}", "#", text)
                return pattern.sub(lambda found: names[found[0]], text)
            return text

        return {
            part: sorted(plain(row) for row in rows) for part, rows in shown.items()
        }


def numbered(story: Sequence[Fact | Step]) -> list[Fact | tuple[int, Step]]:
    """Steps carry their number, which the lock gives them in the order of acting."""
    counts: dict[str, int] = {}
    found: list[Fact | tuple[int, Step]] = []
    for one in story:
        if isinstance(one, Fact):
            found.append(one)
            continue
        number = counts.get(one[0], 0)
        counts[one[0]] = number + 1
        found.append((number, one))
    return found


#: Three of ours and one made elsewhere: by metadata, by the answer's id, and failed.
STORY: list[Fact | Step] = [
    payment(0),
    asked("one", 200),
    ("one", RefundStep.SENT, {}),
    told("re_1", "pending", 0, 200, request="one"),
    payment(10, refunded_total=200),
    told("re_1", "succeeded", 2, 200, request="one"),
    asked("two", 300),
    ("two", RefundStep.SENT, {}),
    ("two", RefundStep.UNKNOWN, {}),
    told("re_2", "succeeded", 2, 300),
    ("two", RefundStep.ACCEPTED, {"provider_id": "re_2"}),
    payment(20, refunded_total=500),
    told("re_9", "succeeded", 2, 50),
    payment(30, refunded_total=550),
    asked("three", 100),
    ("three", RefundStep.SENT, {}),
    told("re_3", "succeeded", 2, 100, request="three"),
    told("re_3", "failed", 4, 100, request="three", failure_reason="declined"),
    asked("four", 70),
    ("four", RefundStep.CANCELED, {}),
]

#: A provider that names no refunds: figures alone tell.
BY_FIGURE: list[Fact | Step] = [
    payment(0),
    asked("one", 200),
    ("one", RefundStep.SENT, {"figure": True}),
    payment(10, refund_pending=True),
    payment(20, refunded_total=200, refund_pending=False),
    asked("two", 800),
    ("two", RefundStep.SENT, {"figure": True}),
    ("two", RefundStep.UNKNOWN, {}),
    payment(30, refunded_total=1000, refund_pending=False),
]

#: Done by hand in the provider's dashboard.
BY_HAND: list[Fact | Step] = [
    payment(0),
    asked("one", 1000),
    ("one", RefundStep.BY_HAND, {}),
    told("5f0a", "succeeded", 2, 1000),
]


def in_order(story: Sequence[Fact | Step]) -> Books:
    books = Books()
    for one in numbered(story):
        books.enter([one])
    return books


def test_the_story_as_it_happened() -> None:
    books = in_order(STORY)
    row = books.row
    assert (row.amount_refunded, row.status) == (550, "partially_refunded")
    assert not row.refund_pending
    states = {name: books.refund(name).status for name in books.ids}
    assert states == {
        "one": "succeeded", "two": "succeeded", "three": "failed", "four": "canceled",
    }  # fmt: skip
    elsewhere = Refund.objects.get(transaction=row, asked=None)
    assert (elsewhere.provider_id, elsewhere.amount) == ("re_9", 50)
    assert books.refund("two").provider_id == "re_2"
    assert books.refund("one").reason == "duplicate"


@pytest.mark.parametrize("story", [STORY, BY_FIGURE, BY_HAND])
def test_the_books_are_right_at_every_moment(story: list[Fact | Step]) -> None:
    """What is given back never goes above what has been, and never back and forth."""
    books = Books()
    for one in numbered(story):
        books.enter([one])
        row = books.row
        rows = Refund.objects.filter(transaction=row)
        done = sum(r.amount or 0 for r in rows if r.status == "succeeded")
        assert row.amount_refunded >= done
        assert row.amount_refunded <= 1000
        assert ledger.refold([row.pk]) == set()


@pytest.mark.parametrize("story", [STORY, BY_FIGURE, BY_HAND], ids=["s", "f", "h"])
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture, HealthCheck.differing_executors,
    ],
)  # fmt: skip
@given(data=st.data())
def test_any_order_any_duplicates_any_batching(
    db: None, story: list[Fact | Step], data: st.DataObject
) -> None:
    whole = numbered(story)
    first, rest = whole[0], whole[1:]
    batches = data.draw(arrivals(len(rest)))
    shuffled = Books()
    shuffled.enter([first])  # a refund needs a purchase to be asked for
    for batch in batches:
        shuffled.enter([rest[index] for index in batch])
    assert shuffled.picture() == straight(tuple(map(repr, story)), story)


_pictures: dict[tuple[str, ...], Any] = {}


def straight(name: tuple[str, ...], story: list[Fact | Step]) -> Any:
    """The picture of the story as it happened, made once."""
    if name not in _pictures:
        _pictures[name] = in_order(story).picture()
    return _pictures[name]


def test_figures_end_what_has_no_name() -> None:
    books = in_order(BY_FIGURE[:4])
    assert books.refund("one").status == "submitted"
    assert books.row.refund_pending
    books = in_order(BY_FIGURE[:5])
    assert books.refund("one").status == "succeeded"
    assert books.row.amount_refunded == 200
    books = in_order(BY_FIGURE)
    assert books.refund("two").status == "succeeded"
    assert (books.row.amount_refunded, books.row.status) == (1000, "refunded")


def test_a_figure_that_lags_behind_takes_nothing_back() -> None:
    story = [
        *BY_FIGURE[:5],
        asked("two", 300),
        ("two", RefundStep.SENT, {"figure": True}),
        told("R2", "succeeded", 2, 300, request="two"),
    ]
    books = in_order(story)
    assert books.refund("one").status == books.refund("two").status == "succeeded"
    assert books.row.amount_refunded == 500


def test_a_figure_of_one_amount_ends_neither_of_two() -> None:
    books = in_order(
        [
            payment(0),
            asked("one", 200),
            ("one", RefundStep.SENT, {"figure": True}),
            asked("two", 200),
            ("two", RefundStep.SENT, {"figure": True}),
            payment(20, refunded_total=200),
        ]
    )
    assert {books.refund(name).status for name in books.ids} == {"submitted"}


def test_a_figure_that_fits_nothing_ends_nothing() -> None:
    books = in_order([*BY_FIGURE[:3], payment(20, refunded_total=150)])
    assert books.refund("one").status == "submitted"


def test_what_was_never_sent_explains_no_figure() -> None:
    books = in_order([payment(0), asked("one", 200), payment(9, refunded_total=200)])
    assert books.row.amount_refunded == 200
    assert books.refund("one").status == "requested"


def test_two_by_hand_of_one_amount_are_not_guessed() -> None:
    books = in_order(
        [
            payment(0),
            asked("one", 400),
            ("one", RefundStep.BY_HAND, {}),
            asked("two", 400),
            ("two", RefundStep.BY_HAND, {}),
            told("5f0a", "succeeded", 2, 400),
        ]
    )
    assert books.refund("one").status == books.refund("two").status == "submitted"
    assert Refund.objects.filter(asked=None).count() == 1


def test_the_providers_word_wins_over_our_guess() -> None:
    books = in_order(
        [
            payment(0),
            asked("one", 400),
            ("one", RefundStep.SENT, {}),
            ("one", RefundStep.REFUSED, {"why": "no"}),
            told("re_1", "succeeded", 2, 400, request="one"),
        ]
    )
    assert books.refund("one").status == "succeeded"
    assert books.refund("one").failure_reason == ""


def test_rows_that_are_joined_keep_their_refunds() -> None:
    books = Books()
    books.enter([payment(0)])
    books.enter([(0, asked("one", 200)), (1, ("one", RefundStep.SENT, {}))])
    other = Fact(
        topic="payment",
        object_kind="session",
        object_id="cs_1",
        status="paid",
        at=at(1),
        references=(("session", "cs_1"),),
        says=say(10, created=stamp(at(-5)), money=[1000, "eur"]),
    )
    ledger.record(books.connection, [other], source="webhook")
    assert Transaction.objects.count() == 2
    tie = Fact(
        topic="payment",
        object_kind="session",
        object_id="cs_1",
        status="paid",
        rank=1,
        at=at(2),
        references=(("session", "cs_1"), ("charge", "ch_1")),
        says=say(10, created=stamp(at(-5)), money=[1000, "eur"]),
    )
    ledger.record(books.connection, [tie], source="webhook")
    row = books.row
    books.enter([told("re_1", "succeeded", 2, 200, request="one")])
    row.refresh_from_db()
    assert row.amount_refunded == 200
    assert books.refund("one").transaction_id == row.pk
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(("after", "state"), [("revoke", "revoked"), ("keep", "done")])
def test_what_was_handed_over_is_taken_back_once_it_succeeds(
    after: str, state: str
) -> None:
    books = Books()
    project = books.connection.project
    FulfilmentRule.objects.create(project=project, rule="manual")
    books.enter([payment(0)])
    owner = factories.make_member("owner", merchant=project.merchant)
    fulfilment.mark_done(owner.user, [books.row.pk])
    books.enter(
        [(0, asked("one", 1000, after=after)), (1, ("one", RefundStep.SENT, {}))]
    )
    assert books.row.fulfilment == "done"
    later = datetime.now(UTC) + timedelta(minutes=1)
    done = told("re_1", "succeeded", 2, 1000, request="one")
    books.enter([replace(done, at=later)])
    assert books.row.fulfilment == state
    failed = told("re_1", "failed", 4, 1000, request="one")
    books.enter([replace(failed, at=later)])
    assert books.row.fulfilment == "done"
