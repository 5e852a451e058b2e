"""A shop window for the browser: rows of every kind, and how a page is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from django.utils import timezone

from merchant.models import Member, Project
from tests.conftest import client_of
from tests.factories import (
    make_connection,
    make_dispute,
    make_inbound_event,
    make_refund,
    make_transaction,
)
from tests.webhooks import outbound
from transactions.models import (
    Customer,
    DeliveryItem,
    LineItem,
    LookUp,
    Product,
    ProviderReference,
    TimelineEntry,
    Transaction,
)
from transactions.statuses import Status
from webhooks.models import Delivery, Refusal

RULES = ("wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice")
COLOURS = ("color-contrast", "link-in-text-block")
WIDTH: tuple[str, ...] = ()
#: Each width and scheme; what was seen in one is not looked for in the other again.
EVERY = (
    (1280, "light"),
    (1280, "dark", COLOURS),
    (390, "light", COLOURS),
    (390, "dark"),
    (320, "light", WIDTH),
)
SOME = ((1280, "light"), (390, "dark"))
ATTACK = "<script>alert(1)</script><img src=x onerror=alert(2)>"
LONG = "Bartholomew Featherstonehaugh-Cholmondeley-Marjoribanks the Third of Somewhere"


@pytest.fixture
def shop(project: Project) -> Project:
    """Thirty live payments, one of each status among them, and a test payment."""
    stripe = make_connection("stripe", project=project)
    paysecure = make_connection("paysecure", project=project)
    product = Product.objects.create(
        project=project, provider="stripe", key="sword", name="Iron Sword"
    )
    start = timezone.now() - timedelta(days=3)
    for number, status in enumerate([*Status.values, *["paid"] * 17]):
        sale = make_transaction(
            connection=paysecure if number % 5 == 0 else stripe,
            customer_name=LONG if number == 3 else f"Buyer {number:02}",
            customer_email=f"buyer{number}@example.com",
            status=status,
            status_reason="insufficient funds" if status == "failed" else "",
            verified=number % 5 != 0,
            amount_refunded=500 if "refunded" in status else 0,
            order_reference=f"ORDER-{number}",
            created=start + timedelta(minutes=number),
        )
        LineItem.objects.create(
            transaction=sale,
            key="0",
            position=0,
            project=project,
            product=product,
            created=sale.created,
            name="Iron Sword",
        )
    make_transaction(connection=stripe, customer_name="Test Buyer", livemode=False)
    return project


@pytest.fixture
def rich(project: Project) -> Transaction:
    """A purchase with everything on its card, and nothing short."""
    connection = make_connection("stripe", project=project)
    customer = Customer.objects.create(project=project, key="mira@example.com")
    now = timezone.now() - timedelta(minutes=5)
    sale = make_transaction(
        connection=connection,
        provider_id="pi_3QxLm2KbVnq8WvTz1hR7d2Yk",
        status="disputed",
        status_reason="Fraudulent, says the cardholder, who never heard of this shop",
        amount=4499,
        amount_refunded=1500,
        refund_pending=True,
        verified=False,
        warning="Refunds add up to more than was paid",
        customer=customer,
        customer_name=LONG,
        customer_email="a.very.long.mailbox.name.indeed@subdomain.example.com",
        customer_phone="+386 40 123 456",
        customer_details={
            "address": {"line1": "Trubarjeva 12", "city": "Ljubljana", "country": "SI"},
            "shipping": {"line1": "x" * 120, "country": "SI"},
            "ip": "203.0.113.77",
            "identities": {"steam": {"id": "76561198000000042", "name": "mira_n"}},
        },
        method_details={"wallet": "apple_pay", "three_d_secure": "authenticated"},
        settlement={"currency": "usd", "amount": 4862, "fee": 171, "net": 4691},
        details={"callbacks": {"success": "https://shop.example.com/" + "y" * 150}},
        metadata={"note": "\u202egnorw si txet siht <b>bold</b>", "z" * 60: "w" * 200},
        created=now,
    )
    product = Product.objects.create(
        project=project, provider="stripe", key="x", name="Skyline Racer " * 8
    )
    LineItem.objects.create(
        transaction=sale, key="0", position=0, project=project, product=product,
        created=now, name=product.name, sku="SKU-" + "9" * 80, quantity=2, amount=4499,
    )  # fmt: skip
    ProviderReference.objects.create(
        project=project, kind="stripe.payment_intent", reference=sale.provider_id,
        transaction=sale,
    )  # fmt: skip
    ProviderReference.objects.create(
        project=project, kind="stripe.session", reference="cs_live_" + "b1X" * 20,
        transaction=sale,
    )  # fmt: skip
    body = b'{"id":"evt_1","data":{"object":{"long":"' + b"v" * 400 + b'"}}}'
    inbound = make_inbound_event(connection=connection, body=body)
    for number, (topic, status) in enumerate(
        [("payment", "paid"), ("refund", "succeeded"), ("dispute", "open")]
    ):
        TimelineEntry.objects.create(
            connection=connection, identity=str(number), transaction=sale,
            inbound=inbound, source="webhook", topic=topic, object_kind="charge",
            object_id="ch_1", status=status, at=now, summary=f"A {topic} is {status}",
        )  # fmt: skip
    make_refund(sale, provider_id="re_1", amount=1500, reason="requested_by_customer")
    make_dispute(
        transaction=sale, provider_id="dp_1", status="open", amount=2999,
        currency="eur", reason="fraudulent", due_by=now, created=now,
    )  # fmt: skip
    DeliveryItem.objects.create(
        transaction=sale, provider_id="di_1", status="added", name="Sword", created=now
    )
    LookUp.objects.create(
        connection=connection, kind="line_items", want="cs_1", transaction=sale,
        state="needs_key",
    )  # fmt: skip
    return sale


@pytest.fixture
def post(project: Project) -> Project:
    """Inbound events in every state, and refused deliveries."""
    stripe = make_connection("stripe", project=project)
    make_connection("paysuper", project=project)
    body = b'{"id":"evt_1","data":{"object":{"long":"' + b"v" * 400 + b'"}}}'
    for event_type, state, error in (
        ("charge.succeeded", "done", ""),
        ("charge.refunded", "failed", "Inexact: 12.345 EUR has too many decimals"),
        ("invoice.paid", "quarantined", "data is missing"),
        ("payout.paid", "refused", ""),
        ("charge.updated", "conflict", ""),
        ("charge.pending", "pending", ""),
    ):
        make_inbound_event(
            connection=stripe, event_type=event_type, state=state, error=error,
            body=body, verdict="the signature fits",
        )  # fmt: skip
    Refusal.objects.create(
        connection=stripe, code="mismatch", hour=timezone.now(), count=14,
        reason="The signature does not fit any live secret", address="203.0.113.9",
        headers={"stripe-signature": "t=1,v1=..."}, sample=body,
    )  # fmt: skip
    return project


@pytest.fixture
def told(project: Project) -> Delivery:
    """Deliveries in every state; the one returned failed and has an attack for an
    answer, which makes it long as well."""
    shop = outbound.endpoint(project, description="Shop server")
    erp = outbound.endpoint(project, url="https://erp.example.com/" + "x" * 120)
    for state in ("pending", "delivered", "held", "dropped"):
        outbound.delivery(to=erp, state=state)
    outbound.delivered(to=shop)
    row = outbound.exhausted(to=shop, error=f"The endpoint answered {ATTACK}")
    outbound.attempt(
        row,
        number=9,
        status=500,
        outcome="refused",
        error=f"The endpoint answered {ATTACK}",
        answer=(f"</pre>{ATTACK}" + "W" * 12_000).encode(),
        answer_headers={"x-powered-by": ATTACK, "x-long": "v" * 300},
    )
    return row


def axe(page, tags: tuple[str, ...]) -> list[dict]:  # noqa: ANN001
    """What axe finds wrong on the page; the rest of its report takes twice as long."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {"runOnly": [*tags], "resultTypes": ["violations"]}
    return page.evaluate("o => axe.run(o).then(found => found.violations)", options)


