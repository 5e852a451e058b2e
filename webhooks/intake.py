"""Letters in: check the seal, keep the letter once, ring the bell; nothing more.

Who knocks gets an answer only after the commit. What a letter means is the ledger's
business, later.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from merchant import audit, ids, queue
from merchant.models import Connection
from merchant.providers.base import BadSignature, Incoming, Keys, Unreadable, text
from webhooks import headers, keeping, proof, refusals
from webhooks.models import InboundEvent

State = InboundEvent.State

LONGEST_KEY = 200
JSON = "application/json"
SAYS_ELSE = "An earlier event has the same id and says something else."

#: What PostgreSQL will not store as text.
_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sender is told. `status`: of HTTP; `event_id`: of the row, if kept."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    duplicate: bool = False
    event_id: UUID | None = None


class NotPossible(ValueError):
    """The event is in a state in which this cannot be done; says which."""


# ------------------------------------------------------------------------ receiving
def receive(
    connection: Connection, keys: Keys, incoming: Incoming, address: str | None = None
) -> Receipt:
    """Takes one delivery in, or says why not. `address`: who sent it, for refusals.

    Raises what the database raises when it is away, and vault.Locked.
    """
    try:
        verdict = proof.verify(connection, keys, incoming)
    except BadSignature as error:
        return _refuse(connection, incoming, error, address)
    except proof.Gone:
        return problem(404, "connection_unknown", "There is no such connection.")
    try:
        understood = proof.understand(connection, incoming)
    except Unreadable as error:
        return _quarantine(connection, incoming, verdict, str(error))
    event = _letter(connection, incoming, verdict)
    _address(event, understood)
    kept = keeping.keep(event)
    if kept.fresh:
        queue.ring(settings.INBOX_JOB)
    elif kept.fingerprint != event.fingerprint:
        kept = _keep_conflict(event)
    reply = proof.reply(connection, incoming, understood, not kept.fresh)
    if reply is not None:
        return Receipt(
            reply.status, reply.body, reply.content_type, not kept.fresh, kept.id
        )
    return _received(kept)


def problem(status: int, code: str, message: str) -> Receipt:
    """A refusal in the shape of the API's errors."""
    kind = "authentication_error" if status == 401 else "invalid_request_error"
    told = {"type": kind, "code": code, "message": message, "param": None}
    return Receipt(status, json.dumps({"error": told}).encode())


def _received(kept: keeping.Kept) -> Receipt:
    told = {"received": True, "duplicate": not kept.fresh}
    body = json.dumps(told).encode()
    return Receipt(200, body, duplicate=not kept.fresh, event_id=kept.id)


def _letter(connection: Connection, incoming: Incoming, verdict: str) -> InboundEvent:
    """The row of a delivery of which nothing is known but that it is authentic."""
    digest = hashlib.sha256(incoming.body).hexdigest()
    return InboundEvent(
        id=ids.new(),
        connection_id=connection.pk,
        event_key=digest,
        event_type="",
        state=State.PENDING,
        headers=headers.kept(incoming.headers),
        body=incoming.body,
        fingerprint=digest,
        verdict=text(verdict, 200) or "",
        received=incoming.received,
        due=timezone.now(),
    )


def _address(event: InboundEvent, understood: proof.Understood) -> None:
    """Writes on the letter what it says it is."""
    envelope = understood.envelope
    event.event_key = _key(envelope.event_id)
    event.event_type = text(envelope.event_type, 120) or ""
    event.account = text(envelope.account, 80) or ""
    event.livemode = None if envelope.livemode is None else bool(envelope.livemode)
    event.testing = bool(envelope.testing)
    event.fingerprint = envelope.fingerprint or event.fingerprint


def _key(event_id: str) -> str:
    """The provider's id, or its hash where no column holds it as it is."""
    if len(event_id) <= LONGEST_KEY and not _NOT_TEXT.search(event_id):
        return event_id
    return hashlib.sha256(event_id.encode("utf-8", "surrogatepass")).hexdigest()


def _keep_conflict(event: InboundEvent) -> keeping.Kept:
    """The same id with another body: kept once for a person to see, without effect."""
    event.event_key = f"{event.event_key}#{event.fingerprint[:16]}"
    event.state, event.note = State.CONFLICT, SAYS_ELSE
    kept = keeping.keep(event)
    return keeping.Kept(kept.id, False, kept.fingerprint)


