"""What kinds of values a column can have, and how each is written as text: in Python
and, where the database makes the file, as SQL for PostgreSQL. Both give the same bytes.

For people: text that no spreadsheet runs, decimal amounts, times of a zone, words.
For programs: as it stands in the database, minor units, times in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo

from merchant.money import ISO_EXPONENTS, Money

#: What makes a spreadsheet take a text for a formula, also after blanks and in the wide
#: forms that some of them fold.
DANGEROUS = frozenset("=+-@\t\r\n＝＋－＠")
#: What a spreadsheet passes over before it looks.
BLANKS = " \u00a0\ufeff"

#: A piece of SQL and its parameters.
Sql = tuple[str, list[Any]]


class Kind(Enum):
    """TEXT may be anything. ID is ours and harmless. WORD is one of a column's words.
    CODE is a currency's, MONEY are minor units beside one. TIME is a moment, LOCAL the
    same as a clock on the wall shows it, without its zone."""

    TEXT = "text"
    ID = "id"
    WORD = "word"
    CODE = "code"
    MONEY = "money"
    NUMBER = "number"
    TIME = "time"
    LOCAL = "local"
    YES = "yes"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Manner:
    """How values are written. `in_minor`: amounts as whole minor units."""

    for_people: bool = True
    in_minor: bool = False
    zone: ZoneInfo = ZoneInfo("UTC")


def guarded(text: str) -> str:
    """The text with an apostrophe before it where a spreadsheet would run it."""
    return f"'{text}" if text.lstrip(BLANKS)[:1] in DANGEROUS else text


def major(minor: int, currency: str) -> Decimal:
    """1999 eur -> Decimal("19.99")."""
    return Money(minor, currency).major


# -------------------------------------------------------------------------- in Python
#: A cell's text; None is an empty cell. Takes the value (never None) and the row's
#: currency.
Writer = Callable[[Any, str], str | None]


def writer(kind: Kind, manner: Manner, words: Mapping[str, str]) -> Writer:
    """How a value of the kind becomes text."""
    zone = manner.zone
    if kind is Kind.MONEY:
        return _minor if manner.in_minor else _decimal
    if kind is Kind.LOCAL:
        return lambda when, _: f"{_at(when, zone):%Y-%m-%dT%H:%M:%S}"
    if not manner.for_people:
        return _FOR_PROGRAMS.get(kind, _plain)
    if kind is Kind.TIME:
        return lambda when, _: _at(when, zone).isoformat(timespec="seconds")
    if kind is Kind.WORD:
        # A word that we do not know may be anybody's.
        return lambda word, _: words.get(word) or guarded(word)
    return _FOR_PEOPLE.get(kind, _plain)


def _at(when: datetime, zone: ZoneInfo) -> datetime:
    return when.astimezone(zone)


def _plain(value: Any, _: str) -> str:
    return str(value)


def _minor(minor: int, _: str) -> str:
    return str(minor)


def _decimal(minor: int, currency: str) -> str | None:
    return format(major(minor, currency), "f") if currency else None


def _utc(when: datetime, _: str) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def _yes(value: bool, _: str) -> str:
    return "Yes" if value else "No"


def _true(value: bool, _: str) -> str:
    return "true" if value else "false"


_FOR_PEOPLE: dict[Kind, Writer] = {
    Kind.TEXT: lambda text, _: guarded(text),
    Kind.JSON: lambda text, _: guarded(text),
    Kind.CODE: lambda code, _: code.upper(),
    Kind.YES: _yes,
}
_FOR_PROGRAMS: dict[Kind, Writer] = {Kind.TIME: _utc, Kind.YES: _true}


# ----------------------------------------------------------------------------- in SQL
def sql(
    kind: Kind, manner: Manner, words: Mapping[str, str], column: str, currency: str
) -> Sql:
    """PostgreSQL's expression for the same text, NULL for an empty cell; `column` and
    `currency` are names of columns. The session's time zone is the manner's."""
    if kind is Kind.MONEY:
        if manner.in_minor:
            return f"{column}::text", []
        return _decimal_sql(column, currency)
    if kind is Kind.LOCAL:
        return f"""to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SS')""", []
    if kind is Kind.TIME:
        if manner.for_people:
            return f"""to_char({column}, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')""", []
        utc = f"{column} AT TIME ZONE 'UTC'"
        return f"""to_char({utc}, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""", []
    if kind is Kind.YES:
        yes, no = ("Yes", "No") if manner.for_people else ("true", "false")
        return f"CASE WHEN {column} THEN '{yes}' WHEN NOT {column} THEN '{no}' END", []
    if kind in (Kind.TEXT, Kind.JSON):
        return _text_sql(column, guard=manner.for_people)
    if kind is Kind.WORD and manner.for_people and words:
        pairs = [part for pair in words.items() for part in pair]
        whens = "WHEN %s THEN %s " * len(words)
        other, params = _text_sql(column, guard=True)
        return f"CASE {column} {whens}ELSE {other} END", [*pairs, *params]
    if kind is Kind.CODE and manner.for_people:
        return f"NULLIF(upper({column}), '')", []
    return f"NULLIF({column}::text, '')", []


def _text_sql(column: str, *, guard: bool) -> Sql:
    plain = f"NULLIF({column}, '')"
    if not guard:
        return plain, []
    beginning = f"left(ltrim({column}, %s), 1)"
    text = f"CASE WHEN {beginning} = ANY(%s) THEN '''' || {column} ELSE {plain} END"
    return text, [BLANKS, sorted(DANGEROUS)]


def _decimal_sql(column: str, currency: str) -> Sql:
    """Multiplying by 0.01 keeps two decimals, exactly."""
    whens = []
    params: list[Any] = []
    for places in sorted(set(ISO_EXPONENTS.values())):
        codes = sorted(code for code, own in ISO_EXPONENTS.items() if own == places)
        whens.append(f"WHEN {currency} = ANY(%s) THEN {_scaled(column, places)}")
        params.append(codes)
    return (
        f"CASE WHEN {currency} = '' THEN NULL {' '.join(whens)}"
        f" ELSE {_scaled(column, 2)} END",
        params,
    )


def _scaled(column: str, places: int) -> str:
    if not places:
        return f"{column}::text"
    return f"({column} * 0.{'0' * (places - 1)}1)::text"
