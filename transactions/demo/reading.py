"""A purchase of the sandbox as its provider's own readers understand it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.utils.datastructures import CaseInsensitiveMapping

from merchant import strict_json
from merchant.providers import PROVIDERS
from merchant.providers.base import Answer, Fact, Keys, Want
from merchant.sandbox import paysuper, server
from merchant.sandbox.story import Purchase, Request, Shop
from merchant.sandbox.tellers import TELLERS

#: How we learned it, and the facts.
Told = tuple[str, list[Fact]]

#: An answer may raise another question; nobody asks longer than this.
_MOST_QUESTIONS = 20
#: Older purchases than this are not read here.
_LONG_AGO = timedelta(days=1000)

_KEY = secrets.token_hex(16)


def keys_for(provider: str, *, livemode: bool) -> Keys:
    """Keys with which the sandbox in this process is asked; they open nothing else."""
    return Keys(
        api_key=_KEY,
        base_url=f"https://sandbox.invalid/{provider}",
        account=paysuper.PROJECT_ID if provider == "paysuper" else "",
        livemode=livemode,
    )


def read(provider: str, purchase: Purchase, keys: Keys, now: datetime) -> list[Told]:
    """All that webhooks and answers tell of the purchase by now. Asks nothing more.

    Its steps up to `now` (UTC) become its told ones.
    """
    call = _Call(provider, Shop({purchase.number: purchase}, {_KEY}), now)
    facts = _webhooks(provider, purchase, keys, now)
    answers = _answers(provider, keys, facts, call)
    told = [("webhook", facts), ("look_up", answers)]
    if not any("customer_email" in fact.says for fact in [*facts, *answers]):
        # As a failed payment at PayNow, whose webhook names nobody.
        pages = PROVIDERS[provider].poll(now - _LONG_AGO, now, keys, call)
        told.append(("poll", [fact for page in pages for fact in page]))
    return [(source, list(map(_settled, found))) for source, found in told]


def _webhooks(
    provider: str, purchase: Purchase, keys: Keys, now: datetime
) -> list[Fact]:
    facts: list[Fact] = []
    for step in purchase.steps:
        if step.at > now:
            break
        purchase.told.append(step)
        for event in TELLERS[provider].events(purchase, step):
            facts += PROVIDERS[provider].read(strict_json.parse(event.body), keys)
    return facts


def _answers(
    provider: str, keys: Keys, facts: Sequence[Fact], call: _Call
) -> list[Fact]:
    """What the webhooks left out, and what the answers to that left out."""
    open_questions = _wants(facts)
    asked: set[Want] = set()
    found: list[Fact] = []
    while open_questions and len(asked) < _MOST_QUESTIONS:
        want = open_questions.pop(0)
        if want not in asked:
            asked.add(want)
            facts = PROVIDERS[provider].fetch(want, keys, call)
            found += facts
            open_questions += _wants(facts)
    return found


def _wants(facts: Sequence[Fact]) -> list[Want]:
    return [want for fact in facts for want in fact.wants]


def _settled(fact: Fact) -> Fact:
    """The fact without its questions: they were answered here."""
    return replace(fact, wants=()) if fact.wants else fact


@dataclass(frozen=True, slots=True)
class _Call:
    """A call out that ends in this process; see merchant.providers.base.Call."""

    provider: str
    shop: Shop
    now: datetime

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        **_: Any,
    ) -> Answer:
        address = urlsplit(url)
        request = Request(
            method=method,
            path=unquote("/" + address.path.split("/", 2)[2]),
            query=parse_qs(address.query, keep_blank_values=True),
            headers=CaseInsensitiveMapping(headers or {}),
            body=body,
            now=self.now,
        )
        answer = TELLERS[self.provider].answer(request, self.shop)
        return Answer(answer.status, {}, server.encode(answer.body))
