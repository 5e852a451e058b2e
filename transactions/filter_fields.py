"""The names that a list of transactions can be filtered by, and how each narrows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from merchant.providers import CHOICES as PROVIDERS
from transactions import filter_values as values
from transactions.filter_values import Scope
from transactions.models import Customer, Dispute, LineItem, Product
from transactions.nearest import Sold
from transactions.statuses import DisputeStatus, FulfilmentStatus, Status


@dataclass(frozen=True, slots=True)
class Field:
    """One name of the filter. `narrow` gets every value of it that was given."""

    label: str
    read: values.Reader
    narrow: Callable[[list[Any], Scope], Q]
    show: Callable[[Any], str] | None = None  # None: as it was typed
    several: bool = True
    splits: bool = True  # at commas
    is_amount: bool = False  # shown in the currency that is asked for, if it is one


# ------------------------------------------------------------------ how names narrow
def _among(column: str) -> Callable[[list[Any], Scope], Q]:
    return lambda wanted, scope: Q(**{f"{column}__in": wanted})


def _first_of(lookup: str) -> Callable[[list[Any], Scope], Q]:
    return lambda wanted, scope: Q(**{lookup: wanted[0]})


def _whatever_case(column: str) -> Callable[[list[Any], Scope], Q]:
    def narrow(wanted: list[str], scope: Scope) -> Q:
        return _either(Q(**{f"{column}__iexact": value}) for value in wanted)

    return narrow


def _customers(wanted: list[str], scope: Scope) -> Q:
    """By our id, by the merchant's or provider's own id of the person, or by e-mail."""
    ids = {id for value in wanted if (id := values.as_uuid(value))}
    keys = {spelling for value in wanted for spelling in (value, value.lower())}
    known = Customer.objects.filter(project_id__in=scope.project_ids)
    # Asked beforehand: a subquery in an OR would keep both indexes from being used.
    found = known.filter(Q(pk__in=ids) | Q(key__in=keys)).values_list("pk", flat=True)
    emails = (Q(customer_email__iexact=value) for value in wanted if "@" in value)
    return _either([Q(customer_id__in=list(found)), *emails])


def _products(wanted: list[str], scope: Scope) -> Q:
    """By name, our id, or the provider's id or sku: takes all products of that name."""
    found = {id for value in wanted for id in products_called(value, scope)}
    items = LineItem.objects.filter(transaction=OuterRef("pk"), product_id__in=found)
    # An item carries its purchase's time, so that one index answers product and date.
    items = items.filter(created=OuterRef("created"))
    if scope.since:
        items = items.filter(created__gte=scope.since)
    if scope.until:
        items = items.filter(created__lt=scope.until)
    return Q(Sold(items, found))


def products_called(value: str, scope: Scope) -> list[UUID]:
    """The products of this name, id or sku, and every other of the same name."""
    found = _products_named([value], scope)
    if not found and "," in value:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        found = _products_named(parts, scope)
    return found


def _products_named(names: list[str], scope: Scope) -> list[UUID]:
    products = Product.objects.filter(project_id__in=scope.project_ids)
    ids = [id for name in names if (id := values.as_uuid(name))]
    meant = products.filter(Q(name__in=names) | Q(key__in=names) | Q(pk__in=ids))
    same_name = products.filter(name__in=meant.values("name"))
    return list(same_name.values_list("pk", flat=True)) or _sold_as(names, scope)


def _sold_as(skus: list[str], scope: Scope) -> list[UUID]:
    """Products whose provider has an id of its own beside the sku."""
    items = LineItem.objects.filter(project_id__in=scope.project_ids, sku__in=skus)
    products = Product.objects.filter(project_id__in=scope.project_ids)
    names = products.filter(pk__in=items.values("product")).values("name")
    return list(products.filter(name__in=names).values_list("pk", flat=True))


def _either(conditions: Iterable[Q]) -> Q:
    every = Q()
    for condition in conditions:
        every |= condition
    return every


def _disputes(wanted: list[str], scope: Scope) -> Q:
    disputes = Dispute.objects.filter(transaction=OuterRef("pk"), status__in=wanted)
    if DisputeStatus.WON in wanted:
        return Q(Exists(disputes))
    # So much is certain of the purchase, and there is an index of that.
    known = {status for word in wanted for status in STATUS_UNDER[word]}
    return Q(Exists(disputes), status__in=sorted(known))


