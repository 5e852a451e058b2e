"""Two merchants in one house: every address, every role, and never the other's things.

ROUTES says for each address of the product who gets what. An address that has no line
in it fails the tests, so that a new page is judged before it is opened.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.conf import settings
from django.core import signing
from django.db import models
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from merchant import audit
from merchant.access import ROLES
from merchant.models import Member, Merchant, Project
from tests.conftest import client_of
from tests.factories import (
    make_api_key,
    make_connection,
    make_dispute,
    make_inbound_event,
    make_item,
    make_member,
    make_merchant,
    make_project,
    make_refund,
    make_transaction,
)
from tests.transactions.api_client import key_client
from tests.webhooks import outbound
from transactions import paging
from transactions.models import (
    BulkAction,
    BulkItem,
    Customer,
    DeliveryItem,
    Export,
    ExportPreset,
    ExportSchedule,
    LookUp,
    Note,
    Payout,
    ProviderReference,
    SavedView,
    Subscription,
    TimelineEntry,
    Transaction,
    TransactionAlias,
)
from webhooks.models import Delivery, Event, Refusal, Resend

pytestmark = pytest.mark.django_db

EVERYBODY = frozenset(ROLES)
DEVELOPERS = frozenset({"owner", "admin", "developer"})
EXPORTERS = frozenset({"owner", "admin", "finance", "support"})
OWNERS = frozenset({"owner", "admin"})
FULFILLERS = frozenset({"owner", "admin", "support"})
#: Who writes notes: one of somebody else's is not theirs to change, whatever the role.
WRITERS = frozenset({"owner", "admin", "finance", "support", "developer"})
CLEARERS = WRITERS - {"developer"}
ACCEPTS = frozenset({"owner", "admin", "finance"})
REFUNDERS = ACCEPTS | {"support"}
NOBODY: frozenset[str] = frozenset()

READ, WRITE, FORM = "GET", "POST", "GET POST PUT"
ALL = ("GET", "POST", "PUT", "PATCH", "DELETE")
LOGIN = 302


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets what at one address.

    `methods` are answered, all others are 405. `roles` may use it with an id of their
    own, others read 403. The rest are statuses: `own` what a role that may gets,
    `stranger` a member of another merchant (or of another project) with any id of
    ours, `visitor` who is not signed in, `key` an API key of another project, which
    gets `posted` where it posts nothing.
    """

    methods: str
    roles: frozenset[str] = EVERYBODY
    own: tuple[int, ...] = (200,)
    stranger: tuple[int, ...] = (200,)
    visitor: int = LOGIN
    key: int = LOGIN
    posted: int = 0
    id: str = ""
    form: dict[str, str] = field(default_factory=dict)


OPEN = {"visitor": 200, "key": 200}
API = {"roles": NOBODY, "own": (401,), "stranger": (401,), "visitor": 401}
#: Asks for the password before it does anything.
GRAVE: dict[str, Any] = {"own": (302,), "stranger": (404,), "id": "connection"}
#: Somebody else's own view: nobody's but theirs, whatever the role.
OTHERS = {"own": (404,), "stranger": (404,)}

