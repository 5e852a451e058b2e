"""Values of columns that are more than a field: for PostgreSQL and SQLite alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.db.models import (
    Case,
    CharField,
    F,
    Func,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.functions import (
    Cast,
    Coalesce,
    Concat,
    Left,
    NullIf,
    Right,
    StrIndex,
    Substr,
)
from django.db.models.lookups import Exact, GreaterThan

from transactions.models import LineItem

HIDDEN = "•••"
NOTHING = Value("")


class Listed(Subquery):
    """The texts of a query's rows in its order, semicolons between; null of none."""

    template = "(SELECT string_agg(line.text, '; ') FROM (%(subquery)s) AS line)"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = "(SELECT group_concat(line.text, '; ') FROM (%(subquery)s) AS line)"
        return self.as_sql(compiler, connection, template=template, **more)


class JsonText(Func):
    """A JSON field as one text, "" where it holds nothing.

    SQLite keeps the text as Django wrote it: see `rewritten`.
    """

    template = "NULLIF((%(expressions)s)::text, '{}')"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        template = "NULLIF(%(expressions)s, '{}')"
        return self.as_sql(compiler, connection, template=template, **more)


def rewritten(text: str) -> str:
    """JSON as Django writes it for SQLite in the form that PostgreSQL keeps: short keys
    first, and nothing escaped that is beyond ASCII."""
    return json.dumps(_in_order(json.loads(text)), ensure_ascii=False)


def _in_order(value: Any) -> Any:
    if isinstance(value, list):
        return [_in_order(each) for each in value]
    if not isinstance(value, dict):
        return value
    keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
    return {key: _in_order(value[key]) for key in keys}


def products(at: str) -> Combinable:
    """What was bought: "2 × Iron Sword; Shield"; the description where no item is."""
    lines = LineItem.objects.filter(transaction=OuterRef(f"{at}pk"))
    name = Case(
        When(quantity=1, then=F("name")),
        default=Concat(Cast("quantity", CharField()), Value(" × "), F("name")),
        output_field=TextField(),
    )
    return Coalesce(
        NullIf(Listed(_texts(lines, name)), NOTHING),
        F(f"{at}description"),
        output_field=TextField(),
    )


def skus(at: str) -> Combinable:
    lines = LineItem.objects.filter(transaction=OuterRef(f"{at}pk")).exclude(sku="")
    return Coalesce(Listed(_texts(lines, F("sku"))), NOTHING, output_field=TextField())


def _texts(lines: QuerySet[LineItem], text: Combinable) -> QuerySet[LineItem, Any]:
    return lines.order_by("position", "key").annotate(text=text).values("text")


def method(at: str) -> Combinable:
    """ "visa 4242": the brand, else the method, and the last digits."""
    name = Case(
        When(**{f"{at}method_brand": ""}, then=F(f"{at}method")),
        default=F(f"{at}method_brand"),
        output_field=TextField(),
    )
    return Case(
        When(**{f"{at}method_last4": ""}, then=name),
        When(
            **{f"{at}method_brand": "", f"{at}method": ""},
            then=F(f"{at}method_last4"),
        ),
        default=Concat(name, Value(" "), F(f"{at}method_last4")),
        output_field=TextField(),
    )


# ------------------------------------------------------------------------------ masks
def masked_name(value: Combinable) -> Combinable:
    """Its first letter."""
    return _unless_empty(value, Concat(Left(value, 1), Value(HIDDEN)))


def masked_email(value: Combinable) -> Combinable:
    """Its first letter and where the post goes: a•••@example.com."""
    at = StrIndex(value, Value("@"))
    host = Case(When(GreaterThan(at, 0), then=Substr(value, at)), default=NOTHING)
    return _unless_empty(
        value, Concat(Left(value, 1), Value(HIDDEN), host, output_field=TextField())
    )


def masked_phone(value: Combinable) -> Combinable:
    """Its last two digits."""
    return _unless_empty(value, Concat(Value(HIDDEN), Right(value, 2)))


def _unless_empty(value: Combinable, masked: Combinable) -> Combinable:
    return Case(
        When(Exact(value, NOTHING), then=NOTHING),
        default=masked,
        output_field=TextField(),
    )


def translated(name: str, words: Mapping[Any, str]) -> Combinable:
    """A field's word in other words."""
    cases = [When(**{name: ours}, then=Value(theirs)) for ours, theirs in words.items()]
    return Case(*cases, default=F(name), output_field=TextField())
