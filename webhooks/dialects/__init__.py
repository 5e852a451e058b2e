"""Events in the words of those who receive them: one module per dialect."""

from __future__ import annotations

from datetime import datetime

from webhooks.dialects import paynow, paysecure, paysuper, standard, stripe
from webhooks.dialects.base import Letter, News, SigningKeys, Spoken

__all__ = ["DIALECTS", "Letter", "News", "SigningKeys", "compose", "speaks_of"]

DIALECTS: dict[str, Spoken] = {
    "standard": standard,
    "stripe": stripe,
    "paysuper": paysuper,
    "paynow": paynow,
    "paysecure": paysecure,
}


def speaks_of(dialect: str, news: News) -> bool:
    """Whether the dialect has words for this event."""
    return bool(DIALECTS[dialect].word(news))


def compose(dialect: str, news: News, keys: SigningKeys, at: datetime) -> Letter | None:
    """The letter as it goes out at `at`; None where the dialect does not send this."""
    spoken = DIALECTS[dialect]
    body = spoken.body(news)
    if body is None:
        return None
    return Letter(body, spoken.sign(news, body, keys, at))
