"""Which connections the sandbox sells for, and with which keys it signs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import QuerySet

from merchant import connections
from merchant.management import base
from merchant.models import Connection
from merchant.providers.base import Keys
from merchant.sandbox import keypair
from merchant.sandbox.book import Book
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.server import Server

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
    """A stall for each connection, and those connections that we cannot sign for."""
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
    return (
        replace(keys, private_key=private)
        if "".join(public.split()) in trusted
        else keys
    )


def why_unsigned(row: Connection) -> str:
    """What the operator can do so that the sandbox can send to this connection."""
    if row.provider == "paysecure":
        keypair.own(settings.DATA_DIR)
        file = settings.DATA_DIR / keypair.PUBLIC_NAME
        return (
            f"Nothing is sent to {row} ({row.pk}): the sandbox does not have its "
            f"private key. Add a connection with --public-key {file} instead."
        )
    return (
        f"Nothing is sent to {row} ({row.pk}): it has no signing secret. Add one, or a "
        "connection made with --secret."
    )


@contextmanager
def open_market(
    rows: Iterable[Connection], port: int
) -> Iterator[tuple[Market, Server]]:
    """The sandbox for these connections, its API served on the port.

    Raises base.Failed when the port is taken.
    """
    book = open_book()
    try:
        market = Market(book, stalls(rows)[0])
        server = _listen(market, port)
        try:
            yield market, server
        finally:
            server.stop()
    finally:
        book.close()


def _listen(market: Market, port: int) -> Server:
    try:
        server = Server(market, port)
    except OSError as error:
        raise base.Failed(
            f"The sandbox cannot listen on port {port}: {error.strerror}."
        ) from error
    server.start()
    return server


def sandbox_port() -> int | None:
    """The port of SANDBOX_URL; None when there is none."""
    return urlsplit(settings.SANDBOX_URL).port


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