@pytest.fixture
def look(page) -> Callable[..., None]:  # noqa: ANN001
    """look(width, scheme): the page as it stands is readable, whole and fits.

    A third word, `COLOURS` or `WIDTH`, asks for that only: another scheme at a width
    changes colours alone, a narrower phone the width.
    """

    def look(width: int, scheme: str, rules: tuple[str, ...] = RULES) -> None:
        page.set_viewport_size({"width": width, "height": 844 if width < 800 else 900})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # The new colours are there with the next frame.
        page.evaluate(
            "() => new Promise(r => requestAnimationFrame(() => setTimeout(r, 50)))"
        )
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= width, f"{wide} px at {width}"
        if not rules:
            return
        if not axe(page, rules):
            return
        # A busy machine may be caught between two colours.
        page.wait_for_timeout(500)
        found = axe(page, rules)
        assert not found, AxeResults({"violations": found}).generate_report()

    return look


@pytest.fixture
def plain_page(browser, live_server) -> Iterator[Callable]:  # noqa: ANN001
    """plain_page(member): a page of a browser in which scripts are turned off."""
    contexts = []

    def plain_page(member: Member | None = None):  # noqa: ANN202
        context = browser.new_context(java_script_enabled=False)
        contexts.append(context)
        if member is not None:
            value = client_of(member).cookies["session"].value
            cookie = {"name": "session", "value": value, "url": live_server.url}
            context.add_cookies([cookie])
        return context.new_page()

    yield plain_page
    for context in contexts:
        context.close()
