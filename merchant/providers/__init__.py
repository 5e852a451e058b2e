"""The providers we know. A new one is one module and one line here."""

from __future__ import annotations

from merchant.providers import paynow, paysecure, paysuper, stripe
from merchant.providers.base import Provider

PROVIDERS: dict[str, Provider] = {
    "paysuper": paysuper,
    "stripe": stripe,
    "paysecure": paysecure,
    "paynow": paynow,
}

CHOICES = [(slug, provider.name) for slug, provider in PROVIDERS.items()]
