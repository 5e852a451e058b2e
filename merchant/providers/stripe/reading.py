"""What every reader of a Stripe object needs: ids, times, amounts, the fact's frame."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from merchant.money import Inexact, Money, NotMoney
from merchant.providers.base import (
    Fact,
    Said,
    Topic,
    Unreadable,
    Want,
    mapping,
    moment,
    say,
    text,
)
from merchant.providers.stripe import words
from merchant.providers.stripe.words import Weight

Body = dict[str, Any]

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")
_WEB = re.compile(r"https?://[!-~]+")
_COUNTRY = re.compile("[A-Za-z]{2}")

#: Where a greater figure means a later state, it stands above state and age.
_FIGURE_BITS, _STATE_BITS = 19, 16
_MOST_FIGURE = 10**13


@dataclass(frozen=True, slots=True)
class Source:
    """How we came to see an object.

    `type`, `at`: of the event that carried it, "" and None when it was asked for.
    `livemode`: None when only the object itself can tell. `account`: the connected
    account that it belongs to, or "".
    """

    type: str = ""
    at: datetime | None = None
    livemode: bool | None = None
    account: str = ""

    def want(self, kind: str, id: str) -> Want:
        """The question, with the account that has to be named to get an answer."""
        return Want(kind, f"{id}@{self.account}" if self.account else id)


def id_of(value: object) -> str | None:
    """The id, whether the object stands there expanded or only by its id."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def own_id(body: Body) -> str:
    """The object's own id. Raises Unreadable."""
    found = id_of(body)
    if found is None:
        raise Unreadable(f"the {text(body.get('object'), 60)} has no id")
    return found


def status_of(body: Body, table: Mapping[str, tuple[str, int]]) -> tuple[str, int]:
    """Our status and how late it is. Raises Unreadable for a word nobody knows."""
    word = body.get("status")
    if not isinstance(word, str) or word not in table:
        shown = text(word, 60)
        raise Unreadable(f"the {body.get('object')}'s status {shown!r} is not known")
    return table[word]


def references(**ids: object) -> tuple[tuple[str, str], ...]:
    """(kind, id) of those that are there."""
    pairs = ((kind, id_of(value)) for kind, value in ids.items())
    return tuple((kind, id) for kind, id in pairs if id)


def readable(value: object) -> str | None:
    """A code of Stripe's in plain words."""
    code = text(value, 200) if isinstance(value, str) else None
    return words.in_words(code) if code else None


def because(message: object, code: object) -> str | None:
    """A message for people, with the code behind it if it does not say the same."""
    said, short = text(message, 240), readable(code)
    if not said or not short or short.lower() in said.lower():
        return said or short
    return f"{said} ({short})"


def order_of(metadata: Mapping[str, str] | None) -> str | None:
    """The shop's order number where it put it into the metadata."""
    return text((metadata or {}).get("order_id"), 200)


def texts(**values: object) -> dict[str, str] | None:
    """Those that are texts or numbers, as texts; None when there is none."""
    found = {name: cut for name, value in values.items() if (cut := text(value, 200))}
    return found or None


def web_address(value: object) -> str | None:
    """A link that may stand on a page: http or https, nothing else."""
    found = text(value, 2000) if isinstance(value, str) else None
    return found if found and _WEB.fullmatch(found) else None


def country(value: object) -> str | None:
    fits = isinstance(value, str) and _COUNTRY.fullmatch(value)
    return value.upper() if fits and isinstance(value, str) else None


# -------------------------------------------------------------------------- amounts
def minor(value: object, currency: object) -> list[Any]:
    """[ISO minor units, currency]. Raises Inexact, and Unreadable for no amount."""
    try:
        money = Money.from_minor(value, currency, words.WIRE)
    except Inexact:
        raise
    except NotMoney as error:
        raise Unreadable(str(error)) from error
    return [money.minor, money.currency]


def amount(value: object, currency: object, weight: int) -> dict[str, Said]:
    """The columns about an amount that is not below zero; none when there is none.

    What is not exact in ISO minor units is not said, but flagged. Raises Unreadable.
    """
    if value is None:
        return {}
    try:
        found = minor(value, currency)
    except Inexact as error:
        return say(Weight.INEXACT, verified=False, warning=f"Not counted: {error}.")
    if found[0] < 0:
        raise Unreadable(f"the amount {value} is negative")
    return say(weight, money=found)


def exact(value: object, currency: object) -> int | None:
    """The minor units alone, None for what is no exact amount."""
    try:
        return None if value is None else minor(value, currency)[0]
    except (Inexact, Unreadable):
        return None


def whole(value: object) -> int | None:
    """A whole number that is not below zero, else None."""
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if fits and isinstance(value, int) else None


def presentment(body: Body) -> str | None:
    """What the buyer saw when Stripe showed the price in another currency."""
    shown = mapping(body.get("presentment_details"))
    try:
        money = Money.from_minor(
            shown.get("presentment_amount"),
            shown.get("presentment_currency"),
            words.WIRE,
        )
    except NotMoney:
        return None
    return f"{money.major} {money.currency.upper()}"


def number_text(value: object) -> str | None:
    """A rate as the text that it came as."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    return text(value, 40)


# ---------------------------------------------------------------------------- facts
def order(state: int, age: int, figure: int | None = None) -> int:
    """Where a state of an object stands: the figure first, then the state.

    The age of the object at the event only parts what would be equal otherwise, as
    two edits of its metadata: Stripe does not promise the order of events' times.
    """
    if figure is None:
        return (state << 40) + min(max(age, 0), (1 << 40) - 1)
    left = min(max(age, 0), (1 << _STATE_BITS) - 1)
    return (min(figure, _MOST_FIGURE) << _FIGURE_BITS) + (state << _STATE_BITS) + left


def fact(
    topic: Topic,
    kind: str,
    body: Body,
    source: Source,
    standing: tuple[str, int],
    said: Mapping[str, Said],
    *,
    figure: int | None = None,
    **more: Any,
) -> Fact:
    """The fact in its place, with what all facts from Stripe say."""
    status, state = standing
    made = moment(body.get("created"))
    age = int((source.at - made).total_seconds()) if source.at and made else 0
    account = source.account if topic in {"payment", "invoice"} else None
    more.setdefault("order", order(state, age, figure))
    more.setdefault("summary", f"{words.NAMES[kind]}: {words.in_words(status)}")
    return Fact(
        topic=topic,
        object_kind=kind,
        object_id=own_id(body),
        status=status,
        rank=state,
        at=source.at,
        says={**said, **say(0, livemode=livemode(body, source), account=account)},
        **more,
    )


def livemode(body: Body, source: Source) -> bool | None:
    own = body.get("livemode")
    return source.livemode if not isinstance(own, bool) else own