ROUTES = {
    "": Route(READ),
    "login/": Route(FORM, own=(302,), stranger=(302,), **OPEN),
    "logout/": Route("GET POST", own=(200, 302), stranger=(200, 302)),
    "inactive/": Route(READ, **OPEN),
    "again/": Route(FORM),
    "password/change/": Route(FORM),
    "password/reset/": Route(FORM, **OPEN),
    "password/reset/done/": Route(READ, **OPEN),
    "password/reset/key/<uidb36>-<key>/": Route(" ".join(ALL), **OPEN),
    "password/reset/key/done/": Route(READ, **OPEN),
    "theme/": Route(WRITE, own=(302,), stranger=(302,)),
    "shortcuts/": Route(WRITE, own=(302,), stranger=(302,)),
    "merchant/": Route(WRITE, own=(302,), stranger=(302,)),
    "connections/": Route(READ, DEVELOPERS),
    "connections/new/": Route(READ, DEVELOPERS),
    "connections/new/<provider>/": Route(
        "GET POST", DEVELOPERS, own=(302,), stranger=(302,)
    ),
    "connections/<id>/": Route(READ, DEVELOPERS, stranger=(404,), id="connection"),
    "connections/<id>/heard/": Route(
        READ, DEVELOPERS, stranger=(404,), id="connection"
    ),
    "connections/<id>/edit/": Route("GET POST", DEVELOPERS, **GRAVE),
    "connections/<id>/keys/": Route("GET POST", DEVELOPERS, **GRAVE),
    "connections/<id>/close/": Route("GET POST", DEVELOPERS, **GRAVE),
    "connections/<id>/key/": Route("GET POST", DEVELOPERS, **GRAVE),
    "connections/<id>/token/": Route(
        "GET POST", DEVELOPERS, own=(404,), stranger=(404,), id="connection"
    ),
    "connections/<id>/poll/": Route(
        WRITE, DEVELOPERS, own=(302,), stranger=(404,), id="connection"
    ),
    "connections/keys/<id>/end/": Route(
        "GET POST", DEVELOPERS, **GRAVE | {"id": "secret"}
    ),
    "projects/": Route(READ, OWNERS),
    "projects/new/": Route(
        "GET POST", OWNERS, own=(200, 422), stranger=(200, 404, 422)
    ),
    "projects/<id>/": Route(
        "GET POST", OWNERS, own=(200, 422), stranger=(404,), id="project"
    ),
    "inbound/": Route(READ, DEVELOPERS),
    "inbound/refused/": Route(READ, DEVELOPERS),
    "inbound/<id>/": Route(READ, DEVELOPERS, stranger=(404,), id="inbound"),
    "inbound/<id>/body/": Route(READ, DEVELOPERS, stranger=(404,), id="inbound"),
    "inbound/<id>/read-again/": Route(
        WRITE, DEVELOPERS, own=(302,), stranger=(404,), id="inbound"
    ),
    "inbound/<id>/accept/": Route(
        WRITE, DEVELOPERS, own=(302, 409), stranger=(404,), id="refused"
    ),
    "events/": Route(READ, DEVELOPERS),
    "events/<key>/": Route(READ, DEVELOPERS, stranger=(404,), id="event"),
    "deliveries/": Route(READ, DEVELOPERS, stranger=(200, 422)),
    "deliveries/charts/": Route(READ, DEVELOPERS),
    "deliveries/resend/": Route(
        "GET POST", DEVELOPERS, own=(200, 422), stranger=(200, 422)
    ),
    "deliveries/resends/": Route(READ, DEVELOPERS),
    "deliveries/resends/<id>/": Route(
        READ, DEVELOPERS, stranger=(404,), id="resend_run"
    ),
    "deliveries/resends/<id>/cancel/": Route(
        WRITE, DEVELOPERS, own=(302,), stranger=(404,), id="resend_run"
    ),
    "deliveries/<id>/resend/": Route(
        WRITE, DEVELOPERS, own=(302,), stranger=(404,), id="delivery"
    ),
    "events/<key>/send/": Route(
        WRITE, DEVELOPERS, own=(404,), stranger=(404,), id="event"
    ),
    "deliveries/<id>/": Route(READ, DEVELOPERS, stranger=(404,), id="delivery"),
    "webhooks/": Route(READ, DEVELOPERS),
    "webhooks/new/": Route("GET POST", DEVELOPERS, own=(302, 422), stranger=(302, 422)),
    "webhooks/proved/": Route(READ, DEVELOPERS),
    "webhooks/samples/<name>/": Route(READ, DEVELOPERS),
    "webhooks/<id>/": Route(READ, DEVELOPERS, stranger=(404,), id="endpoint"),
    "webhooks/<id>/edit/": Route(
        "GET POST", DEVELOPERS, own=(200, 422), stranger=(404,), id="endpoint"
    ),
    "webhooks/<id>/secret/": Route(
        WRITE, DEVELOPERS, own=(302,), stranger=(404,), id="endpoint"
    ),
    "webhooks/<id>/roll/": Route(
        WRITE, DEVELOPERS, own=(302,), stranger=(404,), id="endpoint"
    ),
    "webhooks/<id>/pause/": Route(
        WRITE, DEVELOPERS, own=(302,), stranger=(404,), id="endpoint"
    ),
    "webhooks/<id>/enable/": Route(
        WRITE, DEVELOPERS, own=(302,), stranger=(404,), id="endpoint"
    ),
    "webhooks/<id>/catch-up/": Route(
        "GET POST", DEVELOPERS, own=(200, 422), stranger=(404,), id="endpoint"
    ),
    "webhooks/<id>/test/": Route(
        WRITE, DEVELOPERS, own=(302, 409), stranger=(404,), id="endpoint"
    ),
    "webhooks/<id>/check/": Route(
        "GET POST", DEVELOPERS, own=(200, 409), stranger=(404,), id="endpoint"
    ),
    "webhooks/<id>/code/": Route(READ, DEVELOPERS, stranger=(404,), id="endpoint"),
    "webhooks/<id>/delete/": Route(
        "GET POST", DEVELOPERS, own=(200, 302), stranger=(404,), id="endpoint"
    ),
    "transactions/": Route(READ),
    "transactions/new/": Route(READ, own=(204,), stranger=(204,)),
    "transactions/totals/": Route(READ),
    "transactions/layout/": Route("GET POST", own=(200, 422), stranger=(200, 422)),
    "transactions/views/": Route("GET POST", own=(200, 422), stranger=(200, 422)),
    "transactions/views/<id>/rename/": Route(WRITE, id="view", **OTHERS),
    "transactions/views/<id>/change/": Route(WRITE, id="view", **OTHERS),
    "transactions/views/<id>/share/": Route(WRITE, id="view", **OTHERS),
    "transactions/views/<id>/default/": Route(WRITE, id="view", **OTHERS),
    "transactions/views/<id>/delete/": Route(WRITE, id="view", **OTHERS),
    "transactions/<id>/": Route(READ, stranger=(404,), id="transaction"),
    "v1/refunds": Route("GET POST", key=200, posted=415, **API),
    "v1/refunds/<id>": Route(READ, key=404, id="refund", **API),
    "transactions/<id>/fulfilment/<act>/": Route(
        WRITE, FULFILLERS, own=(302, 409), stranger=(404,), id="transaction"
    ),
    "transactions/<id>/refund/": Route(
        "GET POST", REFUNDERS, own=(200, 422), stranger=(404,), id="transaction"
    ),
    "refunds/": Route(READ),
    "refunds/limits/": Route(READ, OWNERS),
    "refunds/limits/<id>/": Route(
        WRITE, OWNERS, own=(422,), stranger=(404,), id="project"
    ),
    "refunds/<id>/": Route(READ, stranger=(404,), id="refund"),
    "refunds/<id>/approve/": Route(
        WRITE, ACCEPTS, own=(302,), stranger=(404,), id="refund"
    ),
    "refunds/<id>/decline/": Route(
        WRITE, ACCEPTS, own=(422,), stranger=(404,), id="refund"
    ),
    "refunds/<id>/cancel/": Route(
        WRITE, REFUNDERS, own=(422,), stranger=(404,), id="refund"
    ),
    "refunds/<id>/give-up/": Route(
        WRITE, ACCEPTS, own=(422,), stranger=(404,), id="refund"
    ),
    "disputes/": Route(READ),
    "payouts/": Route(READ),
    "payouts/<id>/": Route(READ, stranger=(404,), id="payout"),
    "transactions/<id>/acceptance/": Route(
        WRITE, ACCEPTS, own=(302, 409), stranger=(404,), id="transaction"
    ),
    "fulfilment/": Route(READ),
    "transactions/<id>/notes/": Route(
        WRITE, WRITERS, own=(422,), stranger=(404,), id="transaction"
    ),
    "notes/<id>/edit/": Route(
        "GET POST", WRITERS, own=(422,), stranger=(404,), id="note"
    ),
    "notes/<id>/remove/": Route(WRITE, WRITERS, own=(422,), stranger=(404,), id="note"),
    "customers/<id>/flag/": Route(
        "GET POST", CLEARERS, own=(200, 422), stranger=(404,), id="customer"
    ),
    "transactions/bulk/": Route(WRITE, own=(422,), stranger=(422,)),
    "bulk/": Route(READ),
    "bulk/<id>/": Route(READ, stranger=(404,), id="bulk"),
    "bulk/<id>/start/": Route(
        WRITE, EXPORTERS, own=(302, 403), stranger=(404,), id="bulk"
    ),
    "bulk/<id>/cancel/": Route(
        WRITE, EXPORTERS, own=(302, 403), stranger=(404,), id="bulk"
    ),
    "bulk/<id>/undo/": Route(
        WRITE, EXPORTERS, own=(302, 403), stranger=(404,), id="bulk"
    ),
    "exports/": Route(READ, EXPORTERS),
    "exports/new/": Route("GET POST", EXPORTERS, own=(200, 422), stranger=(200, 422)),
    "exports/columns/<id>/delete/": Route(
        WRITE, EXPORTERS, own=(302,), stranger=(302,), id="preset"
    ),
    "exports/schedules/": Route(READ, EXPORTERS),
    "exports/schedules/new/": Route(
        "GET POST", EXPORTERS, own=(200, 422), stranger=(200, 422)
    ),
    "exports/schedules/<id>/": Route(
        "GET POST", EXPORTERS, own=(200, 422), stranger=(404,), id="schedule"
    ),
    "exports/schedules/<id>/pause/": Route(
        WRITE, EXPORTERS, own=(302,), stranger=(404,), id="schedule"
    ),
    "exports/schedules/<id>/resume/": Route(
        WRITE, EXPORTERS, own=(302,), stranger=(404,), id="schedule"
    ),
    "exports/schedules/<id>/delete/": Route(
        WRITE, EXPORTERS, own=(302,), stranger=(404,), id="schedule"
    ),
    "exports/<id>/": Route(READ, EXPORTERS, stranger=(404,), id="export"),
    "exports/<id>/file/": Route(
        READ, EXPORTERS, own=(410,), stranger=(404,), id="export"
    ),
    "exports/<id>/receipt/": Route(READ, EXPORTERS, stranger=(404,), id="export"),
    "exports/<id>/cancel/": Route(
        WRITE, EXPORTERS, own=(302,), stranger=(404,), id="export"
    ),
    "exports/<id>/again/": Route(
        WRITE, EXPORTERS, own=(302,), stranger=(404,), id="export"
    ),
    "exports/<id>/delete/": Route(
        WRITE, EXPORTERS, own=(302,), stranger=(404,), id="export"
    ),
    "transactions/<id>/receipt.pdf": Route(
        READ, EXPORTERS, stranger=(404,), id="transaction"
    ),
    "v1/exports": Route("POST", key=415, **API),
    "v1/exports/<id>": Route(READ, key=404, id="export", **API),
    "v1/exports/<id>/file": Route(READ, key=404, id="export", **API),
    "customers/": Route(READ),
    "customers/<id>/": Route(READ, stranger=(404,), id="customer"),
    "products/": Route(READ),
    "products/<id>/": Route(READ, stranger=(404,), id="product"),
    "products/<id>/rule/": Route(READ, stranger=(404,), id="product"),
    "products/<id>/rule/set/": Route(
        WRITE, OWNERS, own=(422,), stranger=(404,), id="product"
    ),
    "products/rules/<id>/": Route(READ, stranger=(404,), id="project"),
    "products/rules/<id>/set/": Route(
        WRITE, OWNERS, own=(422,), stranger=(404,), id="project"
    ),
    "v1/transactions": Route(READ, key=200, **API),
    "v1/transactions/<id>": Route("GET POST", key=404, id="transaction", **API),
    "v1/purchases/<id>": Route(READ, key=404, id="transaction", **API),
    "v1/webhook_endpoints": Route("GET POST", key=200, posted=415, **API),
    "v1/webhook_endpoints/<id>": Route(
        "GET POST DELETE", key=404, id="transaction", **API
    ),
    "v1/stores/<store>/webhooks": Route("GET POST", key=404, **API),
    "v1/stores/<store>/webhooks/resend": Route(WRITE, key=404, **API),
    "v1/stores/<store>/webhooks/variables": Route(READ, key=404, **API),
    "v1/stores/<store>/webhooks/<id>": Route(
        "PATCH DELETE", key=404, id="transaction", **API
    ),
    "v1/stores/<store>/webhooks/<id>/history": Route(
        READ, key=404, id="transaction", **API
    ),
    "v1/events": Route(READ, key=200, **API),
    "v1/events/<id>": Route(READ, key=404, id="transaction", **API),
    "metrics": Route(READ, key=200, **API),
    "v1/openapi.json": Route(READ, **OPEN),
    "v1/docs": Route(READ, **OPEN),
    "v1/<rest>": Route(
        " ".join(ALL), NOBODY, own=(404,), stranger=(404,), visitor=404, key=404
    ),
}


