"""From steps to signed deliveries, with the bad habits that real providers have."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from merchant.providers import PROVIDERS
from merchant.providers.base import Keys
from merchant.sandbox.market import Telling
from merchant.sandbox.tellers import TELLERS

#: How long a sender waits for an answer, in seconds.
PATIENCE = 10
#: How many deliveries one that lost its way may be overtaken by.
_OVERTAKEN_BY = 6


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook as it goes over the wire. `telling`: what it reports."""

    type: str
    body: bytes
    telling: Telling
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Habits:
    """How often, of a hundred deliveries, one comes twice or is overtaken by others."""

    twice: int = 6
    late: int = 10


STRICT = Habits(twice=0, late=0)


class NobodyThere(Exception):
    """The address does not answer; the message says which and why."""


def deliveries(
    tellings: Iterable[Telling], habits: Habits, chance: Random
) -> list[Delivery]:
    """The webhooks of these steps in the order in which they arrive."""
    straight = [
        delivery for telling in tellings for delivery in _each(telling, habits, chance)
    ]
    arrival = [
        place
        + (chance.uniform(1, _OVERTAKEN_BY) if _one_in(habits.late, chance) else 0)
        for place in range(len(straight))
    ]
    order = sorted(range(len(straight)), key=arrival.__getitem__)
    return [straight[place] for place in order]


def _each(telling: Telling, habits: Habits, chance: Random) -> Iterator[Delivery]:
    teller = TELLERS[telling.stall.provider]
    for event in teller.events(telling.purchase, telling.step):
        yield Delivery(event.type, event.body, telling)
        if _one_in(habits.twice, chance):
            yield Delivery(event.type, event.body, telling, repeated=True)


def _one_in(hundredths: int, chance: Random) -> bool:
    return chance.randrange(100) < hundredths


def sign(provider: str, body: bytes, keys: Keys, at: datetime) -> dict[str, str]:
    """The headers of a real delivery, names in lower case. `at`: time of sending."""
    headers = PROVIDERS[provider].sign(body, keys, at)
    headers = {name.lower().replace("_", "-"): text for name, text in headers.items()}
    return {"content-type": "application/json", **headers}


def post(url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
    """Knocks at our own intake over HTTP; status and body. Raises NobodyThere.

    Not merchant.http, which rightly refuses to call ourselves.
    """
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")
    try:
        with _opener.open(request, timeout=PATIENCE) as answer:
            return answer.status, answer.read(64 * 1024)
    except urllib.error.HTTPError as error:
        return error.code, error.read(64 * 1024)
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise NobodyThere(f"{url} does not answer: {reason}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """No provider follows a redirect from an intake address."""

    def redirect_request(self, *_: object) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
