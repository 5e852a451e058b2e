"""Paysecure's API: what a webhook claimed is asked for, and what none told is found."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime
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
from merchant.providers.paysecure.message import opened
from merchant.providers.paysecure.reading import facts
from merchant.providers.paysecure.signature import allowed

log = logging.getLogger(__name__)

API = "https://api.paysecure.net/api/v1"
#: Both mean success, for reading as well.
GOOD = frozenset({200, 202})
PAGE = 100
#: No list is longer than this; a server that never ends one is not followed.
MOST_PAGES = 10_000

_PATHS = {"purchase": "purchases", "payout": "getpayout"}
_ID = re.compile("[A-Za-z0-9_-]{1,64}")


def fetch(want: Want, keys: Keys, call: Call) -> list[Fact]:
    """What the API says of a purchase or payout, which is to be believed.

    Raises Refused, Unreachable or Unreadable.
    """
    if want.kind not in _PATHS or not _ID.fullmatch(want.id):
        raise Refused(f"Paysecure cannot be asked for {want.kind} {want.id[:64]!r}.")
    message = opened(_get(f"{_PATHS[want.kind]}/{want.id}/", keys, call))
    if (message.kind, message.id) != (want.kind, want.id):
        raise Refused("Paysecure answered with another object than was asked for.")
    if message.kind == "purchase" and not allowed(message.brand, keys):
        raise Refused(
            f"It belongs to the brand {message.brand}, which is not one of this "
            "connection's."
        )
    return facts(message, keys, fetched=True)


def poll(
    since: datetime, until: datetime, keys: Keys, call: Call
) -> Iterator[list[Fact]]:
    """The facts of each purchase that changed in this time.

    Raises Refused or Unreachable. One purchase that cannot be read, or is another
    brand's, is logged and left out.
    """
    for id in _changed(since, until, keys, call):
        try:
            yield fetch(Want("purchase", id), keys, call)
        except (Refused, Unreadable) as error:
            log.warning("Purchase %s of Paysecure's list was left out: %s", id, error)


def _changed(since: datetime, until: datetime, keys: Keys, call: Call) -> Iterator[str]:
    """Ids of purchases, each once. Counts pages from 0 as the text says; where the
    first one is 1, as in an example, the repeated page adds nothing."""
    query = {
        "page_size": PAGE,
        "last_updated_start": _date(since),
        "last_updated_end": _date(until),
        "is_sandbox": "false" if keys.livemode else "true",
    }
    seen: set[str] = set()
    for number in range(MOST_PAGES):
        path = f"external/transactions/list?{urlencode({'page_no': number, **query})}"
        page = mapping(mapping(_get(path, keys, call)).get("data"))
        ids = [str(row.get("transaction_id")) for row in rows(page.get("content"))]
        fresh = [id for id in dict.fromkeys(ids) if id not in seen]
        seen.update(fresh)
        yield from fresh
        # A second page without anything new: the server knows no page numbers.
        if page.get("hasNext") is not True or (number > 1 and not fresh):
            return


def _get(path: str, keys: Keys, call: Call) -> Any:
    return asking.get(call, address(path, keys), headers(keys), "Paysecure", GOOD)


def address(path: str, keys: Keys) -> str:
    return f"{(keys.base_url or API).rstrip('/')}/{path}"


def headers(keys: Keys) -> dict[str, str]:
    """What proves who asks. Raises Refused."""
    if not keys.api_key:
        raise Refused("This connection has no API key to ask Paysecure with.")
    found = {"Authorization": f"Bearer {keys.api_key}"}
    if len(keys.brand_ids) == 1:
        found["BrandId"] = keys.brand_ids[0]
    return found


def _date(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +00:00")