# ------------------------------------------------------------------------- addresses
def addresses(patterns: list[Any], before: str = "") -> Iterator[str]:
    """Every address as ROUTES writes it: without the types of its parts."""
    for pattern in patterns:
        address = before + plain(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, address)
        else:
            assert isinstance(pattern, URLPattern)
            yield address


def plain(pattern: str) -> str:
    known = re.sub(r"<\w+:(\w+)>", r"<\1>", pattern)
    known = re.sub(r"\(\?P(<\w+>)[^)]*\)", r"\1", known)
    return known.replace("(?:/.*)?", "/<rest>").strip("^$")


def url(address: str, id: object) -> str:
    known = address.replace("<uidb36>-<key>", "1-set-password")
    known = known.replace("<rest>", "nothing").replace("<act>", "done")
    known = known.replace("<name>", "payment.success")
    known = known.replace("<store>", "qxours-shop")
    known = known.replace("<provider>", "stripe")
    return "/" + known.replace("<id>", str(id)).replace("<key>", str(id))


def ids_at(address: str, house: House) -> set[str]:
    """Every id of the house that could be put into the address."""
    if "<key>" in address and "<uidb36>" not in address:
        return {str(house.ids["event"])}
    if "<id>" not in address:
        return {""}
    if address.startswith("deliveries/resends/"):
        return {str(house.ids["resend_run"])}
    if address.startswith("deliveries/"):
        return {str(house.ids["delivery"])}
    if address.startswith("webhooks/"):
        return {str(house.ids["endpoint"])}
    return house.every_id