#: What a purchase can be while a dispute is open, or after one was lost.
STATUS_UNDER: dict[str, tuple[Status, ...]] = {
    DisputeStatus.OPEN: (Status.DISPUTED, Status.CHARGED_BACK),
    DisputeStatus.LOST: (Status.CHARGED_BACK,),
}


#: How sure an amount is: the provider said so, a member took it on, or neither.
SURENESS = {
    "true": Q(verified=True),
    "accepted": Q(verified=False, accepted__isnull=False),
    "false": Q(verified=False, accepted__isnull=True),
}
SURE_WORDS = (("true", "Yes"), ("accepted", "Accepted by hand"), ("false", "No"))


def _sureness(wanted: list[str], scope: Scope) -> Q:
    return _either(SURENESS[word] for word in wanted)


def _yes_no(value: bool) -> str:
    return "Yes" if value else "No"


# -------------------------------------------------------------------------- the names
def _named(choices: Sequence[tuple[str, Any]]) -> Callable[[Any], str]:
    labels = {value: str(label) for value, label in choices}
    return lambda value: labels[value]


FIELDS: dict[str, Field] = {
    "project": Field(
        "Project",
        values.project,
        lambda wanted, scope: Q(project_id__in=[project.pk for project in wanted]),
        lambda project: project.name,
    ),
    "livemode": Field(
        "Mode",
        values.yes_or_no("live", "test"),
        _first_of("livemode"),
        lambda live: "Live" if live else "Test",
        several=False,
    ),
    "status": Field(
        "Status",
        values.one_of(Status.values),
        _among("status"),
        _named(Status.choices),
    ),
    "provider": Field(
        "Provider",
        values.one_of([slug for slug, _ in PROVIDERS]),
        _among("provider"),
        _named(PROVIDERS),
    ),
    "product": Field("Product", values.plain_text, _products, splits=False),
    "currency": Field("Currency", values.currency, _among("currency"), str.upper),
    "amount[gte]": Field(
        "Amount from",
        values.minor_units,
        _first_of("amount__gte"),
        "{:,} minor units".format,
        several=False,
        is_amount=True,
    ),
    "amount[lte]": Field(
        "Amount up to",
        values.minor_units,
        _first_of("amount__lte"),
        "{:,} minor units".format,
        several=False,
        is_amount=True,
    ),
    "amount[eq]": Field(
        "Amount",
        values.minor_units,
        _among("amount"),
        "{:,} minor units".format,
        is_amount=True,
    ),
    "method": Field("Method", values.plain_text, _whatever_case("method")),
    "brand": Field("Brand", values.plain_text, _whatever_case("method_brand")),
    "country": Field("Country", values.country, _among("customer_country")),
    "customer": Field("Customer", values.plain_text, _customers),
    "created[gte]": Field(
        "Created from", values.moment, _first_of("created__gte"), several=False
    ),
    "created[lt]": Field(
        "Created before", values.moment, _first_of("created__lt"), several=False
    ),
    "paid[gte]": Field(
        "Paid from", values.moment, _first_of("paid__gte"), several=False
    ),
    "paid[lt]": Field(
        "Paid before", values.moment, _first_of("paid__lt"), several=False
    ),
    "fulfilment": Field(
        "Fulfilment",
        values.one_of(FulfilmentStatus.values),
        _among("fulfilment"),
        _named(FulfilmentStatus.choices),
    ),
    "refund_pending": Field(
        "Refund on its way",
        values.yes_or_no(),
        _first_of("refund_pending"),
        _yes_no,
        several=False,
    ),
    "dispute": Field(
        "Dispute",
        values.one_of(DisputeStatus.values),
        _disputes,
        _named(DisputeStatus.choices),
    ),
    "verified": Field(
        "Amount confirmed", values.one_of(list(SURENESS)), _sureness, _named(SURE_WORDS)
    ),
    "noted": Field(
        "Notes", values.yes_or_no(), _first_of("noted"), _yes_no, several=False
    ),
    "q": Field(
        "Search",
        values.plain_text,
        lambda wanted, scope: Q(),
        several=False,
        splits=False,
    ),
}
#: The first part of the names with brackets: whatever else stands in them is a mistake.
ROOTS = {name.partition("[")[0] for name in FIELDS}
