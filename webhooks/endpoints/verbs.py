"""Verbs on endpoints: set up, change, pause, enable, delete; and their secrets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from merchant.audit import Actor
from merchant.models import Project
from webhooks import secrets, signing_keys
from webhooks.delivery import health
from webhooks.endpoints import mail, terms
from webhooks.endpoints.rolling import (
    fit_secrets,
    give,
    make_pair,
    usable_secret,
)
from webhooks.endpoints.rows import as_read, changing, note, person
from webhooks.endpoints.terms import NotUsable
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.models.endpoint import Dialect

#: Endpoints of one project: room for a hundred and one per event beside them. All of
#: them are read when something is announced.
MOST = 250
#: Rows of its log that one statement deletes, so that none holds others up for long.
AT_ONCE = 2_000

#: What becomes of what is under way when the endpoint gets another address: it is held
#: until a member decides, or goes to the new one.
Waiting = Literal["hold", "send"]

State = Endpoint.State
_WAITING = [Delivery.State.PENDING, Delivery.State.HELD]


# -------------------------------------------------------------------- set up, change
def create(
    project: Project,
    *,
    url: str,
    events: Iterable[str] = (),
    dialect: str = Dialect.STANDARD,
    description: str = "",
    livemode: bool | None = None,
    rate: int = terms.USUAL_RATE,
    headers: Mapping[str, str] | None = None,
    secret: str = "",
    metadata: Mapping[str, Any] | None = None,
    enabled: bool = True,
    by: Actor | None = None,
    request: HttpRequest | None = None,
) -> tuple[Endpoint, str]:
    """A new endpoint of the project, and its secret ("" where the project's key pair
    signs). What its fields mean: webhooks.models.Endpoint.

    `secret`: one that the receiver has already; a new one where none is given. Raises
    NotUsable, vault.Locked.
    """
    endpoint = Endpoint(project=project)
    given = {
        "url": url,
        "events": events,
        "dialect": dialect,
        "description": description,
        "livemode": livemode,
        "rate": rate,
        "headers": headers or {},
        "metadata": metadata or {},
    }
    terms.read_into(endpoint, given)
    endpoint.state = State.ENABLED if enabled else State.PAUSED
    endpoint.created_by = person(by)
    secret = usable_secret(endpoint.dialect, secret)
    make_pair(endpoint)
    with transaction.atomic():
        # One at a time, so that two do not both find room for the last one.
        Project.objects.select_for_update().filter(pk=project.pk).first()
        if _of(project).count() >= MOST:
            raise NotUsable(
                f"{project} has {MOST} endpoints, and more are not possible. Delete "
                "one that is no longer needed."
            )
        endpoint.save()
        give(endpoint, secret)
        note(by, "created", endpoint, request, dialect=endpoint.dialect)
    return endpoint, secret


def change(
    endpoint: Endpoint,
    *,
    by: Actor,
    waiting: Waiting = "hold",
    request: HttpRequest | None = None,
    **what: Any,
) -> Endpoint:
    """The endpoint with other terms: any of those that `create` takes, of which
    `headers` and `metadata` are taken as a whole.

    Another host, port or scheme is another address: owners get a mail, and `waiting`
    says what becomes of deliveries that are under way. Another dialect in which the
    secret cannot sign gets a new one (see `reveal`). Raises NotUsable.
    """
    if not secrets.has_secrets(what.get("dialect", endpoint.dialect)):
        signing_keys.pair_of(endpoint.project)
    with changing(endpoint) as row:
        before = terms.of(row)
        changed = terms.read_into(row, what)
        if not changed:
            return as_read(endpoint, row)
        row.changed = timezone.now()
        row.save()
        if "dialect" in changed:
            fit_secrets(row)
        moved = "url" in changed and terms.moved(before["url"], row.url)
        if moved:
            _move(row, before["url"], waiting, by)
        detail = terms.told(before, terms.of(row), changed)
        if moved:
            detail["waiting"] = waiting
        note(by, "changed", row, request, **detail)
    secrets.forget(endpoint)
    return as_read(endpoint, row)


def delete(
    endpoint: Endpoint, *, by: Actor, request: HttpRequest | None = None
) -> None:
    """Takes the endpoint away with all of its log. What waits for it is never sent.

    A long log goes in parts: until the last one it stands there disabled, and `delete`
    can be called again.
    """
    with changing(endpoint) as row:
        row.state, row.reason = State.DISABLED, "It is being deleted."
        row.save(update_fields=["state", "reason"])
        Delivery.objects.filter(endpoint=row, state__in=_WAITING).update(
            state=Delivery.State.DROPPED, error="the endpoint was deleted"
        )
    while _delete_some(endpoint):
        pass
    with changing(endpoint) as row:
        note(by, "deleted", row, request, url=terms.shown(row.url))
        row.delete()


def _delete_some(endpoint: Endpoint) -> bool:
    """Whether there was anything left of its log."""
    rows = Delivery.objects.filter(endpoint=endpoint).order_by("id")
    ids = list(rows.values_list("id", flat=True)[:AT_ONCE])
    with transaction.atomic():
        Attempt.objects.filter(delivery__in=ids).delete()
        Delivery.objects.filter(pk__in=ids).delete()
    return bool(ids)


# --------------------------------------------------------------------- pause, enable
def pause(endpoint: Endpoint, *, by: Actor, request: HttpRequest | None = None) -> None:
    """Nothing is sent until it is enabled; what happens meanwhile is held for it.

    Raises NotUsable for one that is disabled.
    """
    with changing(endpoint) as row:
        if row.state == State.DISABLED:
            raise NotUsable("It is disabled, so nothing is sent to it anyway.")
        if row.state == State.ENABLED:
            row.state, row.reason, row.changed = State.PAUSED, "", timezone.now()
            row.save(update_fields=["state", "reason", "changed"])
            health.hold(row)
            note(by, "paused", row, request)
    as_read(endpoint, row)


def enable(
    endpoint: Endpoint, *, by: Actor, request: HttpRequest | None = None
) -> None:
    """Sends what happens from now on, and forgets that it failed.

    What was held meanwhile stays so until webhooks.delivery.catch_up is told what
    to do with it.
    """
    with changing(endpoint) as row:
        if row.state != State.ENABLED:
            row.state, row.reason, row.changed = State.ENABLED, "", timezone.now()
            row.failing = row.slow_until = None
            row.warned, row.slow = 0, False
            row.save()
            note(by, "enabled", row, request)
    as_read(endpoint, row)


def _hold_all(endpoint: Endpoint) -> None:
    """What waits for it, held; also what a worker is just sending to the old address,
    or its next try would go to the new one."""
    waits = Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.PENDING)
    waits.update(state=Delivery.State.HELD, lease=None, leased_until=None)


def _move(endpoint: Endpoint, before: str, waiting: Waiting, by: Actor) -> None:
    """What another address means for deliveries and for the owners."""
    if waiting == "hold":
        _hold_all(endpoint)
    # Its failures were the old address's.
    endpoint.failing = endpoint.slow_until = None
    endpoint.warned, endpoint.slow = 0, False
    endpoint.save(update_fields=["failing", "slow_until", "warned", "slow"])
    transaction.on_commit(lambda: mail.tell_moved(endpoint, before, by))


def _of(project: Project) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(project=project, kind=Endpoint.Kind.ENDPOINT)