def own_id(address: str, house: House) -> str:
    """The id of the house that belongs into the address."""
    return str(house.ids.get(ROUTES[address].id, ""))


def call(client: Client, method: str, path: str, form: dict[str, str] | None = None):  # noqa: ANN201
    send = getattr(client, method.lower())
    return send(path, form or {}) if method in {"GET", "POST"} else send(path)


# ----------------------------------------------------------------- a house full of it
@dataclass(frozen=True, slots=True)
class House:
    """One merchant with one row of everything, each text of it starting with `mark`."""

    mark: str
    merchant: Merchant
    project: Project
    ids: dict[str, Any]

    @property
    def every_id(self) -> set[str]:
        return {str(id) for id in self.ids.values() if isinstance(id, UUID)}

    def member(self, role: str = "owner", **over: Any) -> Member:
        return make_member(role, merchant=self.merchant, **over)


def full_house(mark: str) -> House:
    merchant = make_merchant(name=f"{mark} games")
    project = make_project(merchant=merchant, name=f"{mark} shop", slug=f"{mark}-shop")
    connection = make_connection("stripe", project=project, account=f"{mark}-acct")
    now = timezone.now()
    customer = Customer.objects.create(project=project, key=f"{mark}@example.com")
    sale = make_transaction(connection=connection, customer=customer)
    body = json.dumps({"note": f"{mark} body"}).encode()
    inbound = make_inbound_event(connection=connection, body=body, state="done")
    refused = make_inbound_event(connection=connection, body=body, state="refused")
    item = make_item(sale, f"{mark} sword", product_key=f"{mark}-product")
    about = {"transaction": sale, "provider_id": f"{mark}-1", "created": now}
    refund = make_refund(sale, provider_id=f"{mark}-1", status="pending", amount=1)
    dispute = make_dispute(status="open", amount=1, currency="eur", **about)
    DeliveryItem.objects.create(status="added", **about)
    ProviderReference.objects.create(
        project=project, kind="stripe.charge", reference="x", transaction=sale
    )
    TimelineEntry.objects.create(
        connection=connection, identity="1", transaction=sale, inbound=inbound,
        source="webhook", topic="payment", object_kind="charge", object_id="x",
        status="paid", at=now, says={"money": [0, [1, "eur"]]},
    )  # fmt: skip
    beside = {"project": project, "connection": connection, "created": now}
    Subscription.objects.create(kind="trial", status="active", **beside)
    payout = Payout.objects.create(status="paid", **beside)
    LookUp.objects.create(
        connection=connection, kind="event", want="x", transaction=sale,
        state="needs_key",
    )  # fmt: skip
    Refusal.objects.create(connection=connection, code="mismatch", hour=now)
    alias = TransactionAlias.objects.create(id=uuid4(), transaction=sale)
    make_api_key(project)
    owner = make_member("owner", merchant=merchant)
    audit.note(owner, "connection.opened", connection)
    bulk = BulkAction.objects.create(
        merchant=merchant, member=owner, act="fulfil", state="done", started=now,
        finished=now, shown_at=now, wanted=1, found=1, ready=1, done=1,
    )  # fmt: skip
    BulkItem.objects.create(bulk=bulk, transaction=sale, state="done")
    view = SavedView.objects.create(merchant=merchant, member=owner)
    note = Note.objects.create(transaction=sale)
    event = outbound.event(project, subject=sale.pk)
    delivery = outbound.exhausted(event, outbound.endpoint(project))
    resend_run = Resend.objects.create(
        merchant=merchant, project=project, what="failed", since=now,
        endpoint=delivery.endpoint,
    )  # fmt: skip
    made = {"merchant": merchant, "member": owner, "format": "csv", "style": "people"}
    of = {"listing": "transactions", "table": "transactions"}
    export = Export.objects.create(
        state="ready", whole=True, receipt={}, expires=now + timedelta(days=1),
        **made, **of,
    )  # fmt: skip
    schedule = ExportSchedule.objects.create(every="day", since=now, **made, **of)
    preset = ExportPreset.objects.create(member=owner, table="transactions")
    for model in THINGS:
        stamp(model, mark)
    rows = {
        "merchant": merchant, "project": project, "connection": connection,
        "transaction": sale, "alias": alias, "inbound": inbound, "refused": refused,
        "customer": customer, "product": item.product, "item": item,
        "refund": refund, "dispute": dispute, "payout": payout, "member": owner,
        "bulk": bulk, "view": view, "note": note, "delivery": delivery,
        "endpoint": delivery.endpoint, "secret": connection.secrets.get(),
        "export": export, "schedule": schedule, "preset": preset,
        "resend_run": resend_run,
    }  # fmt: skip
    ids = {name: row.pk for name, row in rows.items()}
    event.refresh_from_db()
    return House(mark, merchant, project, ids | {"event": event.key})


