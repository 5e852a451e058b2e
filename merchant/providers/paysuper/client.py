"""PaySuper's only call for servers: the list of orders."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from merchant.providers import asking
from merchant.providers.base import (
    Call,
    Fact,
    Keys,
    Refused,
    Unreadable,
    Want,
    mapping,
    rows,
)
from merchant.providers.paysuper import orders

log = logging.getLogger(__name__)

API = "https://api.pay.super.com"
PAGE = 100
#: No list is longer than this; a server that never ends one is not followed.
MOST_PAGES = 10_000
#: The list knows only when an order was made. PaySuper tries a webhook for 48 hours,
#: so an order that changed unheard was made at most so long before.
BEFORE = timedelta(hours=48)


def fetch(want: Want, keys: Keys, call: Call) -> list[Fact]:
    """The facts of one order. Raises Refused, Unreachable or Unreadable."""
    if want.kind != "order":
        raise Refused(f"PaySuper cannot be asked for {want.kind}.")
    for order in rows(_list({"id": want.id}, keys, call).get("items")):
        if order.get("id") == want.id:
            return orders.listed(order)
    raise Refused("PaySuper has no order with this id under these credentials.")


def poll(
    since: datetime, until: datetime, keys: Keys, call: Call
) -> Iterator[list[Fact]]:
    """The facts of each order made in this time or shortly before it.

    Raises Refused or Unreachable. An order that cannot be read is logged, not lost:
    it is there again with the next poll.
    """
    query: dict[str, Any] = {
        "project[]": [keys.account] if keys.account else [],
        "project_date_from": _date(since - BEFORE),
        "project_date_to": _date(until),
        "sort[]": ["created_at"],
        "limit": PAGE,
    }
    seen: set[str] = set()
    for page in range(MOST_PAGES):
        items = _list({**query, "offset": page * PAGE}, keys, call).get("items") or []
        fresh = [order for order in rows(items) if str(order.get("id")) not in seen]
        seen |= {str(order.get("id")) for order in fresh}
        for order in fresh:
            try:
                yield orders.listed(order)
            except Unreadable as error:
                log.warning("An order of PaySuper's list was left out: %s", error)
        if len(items) < PAGE or not fresh:  # the second: a server that knows no offset
            return


def _list(query: dict[str, Any], keys: Keys, call: Call) -> dict[str, Any]:
    base = (keys.base_url or API).rstrip("/")
    url = f"{base}/merchant/s2s/api/v1/order?{urlencode(query, doseq=True)}"
    return mapping(
        asking.get(call, url, {"Authorization": _credentials(keys)}, "PaySuper")
    )


def _credentials(keys: Keys) -> str:
    """Basic authentication with the project's id and its secret key."""
    secret = keys.api_key or next((key for key in keys.secrets if key), "")
    if not keys.account:
        raise Refused(
            "PaySuper is asked with the project's id and its secret key: add the "
            "project's id to the connection as its account."
        )
    if not secret:
        raise Refused("This connection has no secret key to ask PaySuper with.")
    pair = f"{keys.account}:{secret}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _date(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