def _quarantine(
    connection: Connection, incoming: Incoming, verdict: str, why: str
) -> Receipt:
    """Authentic, so it is kept; sending it again would not make it readable, so 200."""
    event = _letter(connection, incoming, verdict)
    event.state, event.error = State.QUARANTINED, text(why) or ""
    return _received(keeping.keep(event))


def _refuse(
    connection: Connection, incoming: Incoming, error: BadSignature, address: str | None
) -> Receipt:
    words = text(str(error), 300) or "The signature is wrong."
    refusals.note(connection.pk, error.code, words, incoming, address)
    answer = problem(error.status, f"signature_{error.code}", words)
    if not error.stale:
        return answer
    kept = _keep_stale(connection, incoming, words)
    return Receipt(answer.status, answer.body, event_id=kept.id)


def _keep_stale(connection: Connection, incoming: Incoming, words: str) -> keeping.Kept:
    """Right signature, wrong time: kept for a member to accept.

    Under a key of its own, so that the same event sent again in time is the first.
    """
    event = _letter(connection, incoming, words)
    try:
        _address(event, proof.understand(connection, incoming))
    except Unreadable as error:
        event.error = text(str(error)) or ""
    event.event_key = f"refused#{hashlib.sha256(incoming.body).hexdigest()}"
    event.state = State.REFUSED
    return keeping.keep(event)


# --------------------------------------------------------------------- second looks
def accept(event: InboundEvent, actor: audit.Actor) -> InboundEvent:
    """Takes in a delivery that only came too late (or too early).

    Raises NotPossible when it does not wait for that.
    """
    with transaction.atomic():
        event = _locked(event)
        if event.state != State.REFUSED:
            raise NotPossible("Only a refused delivery can be accepted.")
        event.verdict = text(f"Accepted by hand. {event.verdict}", 200) or ""
        _put_in(event)
        _note(event, actor, "inbound.accepted")
    queue.ring(settings.INBOX_JOB)
    return event


def read_again(event: InboundEvent, actor: audit.Actor) -> InboundEvent:
    """Lets the ledger read the event anew, now. Raises NotPossible.

    What is known already changes nothing when it is read twice.
    """
    with transaction.atomic():
        event = _locked(event)
        if event.state in {State.CONFLICT, State.REFUSED}:
            raise NotPossible("This event has no effect, so it is not read again.")
        if event.state == State.QUARANTINED:
            _put_in(event)
        else:
            _make_due(event)
            event.save()
        _note(event, actor, "inbound.read_again")
    queue.ring(settings.INBOX_JOB)
    return event


def _locked(event: InboundEvent) -> InboundEvent:
    rows = InboundEvent.objects.select_related("connection__project__merchant")
    return rows.select_for_update(of=("self",)).get(pk=event.pk)


def _make_due(event: InboundEvent) -> None:
    event.state, event.tries, event.due = State.PENDING, 0, timezone.now()
    event.error = event.note = ""


def _put_in(event: InboundEvent) -> None:
    """Makes a letter that lay aside an ordinary one: under its own id, and due."""
    body, aside = bytes(event.body), event.event_key
    _make_due(event)
    try:
        incoming = Incoming(body, event.headers, event.received)
        _address(event, proof.understand(event.connection, incoming))
    except Unreadable as error:
        event.event_key = hashlib.sha256(body).hexdigest()
        event.state, event.error = State.QUARANTINED, text(str(error)) or ""
    try:
        with transaction.atomic():
            event.save()
    except IntegrityError:
        _leave_aside(event, aside)


def _leave_aside(event: InboundEvent, key: str) -> None:
    """Another row has its id already, so it stays under the key that it had.

    Either the same letter came again in time, or another one with the same id.
    """
    there = InboundEvent.objects.filter(connection_id=event.connection_id)
    first = there.get(event_key=event.event_key)
    event.event_key = key
    if first.fingerprint == event.fingerprint:
        event.state, event.read_at = State.DONE, timezone.now()
        event.note = "The same event came again meanwhile, so this one adds nothing."
    else:
        event.state, event.note = State.CONFLICT, SAYS_ELSE
    event.save()


def _note(event: InboundEvent, actor: audit.Actor, verb: str) -> None:
    detail = {"type": event.event_type, "key": event.event_key}
    merchant = event.connection.project.merchant
    audit.note(actor, verb, event, merchant=merchant, detail=detail)