THINGS = [*apps.get_app_config("webhooks").get_models()]
THINGS += apps.get_app_config("transactions").get_models()

#: Columns that hold codes and keys, or a shape of their own.
KEPT = {
    "currency", "customer_country", "method_last4", "fingerprint", "says",
    "sealed_headers", "listing", "table", "time_zone", "measure", "period_by",
}  # fmt: skip
#: Their names are a contract: an event of any other name cannot be told.
NAMED = {Delivery, Event}
SHAPES: dict[str, Any] = {
    "customer_details": lambda mark: {
        "ip": "203.0.113.9",
        "locale": mark,
        "address": {"line1": f"{mark} street", "country": "SI"},
        "identities": {"steam": {"id": mark, "name": mark}},
    },
    "columns": lambda mark: ["id"],
    "details": lambda mark: {"account": mark, "callbacks": {"success": mark}},
    "payload": lambda mark: {"object": {"id": mark, "object": "transaction"}},
    "events": lambda mark: [],
    "forecast": lambda mark: [
        {"reason": mark, "currency": "eur", "count": 1, "amount": 1}
    ],
    "outcome": lambda mark: [[mark, 1]],
    "settlement": lambda mark: {
        "currency": "eur",
        "amount": 1,
        "fee": 0,
        "net": 1,
        "exchange_rate": mark,
    },
}


