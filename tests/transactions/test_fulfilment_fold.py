"""The fold of handing over: pure, and blind to the order in which things arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from transactions.fold import fulfilment, hearing
from transactions.fold.fulfilment import EXTERNAL, MANUAL, NONE, WHOLE
from transactions.statuses import MONEY_CAME, TO_HAND_OVER, Act, Status

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = ("a", "b", "c")


@dataclass
class Entry:
    """What the fold reads of an act."""

    identity: str
    status: str
    order: int
    object_kind: str = "transaction"
    object_id: str = ""
    says: dict[str, list[Any]] = field(default_factory=dict)
    topic: str = "fulfilment"
    rank: int = 0
    actor_id: int | None = 1
    at: datetime | None = NOON
    received: datetime = NOON


@st.composite
def acts(draw: st.DrawFn) -> list[Entry]:
    """Whatever staff may have done, also what no page would let them."""
    found: list[Entry] = []
    for number in range(draw(st.integers(0, 8))):
        identity = f"staff:{number}"
        status = draw(st.sampled_from([act.value for act in Act]))
        entry = Entry(identity, status, number)
        if draw(st.booleans()):
            entry.object_kind = "item"
            entry.object_id = draw(st.sampled_from([*KEYS, "gone"]))
        elif draw(st.booleans()):
            lines = st.lists(st.sampled_from([*KEYS, "gone"]), unique=True)
            entry.says["lines"] = [0, draw(lines)]
        if status == Act.CLAIMED:
            until = NOON + timedelta(minutes=draw(st.integers(-30, 30)))
            entry.says["until"] = [0, until.isoformat()]
        if status == Act.UNDONE and found:
            earlier = st.sampled_from([act.identity for act in found])
            entry.says["of"] = [0, draw(st.lists(earlier, unique=True))]
        found.append(entry)
    return found


def columns(status: str = "paid", *, sure: bool = True) -> dict[str, Any]:
    paid = NOON if status in MONEY_CAME else None
    return {"status": status, "paid": paid, "verified": sure, "accepted": None}


rules = st.one_of(
    st.dictionaries(
        st.sampled_from(KEYS), st.sampled_from([MANUAL, EXTERNAL, NONE]), min_size=1
    ),
    st.sampled_from([MANUAL, EXTERNAL, NONE]).map(lambda rule: {WHOLE: rule}),
)
statuses = st.sampled_from([status.value for status in Status])


def folded(
    entries: list[Entry], state: dict[str, Any], rules: dict[str, str]
) -> fulfilment.Fulfilment:
    return fulfilment.of(hearing.in_order(entries), state, rules)


@given(acts=acts(), status=statuses, sure=st.booleans(), rules=rules, data=st.data())
def test_the_order_of_arrival_does_not_matter(
    acts: list[Entry], status: str, sure: bool, rules: dict[str, str], data: Any
) -> None:
    state = columns(status, sure=sure)
    shuffled = data.draw(st.permutations(acts))
    assert folded(shuffled, state, rules) == folded(acts, state, rules)


@given(acts=acts(), status=statuses, sure=st.booleans(), rules=rules)
def test_it_waits_only_while_it_may_be_handed_over(
    acts: list[Entry], status: str, sure: bool, rules: dict[str, str]
) -> None:
    found = folded(acts, columns(status, sure=sure), rules)
    if status not in TO_HAND_OVER or not sure:
        assert "waiting" not in {found.columns["fulfilment"], *found.lines.values()}


@given(acts=acts(), status=statuses, sure=st.booleans(), rules=rules)
def test_the_state_is_allowed_and_agrees_with_its_lines(
    acts: list[Entry], status: str, sure: bool, rules: dict[str, str]
) -> None:
    found = folded(acts, columns(status, sure=sure), rules)
    state = found.columns["fulfilment"]
    assert found.lines.keys() == rules.keys()
    assert state in found.lines.values()
    assert (state == "waiting") == ("waiting" in found.lines.values())
    assert found.columns["to_revoke"] <= (status == Status.CHARGED_BACK)
    assert found.columns["to_revoke"] <= (state == "done")
    claimed = found.columns["claimed_until"] is not None
    assert claimed <= (state == "waiting")
    assert (found.columns["claimed_by_id"] is not None) == claimed


@given(acts=acts(), rules=rules, key=st.sampled_from(KEYS))
def test_what_is_undone_is_as_if_it_had_never_been(
    acts: list[Entry], rules: dict[str, str], key: str
) -> None:
    done = Entry("staff:last", "done", 99, says={"lines": [0, list(rules)]})
    undone = Entry("staff:undo", "undone", 100, says={"of": [0, [done.identity]]})
    before = folded(acts, columns(), rules)
    assert folded([*acts, done, undone], columns(), rules) == before


def test_of_two_acts_on_a_line_the_later_holds() -> None:
    done = Entry("1", "done", 2, "item", "a")
    taken = Entry("2", "revoked", 1, "item", "a")
    assert folded([done, taken], columns(), {"a": MANUAL}).lines == {"a": "done"}


def test_an_act_on_a_line_that_is_gone_means_nothing() -> None:
    done = Entry("1", "done", 1, "item", "gone")
    assert folded([done], columns(), {"a": MANUAL}).lines == {"a": "waiting"}


def test_an_act_on_all_leaves_out_what_needs_nothing() -> None:
    done = Entry("1", "done", 1)
    lines = folded([done], columns(), {"a": MANUAL, "b": NONE}).lines
    assert lines == {"a": "done", "b": "not_needed"}
