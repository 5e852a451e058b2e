"""Where others show what we name: providers their objects, platforms their players.

Only addresses that are known and stay: PaySuper and Paysecure name no page that could
be linked to, PayNow only a customer's.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import quote

from transactions.models import Payout, Transaction

STRIPE = "https://dashboard.stripe.com/"

#: provider -> start of an object's id -> its page, with the id put in.
#: Stripe's test mode has the same pages below /test/.
PAGES: dict[str, dict[str, str]] = {
    "stripe": {
        "pi_": STRIPE + "%spayments/%s",
        "ch_": STRIPE + "%spayments/%s",
        "py_": STRIPE + "%spayments/%s",
        "cus_": STRIPE + "%scustomers/%s",
        "sub_": STRIPE + "%ssubscriptions/%s",
        "in_": STRIPE + "%sinvoices/%s",
        "re_": STRIPE + "%srefunds/%s",
        "pyr_": STRIPE + "%srefunds/%s",
        "dp_": STRIPE + "%sdisputes/%s",
        "du_": STRIPE + "%sdisputes/%s",
        "po_": STRIPE + "%spayouts/%s",
        "evt_": STRIPE + "%sevents/%s",
    },
}
#: PayNow's ids are bare numbers: only the place says that it is a customer's.
PAYNOW_CUSTOMER = "https://dashboard.paynow.gg/customers/%s"

#: platform -> (what its account ids look like, the page of an account).
PROFILES = {
    "steam": (re.compile(r"7656\d{13}"), "https://steamcommunity.com/profiles/%s"),
    "discord": (re.compile(r"\d{17,20}"), "https://discord.com/users/%s"),
}


class Account(NamedTuple):
    """A customer's account elsewhere; `page` is "" where none is known."""

    platform: str
    name: str
    id: str
    page: str


def page(row: Transaction | Payout, id: str) -> str:
    """The page of an object that belongs to the row; "" where none is known.

    None either for an imitated provider, or for a connected account of Stripe: its
    objects are not in the platform's own dashboard.
    """
    if row.connection.base_url or _is_connected(row):
        return ""
    mode = "" if row.livemode else "test/"
    for start, address in PAGES.get(row.provider, {}).items():
        if id.startswith(start):
            return address % (mode, quote(id, safe=""))
    return ""


def customer_page(row: Transaction) -> str:
    """The page of the person who bought."""
    id = str(row.customer_details.get("provider_id") or "")
    if row.provider == "paynow" and id.isdecimal() and not row.connection.base_url:
        return PAYNOW_CUSTOMER % id
    return page(row, id) if id.startswith("cus_") else ""


def accounts(identities: Any) -> list[Account]:
    """The accounts of a customer, as a provider told of them."""
    if not isinstance(identities, dict):
        return []
    found = []
    for platform, told in identities.items():
        told = told if isinstance(told, dict) else {"id": told}
        id, name = str(told.get("id") or ""), str(told.get("name") or "")
        found.append(Account(platform, name, id, _profile(platform, id)))
    return found


def _profile(platform: str, id: str) -> str:
    shape, address = PROFILES.get(platform, (None, ""))
    return address % id if shape and shape.fullmatch(id) else ""


def _is_connected(row: Transaction | Payout) -> bool:
    return str(row.details.get("account") or "").startswith("acct_")