def stamp(model: type[models.Model], mark: str) -> None:
    """Writes the mark into every text column of the rows that have none yet."""
    for row in model.objects.all():
        for column in model._meta.concrete_fields:
            if column.name in KEPT or column.choices or column.primary_key:
                continue
            if column.name == "name" and model in NAMED:
                continue
            if "q" + "x" in str(getattr(row, column.attname)):
                continue
            if isinstance(column, models.JSONField):
                shape = SHAPES.get(column.name, lambda mark: {"key": f"{mark} value"})
                setattr(row, column.name, shape(mark))
            elif isinstance(column, models.CharField | models.TextField):
                text = f"{mark}-{column.name}-{row.pk}"
                setattr(row, column.name, text[: column.max_length])
        row.save()


@pytest.fixture
def ours() -> House:
    return full_house("qxours")


@pytest.fixture
def theirs(ours: House) -> House:
    return full_house("qxtheirs")


def clean(response: HttpResponse, house: House, asked: str = "") -> None:
    """Nothing of the house is in the answer, but what was asked for by name."""
    shown = b"".join(response) if response.streaming else response.content
    text = shown.decode() + str(dict(response.headers)) + response.cookies.output()
    for typed in filter(None, [asked]):
        text = text.replace(typed, "")
    assert house.mark not in text
    for name in ("connection", "refund", "dispute", "payout", "item", "member"):
        if str(house.ids[name]) not in asked:
            assert str(house.ids[name]) not in text


# ---------------------------------------------------------------------------- tests
def test_every_address_has_a_line_in_the_table() -> None:
    found = set(addresses(get_resolver("merchant.urls").url_patterns))
    assert found == set(ROUTES)


def test_other_methods_are_not_answered(ours: House) -> None:
    member, key = client_of(ours.member()), key_client(ours.project)
    for address, route in ROUTES.items():
        people = Client() if route.visitor == 200 else member
        asks = people if route.roles else key
        for method in set(ALL) - set(route.methods.split()):
            path = url(address, ours.ids.get(route.id, ""))
            assert call(asks, method, path).status_code == 405, (method, path)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_the_table_says(ours: House, role: str) -> None:
    member = ours.member(role)
    client = client_of(member)
    for address, route in ROUTES.items():
        for method in route.methods.split():
            path = url(address, own_id(address, ours))
            status = call(client, method, path).status_code
            may = role in route.roles or not route.roles
            assert status in (route.own if may else (403,)), (method, path)
            if address == "logout/":
                client = client_of(member)


