"""Changes of the books, handed to the post room in the same commit.

`look` before the books are written, `announce` after: what lies between is told as the
events of transactions.news. A payment whose amount came unsigned, and which an API key
can confirm, is held until that was done, at most for PATIENCE.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction as database
from django.db.models import Model
from django.utils import timezone

from merchant.models import Connection
from transactions import binding, callbacks, news, rendering
from transactions.models import (
    DeliveryItem,
    Dispute,
    HeldNews,
    LineItem,
    Payout,
    Product,
    ProviderReference,
    Refund,
    Subscription,
    TimelineEntry,
    Transaction,
)
from transactions.news import Item, Story
from transactions.statuses import RELEASED, TO_HAND_OVER
from transactions.writing import Children, Written, children_of
from webhooks import outbox
from webhooks.models import Event
from webhooks.outbox import Happening

#: How long an unconfirmed payment waits for its provider's word.
PATIENCE = timedelta(minutes=10)
#: Of those that wait, so many are looked at in one transaction.
BATCH = 100

#: ("stripe.charge", "ch_1")
Reference = tuple[str, str]


@dataclass(slots=True)
class Seen:
    """Rows as they were before a batch, with their children.

    `was`: row -> the statuses of all that it was, those of rows joined to it included.
    """

    rows: dict[UUID, Transaction]
    children: Children
    was: dict[UUID, set[str]] = field(default_factory=dict)


def look(
    rows: Mapping[UUID, Transaction],
    children: Children,
    gone: Iterable[tuple[Transaction, UUID]] = (),
) -> Seen:
    """Remembers how locked rows are told now. `gone`: a row and the one that took it
    in."""
    seen = Seen({id: row for id, row in rows.items() if not row.parked}, children)
    for id, row in seen.rows.items():
        seen.was.setdefault(id, set()).add(row.status)
    for row, heir in gone:
        if not row.parked:
            seen.was.setdefault(heir, set()).add(row.status)
    return seen


def announce(seen: Seen, written: Written, fresh: Sequence[TimelineEntry] = ()) -> None:
    """Publishes what the changed rows came to. `fresh`: the entries that did it."""
    changed = [written.rows[id] for id in sorted(written.touched)]
    rows = [row for row in changed if not row.parked]
    if not rows:
        return
    entries: dict[UUID, list[TimelineEntry]] = {}
    for entry in fresh:
        if entry.transaction_id:
            entries.setdefault(entry.transaction_id, []).append(entry)
    now = {row.pk: _story(row, written.children.get(row.pk, {})) for row in rows}
    told: dict[UUID, Sequence[Item]] = {
        row.pk: news.of(
            _before(seen, row.pk),
            now[row.pk],
            released=any(e.status == RELEASED for e in entries.get(row.pk, ())),
            linked=any(e.topic == "link" for e in entries.get(row.pk, ())),
        )
        for row in rows
    }
    told = _held_back(rows, _once(seen, told), written.new)
    when = {id: _when(entries.get(id, ())) for id in told}
    _publish(rows, now, told, when, written.references, written.new)


def announce_standing(
    row: Subscription | Payout,
    before: Mapping[str, Any] | None,
    fresh: Sequence[TimelineEntry],
) -> None:
    """Publishes what a subscription, trial or payout came to; `before`: its object."""
    after = rendering.standing_object(row)
    name = news.of_standing(before, after)
    if name:
        payload = {
            "object": after,
            "connection": str(row.connection_id),
            "details": row.details,
        }
        outbox.publish(
            [
                Happening(
                    project_id=row.project_id,
                    livemode=row.livemode,
                    name=name,
                    subject_kind=after["object"],
                    subject=row.pk,
                    sequence=row.sequence,
                    payload=payload,
                    happened=_when(fresh),
                )
            ]
        )


def payload_of(row: Transaction) -> dict[str, Any]:
    """The payload (see webhooks.models.Event) that an event about it would have now."""
    told = rendering.transaction_object(row)
    references = references_of([row.pk]).get(row.pk, ())
    return _payload(row, told, references, products_of([told]))


def _payload(
    row: Transaction,
    told: Mapping[str, Any],
    references: Iterable[Reference],
    products: Mapping[str, str],
    part: Any = None,
) -> dict[str, Any]:
    sold = {item["product"] for item in told["items"]}
    return {
        "object": told,
        "part": part,
        "references": _by_kind(references),
        "products": {id: products[id] for id in sorted(sold & products.keys())},
        "connection": str(row.connection_id),
        "brand": str(row.details.get("account") or ""),
        "details": {
            "customer": row.customer_details,
            "method": row.method_details,
            "phone": row.customer_phone,
        },
    }


def references_of(ids: Iterable[UUID]) -> dict[UUID, list[Reference]]:
    """row -> its references, in the order in which they were entered."""
    found: dict[UUID, list[Reference]] = {}
    rows = ProviderReference.objects.filter(transaction__in=list(ids)).order_by("id")
    for row, kind, reference in rows.values_list("transaction", "kind", "reference"):
        found.setdefault(row, []).append((kind, reference))
    return found


def _by_kind(references: Iterable[Reference]) -> dict[str, list[str]]:
    """kind ("charge") -> the provider's ids."""
    found: dict[str, list[str]] = {}
    for kind, reference in references:
        found.setdefault(kind.partition(".")[2], []).append(reference)
    return found


