"""Verbs on endpoints: set up, change, pause, enable, delete; and their secrets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Literal

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from merchant import audit
from merchant.audit import Actor
from merchant.models import Member, Project, User
from webhooks import endpoint_mail, endpoint_terms, health, secrets, signing_keys
from webhooks.endpoint_terms import NotUsable
from webhooks.models import Attempt, Delivery, Endpoint, EndpointSecret
from webhooks.models.endpoint import Dialect

__all__ = [
    "NotUsable", "change", "create", "delete", "enable", "live_secrets",
    "newest_secret", "pause", "reveal", "roll",
]  # fmt: skip

#: Endpoints of one project. More are rather a bus than an endpoint each.
MOST = 25
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
#: Each live secret is one more signature in every letter.
MOST_LIVE = 5
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
    rate: int = 25,
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
    endpoint_terms.read_into(endpoint, given)
    endpoint.state = State.ENABLED if enabled else State.PAUSED
    endpoint.created_by = _person(by)
    secret = _usable_secret(endpoint.dialect, secret)
    _make_pair(endpoint)
    with transaction.atomic():
        # One at a time, so that two do not both find room for the last one.
        Project.objects.select_for_update().filter(pk=project.pk).first()
        if _of(project).count() >= MOST:
            raise NotUsable(
                f"{project} has {MOST} endpoints, and more are not possible. Delete "
                "one that is no longer needed."
            )
        endpoint.save()
        _give(endpoint, secret)
        _note(by, "created", endpoint, request, dialect=endpoint.dialect)
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
    with _changing(endpoint) as row:
        before = endpoint_terms.of(row)
        changed = endpoint_terms.read_into(row, what)
        if not changed:
            return _as_read(endpoint, row)
        row.changed = timezone.now()
        row.save()
        if "dialect" in changed:
            _fit_secrets(row)
        moved = "url" in changed and endpoint_terms.moved(before["url"], row.url)
        if moved:
            _move(row, before["url"], waiting, by)
        detail = endpoint_terms.told(before, endpoint_terms.of(row), changed)
        if moved:
            detail["waiting"] = waiting
        _note(by, "changed", row, request, **detail)
    secrets.forget(endpoint)
    return _as_read(endpoint, row)


def delete(
    endpoint: Endpoint, *, by: Actor, request: HttpRequest | None = None
) -> None:
    """Takes the endpoint away with all of its log. What waits for it is never sent.

    A long log goes in parts: until the last one it stands there disabled, and `delete`
    can be called again.
    """
    with _changing(endpoint) as row:
        row.state, row.reason = State.DISABLED, "It is being deleted."
        row.save(update_fields=["state", "reason"])
        Delivery.objects.filter(endpoint=row, state__in=_WAITING).update(
            state=Delivery.State.DROPPED, error="the endpoint was deleted"
        )
    while _delete_some(endpoint):
        pass
    with _changing(endpoint) as row:
        _note(by, "deleted", row, request, url=endpoint_terms.shown(row.url))
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
    with _changing(endpoint) as row:
        if row.state == State.DISABLED:
            raise NotUsable("It is disabled, so nothing is sent to it anyway.")
        if row.state == State.ENABLED:
            row.state, row.reason, row.changed = State.PAUSED, "", timezone.now()
            row.save(update_fields=["state", "reason", "changed"])
            health.hold(row)
            _note(by, "paused", row, request)
    _as_read(endpoint, row)


def enable(
    endpoint: Endpoint, *, by: Actor, request: HttpRequest | None = None
) -> None:
    """Sends what happens from now on, and forgets that it failed.

    What was held meanwhile stays so until webhooks.catch_up is told what to do with it.
    """
    with _changing(endpoint) as row:
        if row.state != State.ENABLED:
            row.state, row.reason, row.changed = State.ENABLED, "", timezone.now()
            row.failing = row.slow_until = None
            row.warned, row.slow = 0, False
            row.save()
            _note(by, "enabled", row, request)
    _as_read(endpoint, row)


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
    transaction.on_commit(lambda: endpoint_mail.tell_moved(endpoint, before, by))


# --------------------------------------------------------------------------- secrets
def live_secrets(endpoint: Endpoint) -> QuerySet[EndpointSecret]:
    """Those that sign now, the newest first; still sealed."""
    live = Q(expires=None) | Q(expires__gt=timezone.now())
    return endpoint.secrets.filter(live).order_by("-created", "-id")


def newest_secret(endpoint: Endpoint) -> str:
    """The one that signs first, opened; "" where the project's key pair signs.

    For who has just asked for it by another verb: `reveal` is the one that is noted.
    """
    newest = live_secrets(endpoint).first()
    return newest.open() if newest else ""


def reveal(endpoint: Endpoint, by: Actor, request: HttpRequest | None = None) -> str:
    """The newest secret, and a line in the audit log.

    Raises NotUsable where the project's key pair signs, vault.Locked.
    """
    secret = newest_secret(endpoint)
    if not secret:
        raise NotUsable("It has no secret: its letters are signed with a key pair.")
    _note(by, "secret_shown", endpoint, request)
    return secret


def roll(
    endpoint: Endpoint,
    *,
    overlap: timedelta = OVERLAP,
    by: Actor,
    secret: str = "",
    request: HttpRequest | None = None,
) -> str:
    """A new secret. The old ones sign beside it for the overlap, 0 to 7 days.

    An overlap of zero destroys them at once: for one that leaked. Where the project's
    key pair signs, the pair is new, for all of its endpoints; then the answer is "".
    Raises NotUsable.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise NotUsable("Old secrets can stay valid for 0 to 7 days.", "overlap")
    hours = round(overlap.total_seconds() / 3600, 2)
    if not secrets.has_secrets(endpoint.dialect):
        with transaction.atomic():
            signing_keys.roll(endpoint.project, overlap)
            _note(by, "key_pair_rolled", endpoint, request, overlap_hours=hours)
        _forget_all(endpoint.project)
        return ""
    secret = _usable_secret(endpoint.dialect, secret)
    with _changing(endpoint) as row:
        live = live_secrets(row)
        if not overlap:
            row.secrets.all().delete()
        elif live.count() >= MOST_LIVE:
            raise NotUsable(
                f"It has {MOST_LIVE} secrets that still sign. Wait until one ends, or "
                "roll without an overlap."
            )
        else:
            end = timezone.now() + overlap
            # One that ends sooner anyway keeps its end.
            lasting = Q(expires=None) | Q(expires__gt=end)
            row.secrets.filter(lasting).update(expires=end)
            row.secrets.filter(expires__lte=timezone.now()).delete()
        _give(row, secret)
        _note(by, "secret_rolled", row, request, overlap_hours=hours)
    secrets.forget(endpoint)
    return secret


