"""A claimed delivery as it goes out: URL, headers, body; signed at this moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from webhooks import custom_headers, dialects, secrets
from webhooks.delivery import schedule
from webhooks.delivery.claims import Claimed
from webhooks.dialects.base import News
from webhooks.models import Endpoint

HIDDEN = "(hidden)"


class NoWords(Exception):
    """There is nothing to send: the dialect does not say this, or it is forgotten."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A letter and where it goes. `shown`: its headers without the merchant's own
    values, as they may be kept and looked at."""

    url: str
    headers: dict[str, str]
    body: bytes
    shown: dict[str, str]


def write(endpoint: Endpoint, news: News, at: datetime) -> Outgoing:
    """The letter of an event to an endpoint, signed at `at`.

    Raises NoWords, secrets.NoKeys, vault.Locked.
    """
    if not news.payload:
        raise NoWords("What this event said is no longer kept.")
    keys = secrets.keys_of(endpoint)
    letter = dialects.compose(endpoint.dialect, news, keys, at)
    if letter is None:
        raise NoWords("The endpoint's dialect has no words for this event.")
    own = _own_headers(endpoint) if endpoint.sealed_headers else {}
    headers = {**own, **letter.headers}
    shown = {**dict.fromkeys(own, HIDDEN), **letter.headers}
    return Outgoing(endpoint.url, headers, letter.body, shown)


def _own_headers(endpoint: Endpoint) -> dict[str, str]:
    """What was reserved only later, or by another dialect, is left out."""
    return {
        name: value
        for name, value in _opened(endpoint.pk, endpoint.sealed_headers)
        if not custom_headers.is_reserved(name, endpoint.dialect)
    }


@lru_cache(maxsize=1000)
def _opened(pk: UUID, sealed: str) -> tuple[tuple[str, str], ...]:
    """Opened once as long as they do not change."""
    endpoint = Endpoint(pk=pk, sealed_headers=sealed)
    return tuple(custom_headers.opened(endpoint).items())


def of(claimed: Claimed, at: datetime) -> Outgoing:
    """A claimed delivery's letter for a try at `at`; raises as `write`."""
    news = News(
        key=claimed.key,
        name=claimed.name,
        livemode=claimed.livemode,
        subject_kind=claimed.subject_kind,
        payload=claimed.payload,
        created=claimed.happened,
        attempt=claimed.attempts_made + 1,
        expires=schedule.expires(claimed.created, at),
    )
    return write(claimed.endpoint, news, at)
