"""Stripe's API: the calls for what webhooks left out or did not bring."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from math import ceil, floor
from typing import Any
from urllib.parse import urlencode

from merchant import strict_json
from merchant.providers import asking
from merchant.providers.base import (
    Answer,
    Call,
    Fact,
    Keys,
    Refused,
    Unreadable,
    Want,
    mapping,
    rows,
    text,
)
from merchant.providers.stripe import bills, charges, events, reading, sessions, words
from merchant.providers.stripe.reading import Body, Source

log = logging.getLogger(__name__)

BASE_URL = "https://api.stripe.com"
#: Pages of events: our JSON reader takes 10,000 values, an event may have hundreds.
PAGES = (40, 8, 1)
ITEMS = 100
#: A server that ignores the cursor must not be asked for ever.
MOST_PAGES = 5000
#: So many names the events list takes at once.
MOST_TYPES = 20

Query = list[tuple[str, str]]


def fetch(want: Want, keys: Keys, call: Call) -> list[Fact]:
    """The answer to one question, as facts.

    Raises Refused (what staff can do is in it), Unreachable, Unreadable.
    """
    if want.kind == "object":
        return _object(want.id, keys, call)
    ask = _QUESTIONS.get(want.kind)
    id, _, account = want.id.partition("@")
    if ask is None or reading.id_of(id) is None:
        raise Refused(f"Stripe cannot be asked for {want.kind} {want.id}.")
    client = Client(keys, call, account or keys.account)
    return ask(id, client, Source("", None, None, account or keys.account))


def poll(
    since: datetime, until: datetime, keys: Keys, call: Call
) -> Iterator[list[Fact]]:
    """Events made in that time (UTC; Stripe keeps 30 days), a page at a time.

    Raises Refused or Unreachable. An event that cannot be read is left out and logged.
    """
    client = Client(keys, call, keys.account)
    for start in range(0, len(words.TYPES), MOST_TYPES):
        names = words.TYPES[start : start + MOST_TYPES]
        span = [
            ("created[gte]", str(floor(since.timestamp()))),
            ("created[lt]", str(ceil(until.timestamp()))),
        ]
        query = [*span, *(("types[]", name) for name in names)]
        for page in client.pages("/v1/events", query, PAGES):
            facts = [fact for event in page for fact in _read_calmly(event, keys)]
            if facts:
                yield facts


def _read_calmly(event: Body, keys: Keys) -> list[Fact]:
    try:
        return events.read(event, keys)
    except Unreadable as error:
        log.warning("Stripe's list holds an event that cannot be read: %s", error)
        return []


# ------------------------------------------------------------------------ questions
def _line_items(id: str, client: Client, source: Source) -> list[Fact]:
    path = f"/v1/checkout/sessions/{id}"
    body = client.get(path, [("expand[]", "line_items")])
    listed = mapping(body.get("line_items"))
    found = rows(listed.get("data"))
    if listed.get("has_more") is True and found:
        query = [("starting_after", str(found[-1].get("id")))]
        for page in client.pages(f"{path}/line_items", query, (ITEMS,)):
            found += page
    return sessions.session({**body, "line_items": {"data": found}}, source)


def _balance_transaction(id: str, client: Client, source: Source) -> list[Fact]:
    body = client.get(f"/v1/balance_transactions/{id}", [])
    return charges.balance_transaction(body, source)


def _invoice_payments(id: str, client: Client, source: Source) -> list[Fact]:
    query = [("invoice", id), ("status", "paid")]
    return [
        fact
        for page in client.pages("/v1/invoice_payments", query, (ITEMS,))
        for one in page
        for fact in bills.invoice_payment(one, source)
    ]


_QUESTIONS: dict[str, Callable[[str, Client, Source], list[Fact]]] = {
    "line_items": _line_items,
    "balance_transaction": _balance_transaction,
    "invoice_payments": _invoice_payments,
}


def _object(want: str, keys: Keys, call: Call) -> list[Fact]:
    """The object of a thin event, read as if it had come with it."""
    try:
        path, source, context = events.pointed(want)
    except ValueError as error:
        raise Refused(f"Stripe cannot be asked for {text(want, 120)}.") from error
    account = source.account or keys.account
    client = Client(keys, call, "" if context else account, context)
    own = Source(source.type, source.at, source.livemode, account)
    return events.read_object(client.get(path, []), own)


# ------------------------------------------------------------------------- the call
class Client:
    """One key, one account, one base URL."""

    def __init__(
        self, keys: Keys, call: Call, account: str = "", context: str = ""
    ) -> None:
        if not keys.api_key:
            raise Refused("Add a Stripe API key (sk_... or rk_...) to the connection.")
        self._base = (keys.base_url or BASE_URL).rstrip("/")
        self._call = call
        self._headers = {
            "Authorization": f"Bearer {keys.api_key}",
            "Accept": "application/json",
        }
        if account:
            self._headers["Stripe-Account"] = account
        if context:
            self._headers["Stripe-Context"] = context

    def get(self, path: str, query: Query) -> Body:
        """The object at the path. Raises Refused or Unreachable."""
        return mapping(self._ask(path, query).json())

    def post(
        self,
        path: str,
        form: Query,
        *,
        key: str,
        refused: Callable[[Answer], Exception | None],
    ) -> Body:
        """Asks for a change; with the same `key` it happens once. Raises Refused,
        Unreachable."""
        headers = {
            **self._headers,
            "Content-Type": "application/x-www-form-urlencoded",
            "Idempotency-Key": key,
        }
        body = urlencode(form).encode()
        url = self._base + path
        return mapping(
            asking.act(
                self._call, "POST", url, headers, body, "Stripe", refused=refused
            )
        )

    def pages(self, path: str, query: Query, sizes: tuple[int, ...]) -> Iterator[Any]:
        """The pages of a list. One too large to read is asked for in smaller ones."""
        after, seen = query, set()
        for _ in range(MOST_PAGES):
            body = self._page(path, after, sizes)
            found = rows(body.get("data"))
            yield found
            last = reading.id_of(found[-1].get("id")) if found else None
            if body.get("has_more") is not True or last is None or last in seen:
                return
            seen.add(last)
            kept = [pair for pair in query if pair[0] != "starting_after"]
            after = [*kept, ("starting_after", last)]

    def _page(self, path: str, query: Query, sizes: tuple[int, ...]) -> Body:
        for size in sizes[:-1]:
            answer = self._ask(path, [*query, ("limit", str(size))])
            try:
                return mapping(strict_json.parse(answer.body))
            except strict_json.NotStrict:
                continue
        return self.get(path, [*query, ("limit", str(sizes[-1]))])

    def _ask(self, path: str, query: Query) -> Answer:
        url = self._base + path + (f"?{urlencode(query)}" if query else "")
        answer: Answer = self._call("GET", url, headers=dict(self._headers))
        if answer.status == 200:
            return answer
        raise asking.failure(answer, "Stripe")
