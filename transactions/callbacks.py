"""Whom a single purchase reports to: the callbacks that it was given for its outcome.

Those set through us win over the project's endpoints, for that purchase's success or
failure only: set by the API (`set_for`), or on a purchase of our own sandbox. What
stands in another provider's data is called only where the project says so
(Project.honour_callbacks). Of a provider's data nothing counts but what its API has
confirmed: a webhook's body may be anybody's.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit
from uuid import UUID

from django.db import transaction as database
from django.db.models import Q
from django.http import HttpRequest

from merchant import audit, http
from merchant.models import ApiKey, Member, Project
from transactions.fold import hearing
from transactions.models import Callback, TimelineEntry, Transaction
from webhooks import callbacks

Outcome = Callback.Outcome
Source = TimelineEntry.Source

#: Sources that answer to our own question, so that nobody else made them up.
CONFIRMED = (Source.LOOK_UP, Source.POLL, Source.ANSWER)
#: Where the imitated providers live.
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@database.atomic
def set_for(
    transaction: Transaction,
    outcome: str,
    url: str,
    by: ApiKey | Member,
    *,
    request: HttpRequest | None = None,
) -> None:
    """Has this outcome of the purchase told to `url` alone; "" takes that back.

    Raises http.NotAllowed where the URL must not be called.
    """
    mine = Callback.objects.filter(transaction=transaction, outcome=Outcome(outcome))
    before = mine.values_list("endpoint__url", flat=True).first() or ""
    if url == before:
        return
    if url:
        endpoint = callbacks.endpoint_for(transaction.project, url)
        Callback.objects.update_or_create(
            transaction=transaction, outcome=outcome, defaults={"endpoint": endpoint}
        )
    else:
        mine.delete()
    audit.note(
        by if isinstance(by, Member) else f"API key {by.hint}",
        "transaction.callback_set",
        transaction,
        merchant=transaction.project.merchant,
        detail={"outcome": outcome, "url": url, "before": before},
        request=request,
    )


def set_on(transaction: Transaction) -> dict[str, str]:
    """outcome -> the URL that was set through us; "" where there is none."""
    mine = Callback.objects.filter(transaction=transaction).select_related("endpoint")
    urls = {callback.outcome: callback.endpoint.url for callback in mine}
    return {outcome: urls.get(outcome, "") for outcome in Outcome.values}


def addressed(ids: Iterable[UUID]) -> dict[tuple[UUID, str], UUID]:
    """(transaction, outcome) -> the endpoint that alone is told of that outcome.

    One query, unless a provider's own callbacks count; run it where the rows and their
    entries are written already.
    """
    told: dict[tuple[UUID, str], UUID] = {}
    carried: dict[UUID, UUID] = {}
    columns = (
        "pk",
        "callbacks__outcome",
        "callbacks__endpoint",
        "details",
        "project",
        "project__honour_callbacks",
        "connection__livemode",
        "connection__base_url",
    )
    for id, outcome, endpoint, details, project, honours, live, base in (
        Transaction.objects.filter(_may_have_some(), pk__in=list(ids))
        .values_list(*columns)
        .order_by()
    ):
        if outcome:
            told[id, outcome] = endpoint
        if details.get("callbacks") and (honours or _is_sandbox(live, base)):
            carried[id] = project
    return _honoured(carried) | told if carried else told


def _may_have_some() -> Q:
    ours = Q(callbacks__isnull=False) | Q(project__honour_callbacks=True)
    sandbox = Q(connection__livemode=False) & ~Q(connection__base_url="")
    return ours | sandbox


def _is_sandbox(livemode: bool, base_url: str) -> bool:
    """Whether the provider is our imitation: a test connection to this machine."""
    return not livemode and urlsplit(base_url).hostname in _LOOPBACK


def _honoured(carried: dict[UUID, UUID]) -> dict[tuple[UUID, str], UUID]:
    """The same for callbacks in a provider's data. `carried`: transaction -> project.

    A URL that must not be called, such as our own intake, is nobody's.
    """
    projects = Project.objects.in_bulk(set(carried.values()))
    told = {}
    for id, urls in _confirmed(carried).items():
        for outcome in Outcome.values:
            if not urls.get(outcome):
                continue
            try:
                to = callbacks.endpoint_for(projects[carried[id]], urls[outcome])
            except http.NotAllowed:
                continue
            told[id, str(outcome)] = to.pk
    return told


def _confirmed(ids: Iterable[UUID]) -> dict[UUID, dict[str, str]]:
    """transaction -> outcome -> URL, as the provider's API last said it."""
    entries: dict[UUID, list[TimelineEntry]] = {}
    for entry in TimelineEntry.objects.filter(
        transaction__in=list(ids), topic="payment", source__in=CONFIRMED
    ):
        entries.setdefault(entry.transaction_id, []).append(entry)  # type: ignore[arg-type]
    return {
        id: hearing.hear(hearing.in_order(told)).get("callbacks") or {}
        for id, told in entries.items()
    }
