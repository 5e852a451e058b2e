"""One search box without syntax: everything that a customer can quote is tried.

What is met again and again among the newest rows is so frequent that walking the list
in its own order soon meets enough of it. Of the rest each way of finding is asked for
some thousand rows: what answers with fewer is known in full and becomes ids, what
answers with more is walked for as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from itertools import product
from operator import or_
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import (
    BooleanField,
    ExpressionWrapper,
    F,
    JSONField,
    Lookup,
    Q,
    QuerySet,
    Value,
)
from django.db.models.functions import StrIndex, Upper
from django.db.models.lookups import Exact, GreaterThan, IContains, IStartsWith

from merchant.money import ISO_EXPONENTS, NotMoney, currency_code
from transactions import nearest
from transactions.filter_values import Scope, as_uuid
from transactions.models import ProviderReference, Transaction, TransactionAlias
from transactions.nearest import Known

#: So many rows of one way are looked up by id; above that the list itself is walked.
#: Other lists have fewer rows and no times of them at hand.
MOST_KNOWN, FEW = 5_000, 500
#: So many of so many newest rows make a word frequent.
MANY, LOOKED_AT = 10, 1_000
#: The index for parts of e-mails and names; PostgreSQL has it if it has pg_trgm.
INDEX_OF_PARTS = "tx_email_part"

PARTS = ("customer_email", "customer_name")

_SYMBOLS = {"$": "usd", "€": "eur", "£": "gbp", "¥": "jpy", "₽": "rub"}
_QUANTITY = re.compile(
    r"(?P<before>[A-Za-z]{3}|[$€£¥₽])? ?"
    r"(?P<number>\d{1,15}(?:[.,' ]\d{1,15}){0,5}) ?"
    r"(?P<after>[A-Za-z]{3}|[$€£¥₽])?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Found:
    """`ids` are all rows of the rare ways; `walk` says what counts besides, if any.

    `places`: id -> time of creation, where those are known.
    """

    ids: frozenset[UUID]
    walk: Q
    places: Mapping[UUID, datetime] | None = None

    @property
    def is_short(self) -> bool:
        """Whether the ids are everything."""
        return not self.walk

    @property
    def condition(self) -> Q:
        if self.places and self.is_short:
            return Q(Known(self.places))
        known = Q(pk__in=self.ids)
        return known if self.is_short else known | self.walk


@JSONField.register_lookup
class HoldsValue(Lookup):
    """Whether one of an object's values is exactly this text."""

    lookup_name = "holds_value"
    prepare_rhs = False

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        path = f"$.* ? (@ == {json.dumps(self.rhs)})"
        # The first half is the condition of the partial index.
        sql = f"({lhs} <> '{{}}'::jsonb AND {lhs} @? %s::jsonpath)"
        return sql, [*params, *params, path]

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        sql = f"EXISTS (SELECT 1 FROM json_each({lhs}) WHERE json_each.value = %s)"
        return sql, [*params, self.rhs]


@JSONField.register_lookup
class ShowsValue(HoldsValue):
    """The same, hidden from the index: for a walk that soon meets enough rows."""

    lookup_name = "shows_value"

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        lhs, params = self.process_lhs(compiler, connection)
        path = f"$.* ? (@ == {json.dumps(self.rhs)})"
        return f"jsonb_path_exists({lhs}, %s::jsonpath)", [*params, path]


def find(
    rows: QuerySet[Transaction],
    words: str,
    scope: Scope,
    sample: QuerySet[Transaction],
) -> Found:
    """Those of `rows` that have to do with the words: one of our ids, a provider's id,
    an order reference, a part of an e-mail or name, the last four digits of a card, an
    amount, or a value of the metadata.

    `sample`: some of the rows, so that an index gives the newest of them.
    """
    named = rows.filter(pk__in=_named(words, scope))
    places = dict(named.values_list("pk", "created"))
    walk = Q()
    ways = list(_ways(words, scope))
    frequent = _frequent(sample, [condition for _, condition in ways])
    for place, (probe, condition) in enumerate(ways):
        if place in frequent:
            walk |= condition
            continue
        some = rows.filter(probe).values_list("pk", "created")[: MOST_KNOWN + 1]
        if len(some) > MOST_KNOWN:
            walk |= condition
        else:
            places.update(some)
    return Found(frozenset(places), walk, places)


def _frequent(sample: QuerySet[Transaction], conditions: Sequence[Q]) -> set[int]:
    """Which of the conditions many of the newest rows meet."""
    if connection.vendor != "postgresql":
        return set()  # there is only one way, and it is a walk
    met = {
        f"met_{place}": ExpressionWrapper(condition, BooleanField())
        for place, condition in enumerate(conditions)
    }
    newest = sample.order_by(*nearest.NEWEST_FIRST).annotate(**met).values_list(*met)
    counts = [0] * len(conditions)
    for row in nearest.first(newest, LOOKED_AT):
        for place, one in enumerate(row):
            counts[place] += bool(one)
    return {place for place, count in enumerate(counts) if count >= MANY}


def hit(rows: QuerySet[Transaction], words: str, scope: Scope) -> Transaction | None:
    """The one of `rows` that an id names, ours or a provider's; None where several."""
    found = list(rows.filter(pk__in=_named(words, scope))[:2])
    return found[0] if len(found) == 1 else None