def _usable_secret(dialect: str, given: str) -> str:
    """The secret as it is kept, a new one if none was given; "" where none is used."""
    if not secrets.has_secrets(dialect):
        if given:
            raise NotUsable(
                "This dialect signs with the project's key pair: leave the secret out.",
                "secret",
            )
        return ""
    if not given:
        return secrets.new_secret(dialect)
    try:
        secrets.check_secret(dialect, given)
    except ValueError as error:
        raise NotUsable(str(error), "secret") from error
    return given


def _give(endpoint: Endpoint, secret: str) -> None:
    if secret:
        EndpointSecret.sealed_for(endpoint, secret).save()


def _make_pair(endpoint: Endpoint) -> None:
    """A key takes a while to make, so it is made before anybody is locked out."""
    if not secrets.has_secrets(endpoint.dialect):
        signing_keys.pair_of(endpoint.project)


def _forget_all(project: Project) -> None:
    """Nobody here signs on with a pair that was read before."""
    for endpoint in Endpoint.objects.filter(project=project).only("pk"):
        secrets.forget(endpoint)


def _fit_secrets(endpoint: Endpoint) -> None:
    """Secrets that its new dialect can sign with: the old ones if they fit."""
    if secrets.has_secrets(endpoint.dialect):
        try:
            kept = [row.open() for row in live_secrets(endpoint)]
            for secret in kept:
                secrets.check_secret(endpoint.dialect, secret)
        except ValueError:
            kept = []
        if kept:
            return
    endpoint.secrets.all().delete()
    _give(endpoint, _usable_secret(endpoint.dialect, ""))


# --------------------------------------------------------------------------- the rows
def _of(project: Project) -> QuerySet[Endpoint]:
    return Endpoint.objects.filter(project=project, kind=Endpoint.Kind.ENDPOINT)


@contextmanager
def _changing(endpoint: Endpoint) -> Iterator[Endpoint]:
    """The row as it stands, one change at a time. Raises NotUsable if it is gone."""
    with transaction.atomic():
        rows = Endpoint.objects.select_for_update(of=("self",))
        row = rows.select_related("project__merchant").filter(pk=endpoint.pk).first()
        if row is None:
            raise NotUsable("The endpoint was deleted in the meantime.")
        yield row


def _as_read(endpoint: Endpoint, row: Endpoint) -> Endpoint:
    """The caller's own object, as the row stands now."""
    for field in Endpoint._meta.concrete_fields:
        setattr(endpoint, field.attname, getattr(row, field.attname))
    return endpoint


def _person(by: Actor | None) -> User | None:
    if isinstance(by, Member):
        return by.user
    return by if isinstance(by, User) else None


def _note(
    by: Actor | None,
    verb: str,
    endpoint: Endpoint,
    request: HttpRequest | None,
    **detail: Any,
) -> None:
    audit.note(
        by or "command",
        f"endpoint.{verb}",
        endpoint,
        merchant=endpoint.project.merchant,
        detail={"project": endpoint.project.slug, **detail},
        request=request,
    )