@pytest.mark.parametrize("role", ROLES)
def test_a_stranger_gets_nothing_of_ours(ours: House, theirs: House, role: str) -> None:
    """A member of another merchant, and one of another project of this merchant.

    An owner may open every page: theirs try every id that we have. Other roles try the
    one that belongs there, which is refused or not found for each of them.
    """
    elsewhere = make_project(merchant=ours.merchant, name="Other", slug="other")
    before = everything(ours)
    strangers = [theirs.member(role), ours.member(role, projects=[elsewhere])]
    for member in strangers if role == "owner" else strangers[:1]:
        client = client_of(member)
        for address, route in ROUTES.items():
            if address == "logout/":
                continue
            may = role in route.roles or not route.roles
            wanted = route.stranger if may else (403,)
            own = own_id(address, ours)
            for id in ids_at(address, ours) if role == "owner" else [own]:
                for method in route.methods.split():
                    answer = call(client, method, url(address, id))
                    assert answer.status_code in wanted, (method, address)
                    if member.merchant_id != ours.merchant.pk:
                        clean(answer, ours, str(id))
    assert everything(ours) == before


def test_a_visitor_and_a_foreign_key_get_nothing(ours: House, theirs: House) -> None:
    """A key opens the API only, where it tries every id that we have."""
    key = key_client(theirs.project, "read", "write", "refund")
    before = everything(ours)
    for address, route in ROUTES.items():
        own = own_id(address, ours)
        for id in ids_at(address, ours) if address.startswith("v1/") else [own]:
            for method in route.methods.split():
                told = (route.posted if method == "POST" else 0) or route.key
                for client, wanted in ((Client(), route.visitor), (key, told)):
                    answer = call(client, method, url(address, id))
                    assert answer.status_code == wanted, (method, address)
                    if wanted == LOGIN and address not in OPEN_FORMS:
                        assert answer["Location"].startswith(("/login/", "/transac"))
                    clean(answer, ours, str(id))
    assert everything(ours) == before


OPEN_FORMS = {"theme/", "shortcuts/"}


def everything(house: House) -> list[Any]:
    """All rows of the house's ledger and post room, as they stand."""
    mine = {Project: {"merchant": house.merchant}, Merchant: {"pk": house.merchant.pk}}
    rows: list[Any] = []
    for model in [*THINGS, Project, Merchant]:
        found = model.objects.filter(**mine.get(model, {})).order_by("pk").values()
        rows += [row for row in found if house.mark in str(row)]
    return rows


def queries(house: House) -> Iterator[str]:
    """What could be typed to reach into a house: its ids, names and texts."""
    for row in Transaction.objects.filter(merchant=house.merchant):
        yield from (str(row.pk), row.provider_id, row.customer_email)
        yield from (row.order_reference, row.customer_name, row.description)
    yield from house.every_id
    yield from ("x", f"{house.mark} value", f"{house.mark} sword", house.project.slug)


NAMES = ("q", "project", "product", "customer", "connection", "type", "method")
#: page -> the names that it reads; the first text is tried with all the others, too.
LISTS = {
    "/": ("project",),
    "/transactions/": NAMES,
    "/inbound/": ("project", "connection", "type"),
    "/inbound/refused/": ("connection",),
}


def test_no_filter_and_no_search_reaches_across(ours: House, theirs: House) -> None:
    client, key = client_of(theirs.member()), key_client(theirs.project)
    for turn, typed in enumerate(dict.fromkeys(queries(ours))):
        for name in NAMES:
            for path in [path for path in LISTS if not turn or name in LISTS[path]]:
                asked = {name: typed, "livemode": "true"}
                answer = client.get(path, asked, headers={"hx-request": "true"})
                assert answer.status_code in {200, 422}, (path, asked)
                assert links_of(answer) <= own_ids(theirs), (path, asked)
            answer = key.get("/v1/transactions", {name: typed})
            assert answer.status_code in {200, 400}
            told = {row["id"] for row in answer.json().get("data", ())}
            assert told <= {str(theirs.ids["transaction"])}


def test_no_filter_of_what_went_out_reaches_across(ours: House, theirs: House) -> None:
    client = client_of(theirs.member())
    for typed in dict.fromkeys(queries(ours)):
        for name in ("project", "endpoint", "transaction", "event"):
            for path in ("/events/", "/deliveries/"):
                shown = client.get(path, {name: typed}).context["rows"]
                assert {row.project_id for row in shown} <= {theirs.project.pk}
            charts = client.get("/deliveries/charts/", {name: typed}).context
            told = {row["endpoint"].pk for row in charts["endpoints"]}
            assert told <= {theirs.ids["endpoint"]}