def _named(words: str, scope: Scope) -> set[UUID]:
    """Rows that an id names: ours, that of a row joined to another, or a provider's."""
    references = ProviderReference.objects.filter(
        project_id__in=scope.project_ids, reference=words
    )
    found = set(references.values_list("transaction_id", flat=True)[:FEW])
    if id := as_uuid(words):
        joined = TransactionAlias.objects.filter(pk=id)
        found |= {id, *joined.values_list("transaction_id", flat=True)}
    return found


def _ways(words: str, scope: Scope) -> Iterator[tuple[Q, Q]]:
    """(what to ask the indexes, what to ask each row when there are too many)."""
    exact = [Q(order_reference=words, project_id__in=scope.project_ids)]
    if re.fullmatch(r"\d{4}", words, re.ASCII):
        exact.append(Q(method_last4=words))
    if amounts := _amounts(words):
        exact.append(amounts)
    parts = parts_of(words, PARTS, INDEX_OF_PARTS)
    if connection.vendor == "postgresql":
        yield parts
        yield Q(metadata__holds_value=words), Q(metadata__shows_value=words)
        yield from zip(exact, exact, strict=True)
    else:
        # Nothing but a walk finds these there, so one walk looks for all of them.
        every = reduce(or_, exact, parts[0] | Q(metadata__holds_value=words))
        yield every, every


def parts_of(words: str, columns: Sequence[str], index: str) -> tuple[Q, Q]:
    """Rows with the words in one of these columns: what to ask the `index` that
    PostgreSQL has for parts of them, and what to ask each row when that finds many."""
    if connection.vendor != "postgresql":
        part = _part(words, columns)
        return part, part
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [index])
        (indexed,) = cursor.fetchone()
    if not indexed:
        beginnings = _in_parts(IStartsWith, [words], columns)
        return beginnings, beginnings
    return _part(words, columns), _part(words, columns, hidden=True)


def _part(words: str, columns: Sequence[str], *, hidden: bool = False) -> Q:
    """Rows with the words in a text.

    One or two letters are in most of them, and no index holds less than three: they
    count where a word begins. Elsewhere than in ASCII two may well be a whole name.
    """
    if len(words) < 3 and words.isascii():
        beginnings = _in_parts(IStartsWith, [words], columns, hidden)
        return beginnings | _in_parts(IContains, [f" {words}"], columns, hidden)
    spellings = {words}
    if connection.vendor == "sqlite" and not words.isascii():
        # It folds the case of ASCII letters only.
        spellings |= {words.lower(), words.upper(), words.title()}
    return _in_parts(IContains, sorted(spellings), columns, hidden)


def _in_parts(
    lookup: type[IContains | IStartsWith],
    spellings: list[str],
    columns: Sequence[str],
    hidden: bool = False,
) -> Q:
    every = product(map(F, columns), spellings)
    if not hidden:
        return reduce(or_, (Q(lookup(column, text)) for column, text in every))
    # For frequent words the planner would take the trigram index all the same, read
    # every match and sort, or read the whole table, where a short walk would do. Of a
    # place within a text it knows nothing, so it expects many and walks.
    places = [StrIndex(Upper(column), Upper(Value(text))) for column, text in every]
    starts = lookup is IStartsWith
    met = (Exact(at, 1) if starts else GreaterThan(at, 0) for at in places)
    return reduce(or_, map(Q, met))


def _amounts(words: str) -> Q:
    """Rows over this amount, 19.99 or EUR 1,999.00, in whichever currency it can be."""
    found = _QUANTITY.fullmatch(words)
    if found is None:
        return Q()
    try:
        named = [_currency(found[part]) for part in ("before", "after") if found[part]]
    except NotMoney:
        return Q()
    condition = Q()
    for number in _numbers(found["number"]):
        for places in {2, *ISO_EXPONENTS.values()}:
            minor = number.scaleb(places)
            if minor == minor.to_integral_value() and minor < 2**63:
                condition |= Q(amount=int(minor)) & _with_places(places)
    return condition & Q(currency__in=named) if named and condition else condition


def _currency(text: str) -> str:
    return _SYMBOLS.get(text) or currency_code(text)


def _with_places(places: int) -> Q:
    if places == 2:
        return ~Q(currency__in=list(ISO_EXPONENTS))
    return Q(currency__in=[c for c, own in ISO_EXPONENTS.items() if own == places])


def _numbers(text: str) -> set[Decimal]:
    """What a written number can mean: 1.999 is about two, or about two thousand."""
    marks = [character for character in text if not character.isdigit()]
    bare = Decimal(re.sub(r"\D", "", text))
    if not marks:
        return {bare}
    after = len(text) - 1 - max(text.rfind(mark) for mark in marks)
    in_groups = re.fullmatch(r"\d{1,3}(?:\D\d{3})+", text, re.ASCII) is not None
    meant = {bare} if in_groups and len(set(marks)) == 1 else set()
    if marks[-1] in ".," and marks.count(marks[-1]) == 1:
        meant.add(bare.scaleb(-after))
    return meant
