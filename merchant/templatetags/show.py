"""Template words: money, times, ids and countries look the same everywhere."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from babel import Locale
from babel.numbers import format_decimal
from django import template
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from heroicons.templatetags.heroicons import heroicon_micro, heroicon_mini

from merchant.money import Money, exponent

register = template.Library()

MINUS = "\u2212"
ENGLISH = Locale("en")

#: tone -> icon that says it without colour.
TONE_ICONS = {
    "ok": "check-circle",
    "warn": "clock",
    "bad": "exclamation-circle",
    "info": "information-circle",
    "idle": "minus-circle",
}

#: (seconds in one, how many of them to say) from the smallest up.
AGES = (
    (60, lambda n: _("less than a minute ago")),
    (3600, lambda n: ngettext("%d minute ago", "%d minutes ago", n // 60) % (n // 60)),
    (86400, lambda n: ngettext("%d hour ago", "%d hours ago", n // 3600) % (n // 3600)),
)


# -------------------------------------------------------------------------- money
def digits(minor: int, currency: str) -> str:
    """Minor units as decimal digits with separators: -123456 eur -> −1,234.56."""
    decimals = exponent(currency)
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    major = Money(abs(minor), currency).major
    return (MINUS if minor < 0 else "") + format_decimal(major, pattern, ENGLISH)


def money_text(minor: int | None, currency: str) -> str:
    """ "EUR 1,234.56" for sentences; a dash where the amount is not known."""
    if minor is None:
        return "–"
    return f"{currency.upper()} {digits(minor, currency)}".strip()


@register.inclusion_tag("components/_money.html")
def money(minor: int | None, currency: str, *, back: bool = False) -> dict[str, Any]:
    """An amount in minor units of a currency; `back`: it went back, so with a minus."""
    if minor is None:
        return {"digits": "", "currency": ""}
    return {
        "digits": digits(-abs(minor) if back else minor, currency),
        "currency": currency.upper(),
    }


# -------------------------------------------------------------------------- times
def _day(when: datetime) -> str:
    return f"{when.day} {when:%b}"


def short_time(when: datetime) -> str:
    """For tables, in the active time zone: 21 Nov, 00:28, with the year if not this."""
    local = timezone.localtime(when)
    year = "" if local.year == timezone.localtime().year else f" {local.year}"
    return f"{_day(local)}{year}, {local:%H:%M}"


def exact_time(when: datetime) -> str:
    """For what happens within one minute: 21 Nov, 00:28:14."""
    return f"{short_time(when)}:{timezone.localtime(when):%S}"


def full_time(when: datetime) -> str:
    """For details: 21 November 2026, 00:28:14 UTC."""
    local = timezone.localtime(when)
    return f"{local.day} {local:%B %Y, %H:%M:%S} {local.tzname()}"


FORMS = {"short": short_time, "exact": exact_time, "full": full_time}


def age(when: datetime) -> str:
    """ "3 minutes ago" within a day; "" when older or in the future."""
    passed = timezone.now() - when
    if passed < timedelta(0):
        return ""
    seconds = int(passed.total_seconds())
    return next((words(seconds) for most, words in AGES if seconds < most), "")


@register.inclusion_tag("components/_time.html")
def moment(when: datetime | None, form: str = "short") -> dict[str, Any]:
    """A time; `form`: "short" for tables, "exact" with seconds, "full" for details."""
    if when is None:
        return {"when": None}
    return {
        "when": when,
        "iso": when.astimezone(timezone.get_fixed_timezone(0)).isoformat(
            timespec="seconds"
        ),
        "words": FORMS[form](when),
        "age": age(when) if form == "full" else "",
    }


@register.simple_tag
def zone() -> str:
    """The time zone in which this page shows its times: UTC, CET."""
    return timezone.localtime().tzname() or "UTC"


# ------------------------------------------------------------------- icons, badges
@register.simple_tag
@cache
def icon(name: str, size: int = 16) -> SafeString:
    """An icon beside words; it says nothing by itself, so readers skip it."""
    draw = heroicon_micro if size <= 16 else heroicon_mini
    return SafeString(draw(name, size=size, aria_hidden="true", focusable="false"))


@register.inclusion_tag("components/_badge.html")
def badge(tone: str, word: str, icon: str = "") -> dict[str, str]:
    """A word with a tone (ok, warn, bad, info, idle) and an icon."""
    return {"tone": tone, "word": word, "icon": icon or TONE_ICONS[tone]}


# ----------------------------------------------------------------------------- ids
@register.inclusion_tag("components/_id.html")
def copyable(value: object, label: str, *, plain: bool = False) -> dict[str, Any]:
    """An id in full with a copy button; narrow places cut it in the middle.

    `label` names it for who cannot see the button: "transaction id". `plain`: in the
    type of the text around it, for e-mails and what people read out.
    """
    text = str(value)
    # A long e-mail breaks before its host name and nowhere else if that is enough.
    cut = text.rfind("@") if plain and "@" in text else max(len(text) - 6, 0)
    return {
        "value": text,
        "start": text[:cut],
        "end": text[cut:],
        "label": label,
        "plain": plain,
    }


@register.filter
def short_id(value: object, most: int = 14) -> str:
    """Cut in the middle, never at the end: pi_3Qx…t7Yk2a."""
    text = str(value)
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[-tail:]}"


# --------------------------------------------------------------------------- words
@register.filter
def country(code: str | None) -> str:
    """The English name of an ISO 3166 country; the code itself if nobody knows it."""
    if not code:
        return ""
    return ENGLISH.territories.get(code.upper(), code)


@register.filter
def spoken(word: object) -> str:
    """A provider's word for people: "sepa_debit" -> "Sepa debit"."""
    text = str(word).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


