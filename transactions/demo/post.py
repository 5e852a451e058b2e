"""Handing a signed delivery to our own intake: over HTTP, or in this process."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone

from merchant.models import Connection
from merchant.providers.base import Incoming, Keys
from merchant.sandbox import senders
from webhooks import intake

#: After an address did not answer, it is left alone for so many seconds.
_LEFT_ALONE = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the intake said. `way`: "http" or "in process"."""

    status: int
    body: bytes
    way: str

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300

    @property
    def worth_another_try(self) -> bool:
        return self.status == 429 or self.status >= 500


class Postman:
    """Knows where the intake is, and that it may be away for a while."""

    def __init__(self) -> None:
        self._away_until = 0.0

    def hand_over(self, row: Connection, keys: Keys, body: bytes) -> Answer:
        """Signs and delivers: to PUBLIC_URL where it answers, else in this process."""
        if time.monotonic() >= self._away_until:
            url = f"{settings.PUBLIC_URL}{row.intake_path}"
            headers = senders.sign(row.provider, body, keys, timezone.now())
            try:
                return Answer(*senders.post(url, headers, body), "http")
            except senders.NobodyThere:
                self._away_until = time.monotonic() + _LEFT_ALONE
        return hand_over_here(row, keys, body)


def hand_over_here(row: Connection, keys: Keys, body: bytes) -> Answer:
    """Signs the body and gives it to the intake in this process."""
    now = timezone.now()
    headers = senders.sign(row.provider, body, keys, now)
    receipt = intake.receive(row, keys, Incoming(body, headers, now))
    return Answer(receipt.status, receipt.body, "in process")
