"""The invented game shop: who buys what, how they pay, and what becomes of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from random import Random

from merchant.sandbox import catalogue, people
from merchant.sandbox.endings import ENDINGS, Ending, Stage
from merchant.sandbox.story import Article, Buyer, Line, Purchase, Step
from merchant.sandbox.tellers import TELLERS

#: A shop in a hurry still leaves this many seconds between two steps.
_LEAST_WAIT = 120

#: How people pay, and how often.
_METHODS = {
    "visa": 38,
    "mastercard": 27,
    "apple_pay": 11,
    "google_pay": 9,
    "paypal": 9,
    "sepa_debit": 6,
}
#: Money in these stands on a multiple of ten minor units, as card networks want it.
_TENS = frozenset({"kwd"})


def plan(
    seed: int,
    number: int,
    at: datetime,
    provider: str,
    *,
    ending: str = "",
    pace: float = 1.0,
    livemode: bool = False,
    among: range = people.REGULARS,
) -> Purchase:
    """The purchase with that number, always the same for the same arguments.

    `at`: when it begins, UTC. `ending`: a name of ENDINGS, by chance when empty.
    `pace`: 0.01 lets what takes people a day happen within a quarter of an hour.
    `among`: the numbers of the people of whom the buyer is one.
    """
    chance = Random(f"{seed} {provider} {number}")
    name = ending_of(seed, number, provider, ending)
    way = ENDINGS[name]
    buyer, currency = _buyer(chance, way, among)
    method = _method(chance, way, currency)
    purchase = Purchase(
        number=number,
        buyer=buyer,
        lines=_basket(chance, way, provider),
        currency=currency,
        method=method,
        last4="" if method == "paypal" else f"{chance.randrange(10_000):04d}",
        livemode=livemode,
    )
    purchase.steps = _steps(chance, way, purchase, at, pace, provider)
    return purchase


def ending_of(
    seed: int, number: int, provider: str, ending: str = "", *, once: bool = False
) -> str:
    """How that purchase will go: the wanted ending, or one by chance.

    `once`: only endings in which something is bought, and not again every month.
    """
    if ending:
        return ending
    names, weights = endings_at(provider, once)
    return Random(f"{seed} {provider} {number} ending").choices(names, weights)[0]


def begin(
    seed: int,
    number: int,
    provider: str,
    ending: str,
    now: datetime,
    *,
    days: float = 0,
) -> datetime:
    """When a purchase with this ending may have begun, in whole seconds.

    Early enough that everything it needs to have happened has happened, and in the
    last month, or in the last `days` where its ending is believable after that time.
    """
    least, most = ENDINGS[ending].age
    most = days if most >= 30 and days else most
    days = Random(f"{seed} {provider} {number} age").uniform(least, most)
    return (now - timedelta(days=days)).replace(microsecond=0)


@cache
def endings_at(
    provider: str, once: bool = False
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The endings that the provider has words for, and their weights."""
    known = frozenset(TELLERS[provider].STEPS)
    fits = {
        name: ending.weight
        for name, ending in ENDINGS.items()
        if (not ending.at or provider in ending.at)
        and not (once and ending.basket == "monthly")
        and all(stage.may_lack or stage.kind in known for stage in ending.stages)
    }
    return tuple(fits), tuple(fits.values())


def _buyer(chance: Random, way: Ending, among: range) -> tuple[Buyer, str]:
    while True:
        buyer, currency = people.somebody(chance, among)
        if way.methods != ("sepa_debit",) or currency == "eur":
            return buyer, currency


def _method(chance: Random, way: Ending, currency: str) -> str:
    known = [
        method
        for method in way.methods or tuple(_METHODS)
        if method != "sepa_debit" or (currency == "eur" and way.methods)
    ]
    return chance.choices(known, [_METHODS[method] for method in known])[0]


def _basket(chance: Random, way: Ending, provider: str) -> tuple[Line, ...]:
    if way.basket == "monthly":
        return (Line(catalogue.MONTHLY, 1),)
    if way.basket == "free":
        return (Line(catalogue.FREE, 1),)
    kinds = chance.choices((1, 2, 3), (70, 22, 8))[0]
    articles = chance.sample(catalogue.ORDINARY, kinds)
    return tuple(Line(article, _how_many(chance, article)) for article in articles)


def _how_many(chance: Random, article: Article) -> int:
    if article.key not in catalogue.SEVERAL:
        return 1
    return chance.choices((1, 2, 3, 5), (70, 18, 8, 4))[0]


def _steps(
    chance: Random,
    way: Ending,
    purchase: Purchase,
    at: datetime,
    pace: float,
    provider: str,
) -> list[Step]:
    known = TELLERS[provider].STEPS
    steps: list[Step] = []
    left, total = purchase.total, purchase.total
    for stage in way.stages:
        wait = _wait(chance, stage, pace)
        reason = chance.choice(stage.reasons) if stage.reasons else ""
        share = chance.randint(*stage.share)
        if stage.kind not in known:
            continue
        at += timedelta(seconds=wait)
        amount = _part(left if stage.kind == "refund" else total, share, purchase)
        left -= amount if stage.kind == "refund" else 0
        steps.append(Step(stage.kind, at, amount, stage.number, reason))
    return steps


def _wait(chance: Random, stage: Stage, pace: float) -> int:
    seconds = chance.randint(*stage.after)
    if pace >= 1 or not stage.paced or seconds <= _LEAST_WAIT:
        return seconds
    return max(_LEAST_WAIT, int(seconds * pace))


def _part(whole: int, share: int, purchase: Purchase) -> int:
    """`share` hundredths of an amount in minor units, down to what coins allow."""
    if share in (0, 100):
        return whole if share else 0
    coin = 10 if purchase.currency in _TENS else 1
    return max(coin, whole * share // 100 // coin * coin)