@register.filter
def fact_word(value: object) -> str:
    """A value of unknown shape for people: yes, no, a word; never a Python repr."""
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, dict):
        return ", ".join(f"{spoken(k)}: {fact_word(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(fact_word(item) for item in value)
    return str(value)


#: The lines of an address, each of these parts.
ADDRESS_LINES = (
    ("name",),
    ("line1",),
    ("line2",),
    ("postal_code", "city"),
    ("state",),
    ("country",),
)


@register.filter
def address_lines(address: Any) -> list[str]:
    """An address as the lines of a letter."""
    if not isinstance(address, dict):
        return [str(address)]
    parts = {key: str(value) for key, value in address.items() if value}
    if "country" in parts:
        parts["country"] = country(parts["country"])
    lines = (" ".join(parts.get(key, "") for key in line) for line in ADDRESS_LINES)
    return [line.strip() for line in lines if line.strip()]


# ------------------------------------------------------------------------ raw bodies
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s"{}\[\],:]+')
#: Longer bodies are shown as they came: laying them out would cost too much.
MOST_LAID_OUT = 200_000


@register.filter
def body_text(body: bytes | memoryview) -> str:
    """A raw body for reading: JSON is laid out, its texts and numbers untouched."""
    words = bytes(body).decode("utf-8", "replace").replace("\x00", "\ufffd")
    looks_like_json = words.lstrip()[:1] in ("{", "[")
    return laid_out(words) if looks_like_json and len(words) < MOST_LAID_OUT else words


def _line(depth: int) -> str:
    """A new line; beyond this depth nobody reads, and indents would grow squared."""
    return "\n" + "  " * min(depth, 40)


def laid_out(words: str) -> str:
    """JSON with an indent for every level; every token stays as it was written."""
    parts: list[str] = []
    depth = 0
    pieces = _TOKEN.findall(words)
    for place, piece in enumerate(pieces):
        before = pieces[place - 1] if place else ""
        if piece in "}]":
            depth = max(depth - 1, 0)
            if before not in ("{", "["):
                parts.append(_line(depth))
        elif before in ("{", "["):
            parts.append(_line(depth))
        parts.append(piece)
        if piece in "{[":
            depth += 1
        elif piece == ",":
            parts.append(_line(depth))
        elif piece == ":":
            parts.append(" ")
    return "".join(parts)
