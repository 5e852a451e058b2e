"""What is known about the method of payment, in words and in a fixed order."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from merchant.templatetags import show
from transactions.models import Transaction
from transactions.templatetags import ledger

#: Facts about the method of payment, in this order, under these names.
METHOD_WORDS = {
    "wallet": _("Wallet"),
    "network": _("Network"),
    "funding": _("Funding"),
    "expires": _("Expires"),
    "holder": _("Holder"),
    "issuer": _("Issuer"),
    "country": _("Issued in"),
    "three_d_secure": _("3-D Secure"),
    "cvc_check": _("CVC check"),
    "address_check": _("Address check"),
    "postal_code_check": _("Postal code check"),
    "risk_level": _("Risk"),
    "risk_score": _("Risk score"),
    "gateway": _("Gateway"),
    "presentment": _("Shown to buyer"),
    "statement": _("On statement"),
    "receipt_number": _("Receipt number"),
}

#: What is a name already, and not a provider's word.
VERBATIM = frozenset(
    {"holder", "issuer", "expires", "statement", "receipt_number", "presentment"}
)


def facts(transaction: Transaction) -> list[tuple[Any, str]]:
    """(name, words) of what is known about the method; unknown names at the end.

    Without the network where that is the card's brand, which stands there already.
    """
    details = dict(transaction.method_details)
    if details.get("network") == transaction.method_brand:
        details.pop("network", None)
    order = [*METHOD_WORDS, *sorted(set(details) - set(METHOD_WORDS))]
    return [
        (METHOD_WORDS.get(name, show.spoken(name)), words(name, details[name]))
        for name in order
        if details.get(name)
    ]


def words(name: str, value: object) -> str:
    if name == "country":
        return show.country(str(value))
    told = show.fact_word(value)
    return told if name in VERBATIM else ledger.method_name(told)
