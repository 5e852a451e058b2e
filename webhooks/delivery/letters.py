"""A claimed delivery as it goes out: URL, headers, body; signed at this moment."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from webhooks import custom_headers, dialects, reach, secrets
from webhooks.delivery import schedule
from webhooks.delivery.claims import Claimed
from webhooks.dialects.base import News
from webhooks.models import Endpoint

HIDDEN = "(hidden)"
#: Bodies that are remembered; each may have 60 KiB.
MOST_WRITTEN = 200

#: (event's key, dialect, attempt, expiry) -> what is signed
_written: dict[tuple[str, str, int, datetime], tuple[News, bytes]] = {}


class NoWords(Exception):
    """There is nothing to send: the dialect does not say this, it is forgotten, or must
    not go there."""


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
    return _signed(endpoint, news, _body(endpoint.dialect, news), at)


def of(claimed: Claimed, at: datetime) -> Outgoing:
    """A claimed delivery's letter for a try at `at`; raises as `write`.

    One event's letters to several endpoints of a dialect have the same words.
    """
    attempt = claimed.attempts_made + 1
    expires = schedule.expires(claimed.created, at)
    name = (claimed.news.key, claimed.endpoint.dialect, attempt, expires)
    found = _written.get(name)
    if found is None:
        news = replace(claimed.news, attempt=attempt, expires=expires)
        found = (news, _body(claimed.endpoint.dialect, news))
        if len(_written) >= MOST_WRITTEN:
            _written.clear()
        _written[name] = found
    return _signed(claimed.endpoint, *found, at)


def _body(dialect: str, news: News) -> bytes:
    if not news.payload:
        raise NoWords("What this event said is no longer kept.")
    body = dialects.DIALECTS[dialect].body(news)
    if body is None:
        raise NoWords("The endpoint's dialect has no words for this event.")
    return body


def _signed(endpoint: Endpoint, news: News, body: bytes, at: datetime) -> Outgoing:
    if reach.is_foreign(endpoint):
        raise NoWords(reach.FOREIGN)
    keys = secrets.keys_of(endpoint)
    signed = dialects.DIALECTS[endpoint.dialect].sign(news, body, keys, at)
    if not endpoint.sealed_headers:
        return Outgoing(endpoint.url, signed, body, signed)
    own = _own_headers(endpoint)
    shown = {**dict.fromkeys(own, HIDDEN), **signed}
    return Outgoing(endpoint.url, {**own, **signed}, body, shown)


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
