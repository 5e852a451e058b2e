"""Which connections the sandbox sells for, and with which keys it signs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet

from merchant import connections
from merchant.models import Connection
from merchant.providers.base import Keys
from merchant.sandbox import keypair
from merchant.sandbox.book import Book
from merchant.sandbox.market import Stall

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def open_book() -> Book:
    """The installation's notebook of purchases in the sandbox."""
    return Book(settings.DATA_DIR / "sandbox.sqlite3")


def of_demo() -> QuerySet[Connection]:
    """The connections that the demo made for itself."""
    return _open().filter(demo=True)


def at_port(port: int) -> list[Connection]:
    """The test connections whose base URL points at a sandbox on this port."""
    found = _open().filter(livemode=False).exclude(base_url="")
    return [row for row in found if _is_local(row.base_url, port, row.provider)]


def stalls(rows: Iterable[Connection]) -> tuple[list[Stall], list[Connection]]:
    """A stall for each connection, and the connections that nobody here can sign for."""
    made, unsigned = [], []
    for row in rows:
        keys = signing_keys(row)
        if keys.secrets or keys.private_key:
            made.append(Stall(str(row.pk), row.provider, keys))
        else:
            unsigned.append(row)
    return made, unsigned


def signing_keys(row: Connection) -> Keys:
    """The connection's keys; where it trusts the sandbox's own pair, with that one."""
    keys = connections.keys_of(row)
    if keys.private_key or not keys.public_keys:
        return keys
    public, private = keypair.own(settings.DATA_DIR)
    trusted = {"".join(key.split()) for key in keys.public_keys}
    return replace(keys, private_key=private) if "".join(public.split()) in trusted else keys


def _open() -> QuerySet[Connection]:
    rows = Connection.objects.filter(closed=None)
    return rows.select_related("project").order_by("created", "pk")


def _is_local(base_url: str, port: int, provider: str) -> bool:
    try:
        address = urlsplit(base_url)
        return (
            address.hostname in _LOOPBACK
            and address.port == port
            and address.path.split("/")[1:2] == [provider]
        )
    except ValueError:
        return False
