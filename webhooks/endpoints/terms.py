"""What an endpoint may be given: each term read, checked, and told in the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from merchant import destinations
from webhooks import custom_headers, reach
from webhooks.catalogue import UnknownEvent, read_names
from webhooks.models import Endpoint
from webhooks.models.endpoint import Dialect

LONGEST_URL = 2_048
LONGEST_DESCRIPTION = 200
#: Deliveries a second that a receiver can ask for, and those of one that does not say:
#: it is sent few at the same time anyway, so a slow one gets no more than it takes.
HIGHEST_RATE, USUAL_RATE = 10_000, 500
#: Bytes of a merchant's own notes on an endpoint, as JSON.
MOST_METADATA = 8 * 1024


class NotUsable(ValueError):
    """What was given or asked cannot be; `str()` says why, `field` what is meant."""

    def __init__(self, words: str, field: str = "") -> None:
        super().__init__(words)
        self.field = field


def read_into(endpoint: Endpoint, what: Mapping[str, Any]) -> list[str]:
    """Puts the terms onto the endpoint; the names of those that are new.

    `headers` is a mapping, the others are named as the endpoint's columns. Raises
    NotUsable, and TypeError for what is none of these.
    """
    if unknown := sorted(what.keys() - _READ.keys() - {"headers"}):
        raise TypeError(f"an endpoint has no {unknown[0]}")
    changed = []
    for name in [name for name in _READ if name in what]:
        value = _READ[name](what[name])
        is_new = value != getattr(endpoint, name)
        if name == "url" and (is_new or endpoint._state.adding):
            _check_reach(value, endpoint)
        if is_new:
            setattr(endpoint, name, value)
            changed.append(name)
    # What a header may be called depends on the dialect as well.
    headers = what.get("headers", custom_headers.opened(endpoint))
    if {"headers", "dialect"} & what.keys() and _put_headers(endpoint, headers):
        changed.append("headers")
    return changed


def of(endpoint: Endpoint) -> dict[str, Any]:
    """Its terms as they stand; of headers the names."""
    terms = {name: getattr(endpoint, name) for name in _READ}
    return terms | {"headers": sorted(custom_headers.opened(endpoint))}


def told(
    before: Mapping[str, Any], after: Mapping[str, Any], changed: list[str]
) -> dict[str, Any]:
    """What the audit log says of a change: from what to what, and no secret."""
    told: dict[str, Any] = {"changed": changed}
    for name in ("url", "dialect", "events", "livemode", "rate", "headers"):
        if name in changed:
            was, now = before[name], after[name]
            told[name] = [shown(was), shown(now)] if name == "url" else [was, now]
    return told


def shown(url: str) -> str:
    """A URL without what may prove something to its receiver."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def moved(before: str, after: str) -> bool:
    """Whether the two URLs lead to different servers."""
    return _server(before) != _server(after)


def _server(url: str) -> tuple[str, str, int | None]:
    try:
        target = destinations.read_url(url)
    except destinations.NotAllowed:
        return "", url, None
    return target.scheme, target.host, target.port


# ------------------------------------------------------------------ one term each
def _url(given: Any) -> str:
    url = str(given).strip()
    if len(url) > LONGEST_URL:
        raise NotUsable(f"The URL is longer than {LONGEST_URL} characters.", "url")
    return url


def _check_reach(url: str, endpoint: Endpoint) -> None:
    try:
        reach.check_url(url, demo=endpoint.demo)
    except destinations.NotAllowed as error:
        raise NotUsable(str(error), "url") from error


def _events(given: Any) -> list[str]:
    if isinstance(given, str) or not all(isinstance(name, str) for name in given):
        raise NotUsable("The events must be a list of names.", "events")
    try:
        return read_names(given)
    except UnknownEvent as error:
        raise NotUsable(str(error), "events") from error


def _dialect(given: Any) -> str:
    if given not in Dialect.values:
        known = ", ".join(Dialect.values)
        raise NotUsable(f"There is no dialect {given!r}; use {known}.", "dialect")
    return str(given)


def _description(given: Any) -> str:
    text = " ".join(str(given).split())
    if len(text) > LONGEST_DESCRIPTION:
        raise NotUsable(
            f"The description is longer than {LONGEST_DESCRIPTION} characters.",
            "description",
        )
    if not text.isprintable():
        raise NotUsable("The description holds a control character.", "description")
    return text


def _livemode(given: Any) -> bool | None:
    if given is not None and not isinstance(given, bool):
        raise NotUsable("The mode is live, test or both.", "livemode")
    return given


def _rate(given: Any) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise NotUsable("The rate is a whole number.", "rate")
    if not 1 <= given <= HIGHEST_RATE:
        raise NotUsable(f"The rate is 1 to {HIGHEST_RATE} deliveries a second.", "rate")
    return given


def _metadata(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise NotUsable("The metadata must be an object.", "metadata")
    kept = dict(given)
    if len(json.dumps(kept, default=str).encode()) > MOST_METADATA:
        raise NotUsable("The metadata is larger than 8 KiB.", "metadata")
    return kept


def _put_headers(endpoint: Endpoint, given: Any) -> bool:
    """Whether they are others than before."""
    if not isinstance(given, Mapping) or not all(
        isinstance(word, str) for pair in given.items() for word in pair
    ):
        raise NotUsable("The headers must be an object of texts.", "headers")
    before = custom_headers.opened(endpoint)
    try:
        endpoint.sealed_headers = custom_headers.seal(given, endpoint)
    except ValueError as error:
        raise NotUsable(str(error), "headers") from error
    return custom_headers.opened(endpoint) != before


_READ: dict[str, Callable[[Any], Any]] = {
    "url": _url,
    "events": _events,
    "dialect": _dialect,
    "description": _description,
    "livemode": _livemode,
    "rate": _rate,
    "metadata": _metadata,
}
