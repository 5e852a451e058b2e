"""A merchant's own server, imitated: it takes whatever it is told, most of the time."""

from __future__ import annotations

import threading

from merchant.sandbox.story import Response

#: The first part of its addresses: /receiver/shop, /receiver/accounting.
PREFIX = "receiver"
#: One of so many is answered 500, so that a second try can be seen.
STUMBLES_AT = 12


class Receiver:
    """Acknowledges each letter, and stumbles at every twelfth."""

    def __init__(self) -> None:
        self._taken = 0
        self._lock = threading.Lock()

    def answer(self, method: str) -> Response:
        if method != "POST":
            return Response(405, {"message": "This address takes POST only."})
        with self._lock:
            self._taken += 1
            stumbles = self._taken % STUMBLES_AT == 0
        if stumbles:
            return Response(500, {"message": "The demo's server fails now and then."})
        return Response(204, None)
