"""A purchase's facts told again about somebody else: what makes bulk loads quick.

Building a provider's bodies and reading them costs more than entering the facts. So a
story is read once and becomes a text with holes where its own ids, times and buyer
stand; told again, the holes get others, the same in every place. What comes out is
what the reader would have read of such a purchase.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from merchant.providers.base import Fact, Said
from merchant.sandbox.story import Buyer, Purchase
from transactions.demo.reading import Told

#: A time as merchant.providers.base.stamp writes it.
_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00"
#: Shorter ids stand for other things too often.
_SHORTEST_ID = 6

#: Given (number, buyer, shift in time): what stands in a hole.
Hole = Callable[[int, Buyer, timedelta], str]


@dataclass(frozen=True, slots=True)
class Story:
    """A text with holes: `texts[0] hole[0] texts[1] hole[1] ... texts[-1]`."""

    begun: datetime
    country: str
    texts: tuple[str, ...]
    holes: tuple[Hole, ...]

    def again(self, number: int, buyer: Buyer, begun: datetime) -> list[Told]:
        """The facts of another purchase: its number, its buyer, its beginning."""
        shift = begun - self.begun
        parts = [self.texts[0]]
        for hole, text in zip(self.holes, self.texts[1:], strict=True):
            parts += (hole(number, buyer, shift), text)
        return [
            (source, [_fact(row) for row in rows])
            for source, rows in json.loads("".join(parts))
        ]


def keep(purchase: Purchase, told: Sequence[Told]) -> Story:
    """The story of this purchase as its facts tell it."""
    text = json.dumps(
        [[source, [_row(fact) for fact in facts]] for source, facts in told],
        ensure_ascii=False,
        separators=(",", ":"),
    )
    own = _own(purchase, told)
    names = "|".join(re.escape(name) for name in sorted(own, key=len, reverse=True))
    parts = re.split(f"({_STAMP}|{names})", text)
    return Story(
        purchase.steps[0].at,
        purchase.buyer.country,
        tuple(parts[::2]),
        tuple(own.get(found) or _later(found) for found in parts[1::2]),
    )


def _own(purchase: Purchase, told: Sequence[Told]) -> dict[str, Hole]:
    """The texts that belong to this purchase alone, and what replaces each."""
    ids = {fact.object_id for _, facts in told for fact in facts}
    ids |= {id for _, facts in told for fact in facts for _, id in fact.references}
    own: dict[str, Hole] = {id: _renamed(id) for id in ids if len(id) >= _SHORTEST_ID}
    own[str(purchase.number)] = lambda number, buyer, shift: str(number)
    old = purchase.buyer
    return own | {
        old.name: lambda number, buyer, shift: buyer.name,
        old.name.upper(): lambda number, buyer, shift: buyer.name.upper(),
        old.email: lambda number, buyer, shift: buyer.email,
        old.key: lambda number, buyer, shift: buyer.key,
        old.phone: lambda number, buyer, shift: buyer.phone,
        old.steam_id: lambda number, buyer, shift: buyer.steam_id,
    }


def _later(stamp: str) -> Hole:
    at = datetime.fromisoformat(stamp)
    return lambda number, buyer, shift: (at + shift).isoformat(timespec="microseconds")


def _renamed(id: str) -> Hole:
    """Another id of the same kind: as long, of the same letters, the same beginning."""
    kept = id[: max(len(id) - 14, 3)]
    length = len(id) - len(kept)
    digits = id.isdecimal()

    def renamed(number: int, buyer: Buyer, shift: timedelta) -> str:
        mark = hashlib.sha256(f"{number}/{id}".encode()).hexdigest()
        if digits:
            return kept + str(int(mark, 16))[-length:]
        return kept + mark[:length]

    return renamed


def _row(fact: Fact) -> list[Any]:
    says = {column: [said.weight, said.value] for column, said in fact.says.items()}
    at = fact.at and fact.at.isoformat(timespec="microseconds")
    return [
        fact.topic,
        fact.object_kind,
        fact.object_id,
        fact.status,
        fact.order,
        fact.rank,
        at,
        fact.references,
        says,
        fact.summary,
        fact.occurrence,
    ]


def _fact(row: list[Any]) -> Fact:
    topic, kind, id, status, order, rank, at, references, says, summary, again = row
    return Fact(
        topic=topic,
        object_kind=kind,
        object_id=id,
        status=status,
        order=order,
        rank=rank,
        at=datetime.fromisoformat(at) if at else None,
        references=tuple((kind, id) for kind, id in references),
        says={column: Said(value, weight) for column, (weight, value) in says.items()},
        summary=summary,
        occurrence=again,
    )