def products_of(told: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Our product id -> the provider's, of the items of these objects."""
    sold = {item["product"] for one in told for item in one["items"]}
    if not sold:
        return {}
    known = Product.objects.filter(pk__in=sold).exclude(key__startswith="name:")
    return {str(id): key for id, key in known.values_list("pk", "key")}


# ----------------------------------------------------------------------- the two ends
def _before(seen: Seen, id: UUID) -> Story | None:
    row = seen.rows.get(id)
    if row is None:
        return None
    return _story(row, seen.children[id], frozenset(seen.was[id]))


def _story(
    row: Transaction,
    children: Mapping[type[Model], list[Any]],
    was: frozenset[str] = frozenset(),
) -> Story:
    items = {
        item.provider_id: rendering.delivery_item_object(item)
        for item in children.get(DeliveryItem, ())
    }
    parts = rendering.Parts(
        *(children.get(kind, ()) for kind in (LineItem, Refund, Dispute))
    )
    return Story(rendering.transaction_object(row, parts), items, was)


def _when(entries: Iterable[TimelineEntry]) -> datetime:
    """When it became news, which endpoints that are younger are not told.

    What a provider sends is news when it arrives, also about an old payment. What we
    find ourselves in a provider's list is as old as the payment.
    """
    return max((_since(e) for e in entries), default=timezone.now())


def _since(entry: TimelineEntry) -> datetime:
    polled = entry.source == TimelineEntry.Source.POLL
    return entry.at if polled and entry.at else entry.received


def _publish(
    rows: Sequence[Transaction],
    stories: Mapping[UUID, Story],
    told: Mapping[UUID, Sequence[Item]],
    when: Mapping[UUID, datetime],
    references: Mapping[UUID, Sequence[Reference]],
    new: Container[UUID] = (),
) -> None:
    speaking = [row for row in rows if told[row.pk]]
    products = products_of(stories[row.pk].object for row in speaking)
    # Nobody can have addressed a new one, unless it says so itself.
    alone = callbacks.addressed(
        row.pk
        for row in speaking
        if any(item.name in news.OUTCOMES for item in told[row.pk])
        and (row.pk not in new or row.details.get("callbacks"))
    )
    outbox.publish(
        [
            Happening(
                project_id=row.project_id,
                livemode=row.livemode,
                name=item.name,
                subject_kind="transaction",
                subject=row.pk,
                sequence=row.sequence,
                payload=_payload(
                    row,
                    stories[row.pk].object,
                    references.get(row.pk, ()),
                    products,
                    item.part,
                ),
                happened=when[row.pk],
                only_to=alone.get((row.pk, news.OUTCOMES.get(item.name, ""))),
            )
            for row in speaking
            for item in told[row.pk]
        ]
    )


def _once(
    seen: Seen, told: Mapping[UUID, Sequence[Item]]
) -> Mapping[UUID, Sequence[Item]]:
    """Without the payments that were announced before: whoever hands over what was
    bought must not do it twice, whatever detour the row took meanwhile."""
    again = [id for id in seen.rows if _has(told.get(id, ()), news.SUCCESS)]
    if not again:
        return told
    heard = Event.objects.filter(subject__in=again, name=news.SUCCESS)
    twice = set(heard.values_list("subject", flat=True))
    return {
        id: [item for item in items if id not in twice or item.name != news.SUCCESS]
        for id, items in told.items()
    }


# ---------------------------------------------------------------- payments that wait
def _held_back(
    rows: Sequence[Transaction],
    told: Mapping[UUID, Sequence[Item]],
    new: Container[UUID],
) -> dict[UUID, Sequence[Item]]:
    """What is told now; payments that only a look-up can vouch for are put off."""
    old = [id for id in told if id not in new]
    held = set(HeldNews.objects.filter(pk__in=old).values_list("pk", flat=True))
    doubtful = {row.pk for row in rows if _is_doubtful(row)}
    keyed = _keyed(row for row in rows if row.pk in doubtful) if doubtful else set()
    now: dict[UUID, Sequence[Item]] = {}
    waits, over = [], []
    for row in rows:
        items = told[row.pk]
        if row.pk in held:
            if row.pk in doubtful and row.status in TO_HAND_OVER:
                items = [item for item in items if item.name != news.UPDATED]
            else:
                over.append(row.pk)
                items = _at_last(row, items)
        elif (
            row.pk in doubtful
            and row.connection_id in keyed
            and _has(items, news.SUCCESS)
        ):
            waits.append(row.pk)
            items = [item for item in items if item.name != news.SUCCESS]
        now[row.pk] = items
    HeldNews.objects.bulk_create(
        [HeldNews(transaction_id=id, due=timezone.now() + PATIENCE) for id in waits],
        ignore_conflicts=True,
    )
    if over:
        HeldNews.objects.filter(pk__in=over).delete()
    return now


def _is_doubtful(row: Transaction) -> bool:
    return not row.verified and row.accepted is None


def _keyed(rows: Iterable[Transaction]) -> set[UUID]:
    """Of these rows' connections, those that can ask their provider."""
    wanted = {row.connection_id for row in rows}
    found = Connection.objects.filter(pk__in=wanted, closed=None)
    return set(found.exclude(sealed_api_key="").values_list("pk", flat=True))


def _at_last(row: Transaction, items: Sequence[Item]) -> list[Item]:
    """The payment that was held, before what came after it; nothing of it where the
    money has gone again."""
    others = [item for item in items if item.name != news.UPDATED]
    if row.status not in TO_HAND_OVER or _has(items, news.SUCCESS):
        return others
    return [Item(news.SUCCESS), *others]


def _has(items: Iterable[Item], name: str) -> bool:
    return any(item.name == name for item in items)


def tell_overdue() -> int:
    """Announces held payments whose confirmation did not come; returns how many."""
    told = 0
    while ids := list(_overdue().values_list("pk", flat=True)[:BATCH]):
        told += _tell(ids)
    return told


def _overdue() -> Any:
    return HeldNews.objects.filter(due__lte=timezone.now()).order_by("due")


@database.atomic
def _tell(ids: Sequence[UUID]) -> int:
    rows = binding.lock(ids)
    still = set(HeldNews.objects.filter(pk__in=rows).values_list("pk", flat=True))
    paid = [row for id, row in rows.items() if id in still]
    told = {row.pk: _at_last(row, []) for row in paid}
    now = timezone.now()
    children = children_of(still)
    stories = {row.pk: _story(row, children[row.pk]) for row in paid}
    _publish(paid, stories, told, dict.fromkeys(told, now), references_of(told))
    HeldNews.objects.filter(pk__in=ids).delete()
    return len(paid)
