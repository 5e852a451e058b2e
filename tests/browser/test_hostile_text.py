"""Everything that a provider passes on may be an attack on who reads it."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest

from merchant.models import Connection, Member, Project
from tests.factories import make_connection, make_dispute
from tests.webhooks import deliveries
from transactions import jobs, notes
from transactions.models import Customer, Note, Transaction
from webhooks import refusals
from webhooks.models import InboundEvent

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PAYLOADS = Path(__file__).resolve().parent.parent / "payloads"

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "'-alert(3)-'</style></title></textarea></pre><svg onload=alert(4)>",
    "{{ 7*7 }}{% debug %}${alert(5)}",
    "javascript:alert(6)",
    "\u202etxt.exe\u2066\u200b\u0600\ufeff",
    "a\r\nSet-Cookie: evil=1\r\n\r\n<b>bold</b>",
    '=HYPERLINK("http://evil.example","x")',
    "&lt;script&gt;alert(7)&lt;/script&gt;&#0;&#x202e;",
    "x" * 160,
    "Z\u0351\u036b\u0343\u036a\u0302" * 20,
]
LONG = "W" * 10_000
#: Texts of any length, as far as a provider is concerned.
WORDY = {"name", "full_name", "description", "product_name", "reason", "title"}
#: What gives an event its shape; hostile values there are other tests' business.
SHAPE = re.compile(
    r"object|type|event|event_type|status|currency|api_version|store_id|brand_id"
    r"|amountUnit|country.*|.*(_at|_on|date|created|updated|time).*|livemode|live"
    r"|reason_code|billing_reason|cause|state|kind|interval|.*(amount|price|total).*"
)

STORIES = {
    "stripe": (
        "payment_intent.created", "charge.succeeded", "checkout.session.completed",
        "payment_intent.succeeded", "refund.created__partial",
        "charge.dispute.created", "charge.failed", "customer.subscription.created",
    ),
    "paysuper": (
        "payment_success_with_fees", "payment_success_key", "payment_refund",
        "payment_cancel_declined",
    ),
    "paysecure": ("payin_paid", "payin_partial_refunded", "payin_error", "payin_hold"),
    "paynow": (
        "on_order_completed", "on_payment_failed", "on_refund__partial",
        "on_delivery_item_added", "on_chargeback", "on_trial_activated",
        "on_discord_account_linked_to_checkout",
    ),
}  # fmt: skip


def spoiled(value: Any, key: str = "") -> Any:
    """The same with an attack behind every text; equal texts stay equal."""
    if isinstance(value, dict):
        return {name: spoiled(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [spoiled(inner, key) for inner in value]
    if not isinstance(value, str) or SHAPE.fullmatch(key) or key.endswith("Id"):
        return value
    if key in WORDY:
        return LONG + HOSTILE[0]
    if key == "id" or key.endswith("_id"):
        return f"{value}<script>alert(8)</script>" if not value.isdigit() else value
    if re.fullmatch(r"[\d.,:TZ+-]*", value):
        return value
    attack = HOSTILE[zlib.crc32(value.encode()) % len(HOSTILE)]
    return attack if value.startswith("http") else value + attack


@pytest.fixture
def attacked(project: Project) -> list[Connection]:
    """All four providers delivered hostile stories, good, unknown and unsigned."""
    accounts = []
    for provider, story in STORIES.items():
        account = make_connection(provider, project=project)
        accounts.append(account)
        for name in story:
            known = json.loads((PAYLOADS / provider / f"{name}.json").read_bytes())
            deliveries.post(account, deliveries.packed(spoiled(known)))
        strange = deliveries.letter(provider)
        strange |= {"type": HOSTILE[0], "event_type": HOSTILE[1], "event": HOSTILE[2]}
        deliveries.post(account, deliveries.packed(strange))
        noise = HOSTILE[0].encode() + b'{"a":"' + LONG.encode() + b'"}'
        agent = HOSTILE[1]
        deliveries.post(account, noise, {"user-agent": agent, "x-token": HOSTILE[2]})
    refusals.flush()
    jobs.drain_inbox()
    InboundEvent.objects.filter(event_type="charge.failed").update(
        state="failed", error=HOSTILE[0] + LONG, note=HOSTILE[1]
    )
    return accounts


@pytest.fixture
def written(attacked: list[Connection], owner: Member) -> None:
    """Staff pasted the same into notes, and everybody charged back."""
    for sale in Transaction.objects.all():
        for text in (*HOSTILE, "W" * notes.MOST):
            notes.add(owner, sale.pk, text)
        about = {"transaction": sale, "created": sale.created, "currency": "eur"}
        make_dispute(
            provider_id=HOSTILE[0],
            status="lost",
            reason=HOSTILE[1] + "W" * 200,
            **about,
        )
        sale.look_ups.create(
            connection=sale.connection, kind=HOSTILE[0][:40], want=str(sale.pk),
            state="refused", error=HOSTILE[1] + "W" * 400,
        )  # fmt: skip
    Customer.objects.update(flagged=True)


@pytest.mark.usefixtures("written")
def test_hostile_text_is_only_text(
    page, live_server, sign_in, owner: Member, attacked: list[Connection]
) -> None:
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    sales = list(Transaction.objects.all())
    assert {sale.provider for sale in sales} == set(STORIES)
    paths = ["/transactions/", "/transactions/?q=%3Cscript%3Ealert(9)%3C/script%3E"]
    paths += ["/transactions/?product=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"]
    paths += ["/inbound/", "/inbound/refused/", "/inbound/?type=%3Cscript%3E"]
    paths += [f"/transactions/{sale.pk}/" for sale in sales]
    people = [sale.customer_id for sale in sales if sale.customer_id]
    paths += [f"/customers/{id}/flag/" for id in people[:2]]
    paths += [f"/notes/{Note.objects.latest('created').pk}/edit/"]
    paths += [f"/inbound/{event.pk}/" for event in InboundEvent.objects.all()]
    paths += [f"/connections/{account.pk}/key/" for account in attacked[:1]]
    sign_in(owner, fresh=True)
    for path in paths:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(live_server.url + path)
        for closed in page.locator("details.disclosure > summary").all()[:3]:
            closed.click()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            wide = page.evaluate("() => document.documentElement.scrollWidth")
            assert wide <= width, f"{wide} px of {width} at {path}"
        strangers = (
            "main :is(script:not([src^='/static/']), img, iframe, style, base,"
            " form[action*=evil])"
        )
        assert page.locator(strangers).count() == 0, path
        assert page.locator("a[href^=javascript], [onload], [onerror]").count() == 0
        assert page.context.cookies() == [
            cookie for cookie in page.context.cookies() if cookie["name"] != "evil"
        ]
    assert dialogs == []


def test_it_is_shown_as_it_came(
    page, live_server, sign_in, owner: Member, attacked: list[Connection]
) -> None:
    sign_in(owner)
    page.goto(f"{live_server.url}/transactions/")
    names = page.locator("tbody th a").all_inner_texts()
    assert any(name.startswith("WWWW") for name in names)
    sale = Transaction.objects.filter(provider="stripe").first()
    page.goto(f"{live_server.url}/transactions/{sale.pk}/")
    assert "<script>alert(" in page.locator("main").inner_text()