PAGES = (
    "/", "/transactions/", "/inbound/", "/inbound/refused/", "/events/", "/deliveries/",
    "/deliveries/charts/",
)  # fmt: skip


def links_of(answer: HttpResponse) -> set[str]:
    found = re.findall(
        r'href="/(?:transactions|inbound)/([0-9a-f-]{36})/', page(answer)
    )
    return set(found)


def page(answer: HttpResponse) -> str:
    return answer.content.decode()


def own_ids(house: House) -> set[str]:
    return house.every_id


def test_the_pages_of_one_show_nothing_of_the_other(ours: House, theirs: House) -> None:
    for house, other in ((ours, theirs), (theirs, ours)):
        client, key = client_of(house.member()), key_client(house.project)
        ids = house.ids
        for path in (
            "/", "/transactions/", f"/transactions/{ids['transaction']}/", "/inbound/",
            f"/inbound/{ids['inbound']}/", "/inbound/refused/", "/events/",
            f"/events/{ids['event']}/", f"/events/{ids['event']}/?as=standard",
            "/deliveries/", f"/deliveries/{ids['delivery']}/", "/deliveries/charts/",
            "/webhooks/", f"/webhooks/{ids['endpoint']}/",
            f"/webhooks/{ids['endpoint']}/edit/",
            "/bulk/", f"/bulk/{ids['bulk']}/", "/transactions/views/",
            "/connections/", f"/connections/{ids['connection']}/",
            "/projects/", f"/projects/{house.project.slug}/",
            "/exports/", f"/exports/{ids['export']}/", "/exports/schedules/",
            f"/exports/schedules/{ids['schedule']}/",
        ):  # fmt: skip
            answer = client.get(path)
            assert answer.status_code == 200
            assert house.mark in page(answer), path
            clean(answer, other)
        for path in ("/v1/transactions", f"/v1/transactions/{ids['transaction']}"):
            answer = key.get(path)
            assert house.mark in page(answer)
            clean(answer, other)
        clean(key.get("/metrics"), other)


def test_an_old_id_leads_its_own_people_only(ours: House, theirs: House) -> None:
    path = f"/transactions/{ours.ids['alias']}/"
    assert client_of(ours.member()).get(path).status_code == 302
    assert client_of(theirs.member()).get(path).status_code == 404
    api = f"/v1{path.rstrip('/')}"
    assert key_client(ours.project).get(api).status_code == 200
    assert key_client(theirs.project).get(api).status_code == 404


def test_a_cursor_of_ours_opens_no_other_list(ours: House, theirs: House) -> None:
    client, key = client_of(theirs.member()), key_client(theirs.project)
    sale = Transaction.objects.get(pk=ours.ids["transaction"])
    place = paging.Position(sale.created, sale.pk).cursor()
    for name in ("after", "before"):
        for path in (
            f"/transactions/?livemode=true&{name}={place}",
            f"/inbound/?{name}={ours.ids['inbound']}",
            f"/webhooks/?{name}={ours.ids['endpoint']}",
            f"/webhooks/?project={place}&{name}={ours.ids['endpoint']}",
        ):
            answer = client.get(path, follow=True)
            assert answer.status_code == 200
            clean(answer, ours, place)
    for name in ("starting_after", "ending_before"):
        for id in (sale.pk, ours.ids["alias"]):
            answer = key.get("/v1/transactions", {name: str(id)})
            assert answer.status_code == 404
            clean(answer, ours, str(id))


def test_switching_to_a_foreign_merchant_does_nothing(
    ours: House, theirs: House
) -> None:
    client = client_of(theirs.member())
    client.post("/merchant/", {"merchant": str(ours.merchant.pk)})
    clean(client.get("/transactions/"), ours)
    session = client.session
    session["merchant"] = str(ours.merchant.pk)
    session.save()
    clean(client.get("/transactions/"), ours)


def test_a_change_of_rights_holds_with_the_next_request(ours: House) -> None:
    member = ours.member("developer")
    client = client_of(member)
    assert client.get("/inbound/").status_code == 200
    Member.objects.filter(pk=member.pk).update(role="viewer")
    assert client.get("/inbound/").status_code == 403
    member.delete()
    assert client.get("/transactions/").status_code == 403
    member.user.is_active = False
    member.user.save()
    assert client.get("/transactions/").status_code == LOGIN


def test_a_forged_session_is_nobody(ours: House) -> None:
    client = Client()
    forged = signing.dumps({"_auth_user_id": str(ours.ids["member"])}, key="guess")
    client.cookies[settings.SESSION_COOKIE_NAME] = forged
    assert client.get("/transactions/").status_code == LOGIN
