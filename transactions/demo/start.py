"""The demo's first day: a merchant, its people and accounts, and a month of sales."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from random import Random

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from merchant import connections, queue
from merchant.models import Connection, Merchant, Project
from merchant.sandbox import keypair, paysuper, shop
from merchant.sandbox.market import Market, Stall
from merchant.sandbox.senders import Delivery, Habits, deliveries
from transactions.demo import handing_out, listening, logins, stalls
from transactions.demo.post import hand_over_here

#: About so many purchases make up the month.
PURCHASES = 400
#: Deliveries that are taken in one database transaction.
_AT_ONCE = 200

#: project name, slug, time zone, its providers
_PROJECTS = (
    (
        "Harbor Store",
        "harbor-store",
        "Europe/Berlin",
        ("stripe", "paysuper", "paysecure", "paynow"),
    ),
    ("Tidewater Online", "tidewater-online", "America/New_York", ("stripe", "paynow")),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """What was put into the empty database."""

    purchases: int
    deliveries: int


def fill(now: datetime | None = None) -> Filled:
    """Makes the demo merchant and a month of history up to `now`; all of it is test.

    The deliveries are signed, go through the intake in this process, are read, and
    what they leave out is looked up at a sandbox that serves meanwhile.
    """
    now = now or timezone.now()
    with transaction.atomic():
        merchant = Merchant.objects.create(name="Pixel Harbor", slug="pixel-harbor")
        logins.make_members(merchant)
        rows = [row for plan in _PROJECTS for row in _open_project(merchant, *plan)]
    _forget_safety()
    chance = Random(secrets.randbits(32))
    # Its API is up meanwhile: what the webhooks leave out is looked up there.
    with stalls.open_market(rows, stalls.sandbox_port() or 0) as (market, _server):
        _sell_a_month(market, chance, now)
        sent = _send(market, {str(row.pk): row for row in rows}, chance, now)
        queue.drain()
    handing_out.work_off(merchant, chance, now)
    listening.open_endpoints(Project.objects.filter(merchant=merchant))
    return Filled(PURCHASES, sent)


def follow_sandbox() -> int:
    """Points what the demo opened at SANDBOX_URL where it moved; returns how many."""
    moved = [row for row in stalls.of_demo() if row.base_url != _base_url(row.provider)]
    for row in moved:
        row.base_url = _base_url(row.provider)
        row.save(update_fields=["base_url"])
        connections.forget(row.pk)
    return len(moved) + listening.follow_sandbox()


def _base_url(provider: str) -> str:
    return f"{settings.SANDBOX_URL}/{provider}"


def _open_project(
    merchant: Merchant, name: str, slug: str, time_zone: str, providers: tuple[str, ...]
) -> Iterator[Connection]:
    project = Project.objects.create(
        merchant=merchant, name=name, slug=slug, time_zone=time_zone
    )
    for provider in providers:
        yield connections.open_connection(
            project,
            provider,
            base_url=_base_url(provider),
            livemode=False,
            demo=True,
            **_new_keys(provider),
        )


def _new_keys(provider: str) -> dict[str, str]:
    """Credentials for one connection, made for this installation alone."""
    token = secrets.token_hex(20)
    if provider == "stripe":
        return {
            "secret": f"whsec_{secrets.token_hex(16)}",
            "api_key": f"sk_test_{token}",
        }
    if provider == "paysecure":
        public, private = keypair.new()
        return {"public_key": public, "private_key": private, "api_key": token}
    account = {"paysuper": paysuper.PROJECT_ID}.get(provider, "")
    return {"secret": secrets.token_hex(16), "api_key": token, "account": account}


def _forget_safety() -> None:
    """Lets SQLite commit without waiting for the disk: until the demo is complete,
    there is nothing to lose, and it has to be quick."""
    if database.vendor == "sqlite" and not database.in_atomic_block:
        with database.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")


def _sell_a_month(market: Market, chance: Random, now: datetime) -> None:
    """Every ending once at every provider, the others as chance wants."""
    sold = 0
    for stall in _one_per_provider(market.stalls):
        for ending in shop.endings_at(stall.provider)[0]:
            market.sell(
                stall, chance.getrandbits(31), now, ending=ending, begin="month"
            )
            sold += 1
    for _ in range(PURCHASES - sold):
        stall = chance.choice(market.stalls)
        market.sell(stall, chance.getrandbits(31), now, begin="month")


def _one_per_provider(found: list[Stall]) -> list[Stall]:
    return list({stall.provider: stall for stall in reversed(found)}.values())


def _send(
    market: Market, rows: dict[str, Connection], chance: Random, now: datetime
) -> int:
    tellings = market.due(now)
    letters = deliveries(tellings, Habits(), chance)
    for start in range(0, len(letters), _AT_ONCE):
        with transaction.atomic():
            for letter in letters[start : start + _AT_ONCE]:
                _hand_over(letter, rows)
    market.reported(tellings)
    return len(letters)


def _hand_over(letter: Delivery, rows: dict[str, Connection]) -> None:
    stall = letter.telling.stall
    answer = hand_over_here(rows[stall.connection], stall.keys, letter.body)
    if not answer.taken:
        raise RuntimeError(
            f"The intake answered {answer.status} to the demo's own {letter.type} of "
            f"{stall.provider}."
        )
