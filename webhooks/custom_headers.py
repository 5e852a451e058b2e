"""The merchant's own headers of an endpoint: checked, sealed, and opened to be sent.

They usually hold a token that lets our letters through a gateway, so they are kept as
other secrets are. Whoever changes them calls `check` and `seal`; the sender `opened`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from merchant import vault
from webhooks.models import Endpoint

PURPOSE = "endpoint.headers"
MOST = 20
LONGEST_NAME, LONGEST_VALUE = 100, 2000

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: What says where a letter goes, how long it is and who sent it is not theirs to say.
RESERVED = frozenset(
    {
        "host", "content-length", "content-type", "content-encoding", "connection",
        "transfer-encoding", "te", "trailer", "upgrade", "expect", "keep-alive",
        "proxy-authorization", "proxy-connection", "accept", "accept-encoding",
        "user-agent", "cookie", "date",
        "webhook-id", "webhook-timestamp", "webhook-signature", "webhook-event",
        "stripe-signature", "paynow-signature", "paynow-timestamp",
        "x-paynow-signature", "paysecure_sign", "paysecure-sign",
    }
)  # fmt: skip


class NotUsable(ValueError):
    """A header that cannot be sent; `str()` says why, to who gave it."""


def check(headers: Mapping[str, str], *, dialect: str = "") -> None:
    """Nothing for headers that can be sent along. Raises NotUsable.

    `dialect`: PaySuper's signs in Authorization, the others leave that to the merchant.
    """
    if len(headers) > MOST:
        raise NotUsable(f"There are more than {MOST} headers.")
    if len({name.lower() for name in headers}) < len(headers):
        raise NotUsable("A header is named twice.")
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise NotUsable(f"“{name[:LONGEST_NAME]}” is not the name of a header.")
        if is_reserved(name, dialect):
            raise NotUsable(f"{name} is set by the sender.")
        if len(value) > LONGEST_VALUE:
            raise NotUsable(f"{name} is longer than {LONGEST_VALUE} characters.")
        if not (value.isascii() and value.isprintable()):
            raise NotUsable(f"{name} may only hold printable ASCII characters.")


def is_reserved(name: str, dialect: str = "") -> bool:
    """Whether the header is the sender's own."""
    name = name.lower()
    return name in RESERVED or (dialect == "paysuper" and name == "authorization")


def seal(headers: Mapping[str, str], endpoint: Endpoint) -> str:
    """The headers for Endpoint.sealed_headers; "" for none. Raises NotUsable."""
    check(headers, dialect=endpoint.dialect)
    if not headers:
        return ""
    return vault.seal(json.dumps(dict(headers)), purpose=PURPOSE, row=endpoint.pk)


def opened(endpoint: Endpoint) -> dict[str, str]:
    """The headers in the clear. Raises vault.Locked."""
    if not endpoint.sealed_headers:
        return {}
    text = vault.unseal(endpoint.sealed_headers, purpose=PURPOSE, row=endpoint.pk)
    return dict(json.loads(text))
