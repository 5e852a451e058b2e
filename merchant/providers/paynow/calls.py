"""PayNow's management API: one object asked for, and what webhooks missed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from merchant.providers import asking
from merchant.providers.base import (
    Answer,
    Call,
    Fact,
    Keys,
    Refused,
    Unreachable,
    Unreadable,
    Want,
    mapping,
    rows,
)
from merchant.providers.paynow import purchases, reading, reversals
from merchant.providers.paynow.reading import API, Source

log = logging.getLogger(__name__)

BASE_URL = "https://api.paynow.gg"
PAGE = 100
#: A server that ignores the cursor must not be asked for ever.
MOST_PAGES = 1000


def fetch(want: Want, keys: Keys, call: Call) -> list[Fact]:
    """The order or payment, as the API tells it now.

    Raises Refused (key, store or object unknown), Unreachable, Unreadable.
    """
    if want.kind not in _KINDS:
        raise Refused(f"PayNow cannot be asked for a {want.kind}.")
    path, read = _KINDS[want.kind]
    shelf = f"{store(keys, call)}{path}"
    found = ask(f"{shelf}/{quote(want.id, safe='')}", {}, keys, call)
    return read(mapping(found), _source(keys))


def poll(
    since: datetime, until: datetime, keys: Keys, call: Call
) -> Iterator[list[Fact]]:
    """Orders and payments made in that time (UTC), a page at a time, newest first.

    Raises Refused or Unreachable. A row that cannot be read is left out and logged.
    """
    shelf = store(keys, call)
    for path, read in _KINDS.values():
        for page in _pages(f"{shelf}{path}", since, keys, call):
            facts: list[Fact] = []
            for row in page:
                made = _made(row)
                if made is None or since <= made <= until:
                    facts += _read_calmly(read, row, keys)
            if facts:
                yield facts


def _pages(
    path: str, since: datetime, keys: Keys, call: Call
) -> Iterator[list[dict[str, Any]]]:
    """Pages from the newest down to the first row older than `since`."""
    query, seen = {"limit": str(PAGE), "asc": "false"}, set()
    for _ in range(MOST_PAGES):
        page = rows(ask(path, query, keys, call))
        fresh = [row for row in page if reading.id_of(row.get("id")) not in seen]
        if not fresh:
            return
        yield fresh
        made = _made(fresh[-1])
        last = reading.id_of(fresh[-1].get("id"))
        if last is None or (made is not None and made < since):
            return
        seen |= {reading.id_of(row.get("id")) for row in fresh}
        query["after"] = last


def _made(row: dict[str, Any]) -> datetime | None:
    return reading.first_time(row.get("created_at")) or reading.flake_time(
        reading.id_of(row.get("id"))
    )


def _read_calmly(
    read: Callable[[dict[str, Any], Source], list[Fact]],
    row: dict[str, Any],
    keys: Keys,
) -> list[Fact]:
    try:
        return read(row, _source(keys))
    except Unreadable as error:
        log.warning("PayNow's list holds a row that cannot be read: %s", error)
        return []


# ------------------------------------------------------------------------- objects
def _orders(body: dict[str, Any], source: Source) -> list[Fact]:
    return [purchases.order(body, source)]


def _payments(body: dict[str, Any], source: Source) -> list[Fact]:
    told = [purchases.payment(body, source)]
    told += [
        reversals.api_refund(refund, body, source)
        for refund in rows(body.get("refunds"))
    ]
    dispute = reversals.api_chargeback(body, source)
    return [*told, dispute] if dispute else told


_KINDS: dict[str, tuple[str, Callable[[dict[str, Any], Source], list[Fact]]]] = {
    "order": ("/orders", _orders),
    "payment": ("/payments", _payments),
}


def _source(keys: Keys) -> Source:
    return Source(weight=API, livemode=keys.livemode)


# ------------------------------------------------------------------------ the call
def store(keys: Keys, call: Call, *, unsent: bool = False) -> str:
    """The path of the connection's store, or of the only one that the key knows.

    `unsent`: it is asked for something that has not been sent, whatever goes wrong.
    """
    account = keys.account
    if not account:
        try:
            stores = rows(ask("/v1/stores", {}, keys, call))
        except Unreachable as error:
            error.unsent = error.unsent or unsent
            raise
        found = [reading.id_of(row.get("id")) for row in stores]
        if len(found) != 1 or not found[0]:
            raise Refused("Set the connection's account to the PayNow store id.")
        account = found[0]
    return f"/v1/stores/{quote(account, safe='')}"


def ask(path: str, query: dict[str, str], keys: Keys, call: Call) -> Any:
    url = _url(path, keys) + (f"?{urlencode(query)}" if query else "")
    return asking.get(call, url, _headers(keys), "PayNow")


def act(
    path: str,
    body: bytes,
    keys: Keys,
    call: Call,
    *,
    refused: Callable[[Answer], Exception | None],
) -> Any:
    """Asks for a change. Raises Refused, Unreachable."""
    headers = {**_headers(keys), "Content-Type": "application/json"}
    url = _url(path, keys)
    return asking.act(call, "POST", url, headers, body, "PayNow", refused=refused)


def _url(path: str, keys: Keys) -> str:
    return f"{(keys.base_url or BASE_URL).rstrip('/')}{path}"


def _headers(keys: Keys) -> dict[str, str]:
    if not keys.api_key:
        raise Refused("Add a PayNow API key to the connection.")
    return {"Authorization": f"APIKey {keys.api_key}"}
