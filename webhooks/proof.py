"""What a delivery proves, and what it is: the provider's answers, whatever they are.

A provider module that breaks on a body must not break the door: its mistake counts as
that stage's "no", and the log has it without the body.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from merchant import connections, strict_json
from merchant.models import Connection
from merchant.providers import PROVIDERS
from merchant.providers.base import (
    BadSignature,
    Envelope,
    Incoming,
    Keys,
    Reply,
    Unreadable,
)

logger = logging.getLogger(__name__)


class Gone(Exception):
    """The connection was closed a moment ago."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a body says it is."""

    payload: Any
    envelope: Envelope


def verify(connection: Connection, keys: Keys, incoming: Incoming) -> str:
    """The provider's words on why it is authentic. Raises BadSignature, Gone.

    Before a refusal the connection is read once more: a secret that was entered a
    moment ago works at once.
    """
    try:
        return _verify(connection, keys, incoming)
    except BadSignature as error:
        if error.stale:
            raise
        connections.forget(connection.pk)
        found = connections.opened(connection.pk)
        if found is None:
            raise Gone from error
        if found[1] == keys:
            raise
        return _verify(*found, incoming)


def _verify(connection: Connection, keys: Keys, incoming: Incoming) -> str:
    try:
        return PROVIDERS[connection.provider].verify(incoming, keys)
    except BadSignature:
        raise
    except Exception as error:
        _log("verify", connection, error)
        raise BadSignature(
            "The signature could not be checked; the log says why.", code="failed"
        ) from error


def understand(connection: Connection, incoming: Incoming) -> Understood:
    """Parses strictly and identifies. Raises Unreadable."""
    try:
        payload = strict_json.parse(incoming.body)
    except strict_json.NotStrict as error:
        raise Unreadable(f"The body is not the JSON it should be: {error}.") from error
    try:
        envelope = PROVIDERS[connection.provider].identify(incoming, payload)
        if not envelope.event_id:
            raise Unreadable("It has no id.")
    except Unreadable:
        raise
    except Exception as error:
        _log("identify", connection, error)
        raise Unreadable("It could not be read; the log says why.") from error
    return Understood(payload, envelope)


def reply(
    connection: Connection, incoming: Incoming, understood: Understood, duplicate: bool
) -> Reply | None:
    """The answer that the provider wants instead of ours."""
    ask = getattr(PROVIDERS[connection.provider], "reply", None)
    if ask is None:
        return None
    try:
        return ask(incoming, understood.envelope, understood.payload, duplicate)
    except Exception as error:
        _log("reply", connection, error)
        return None


def _log(stage: str, connection: Connection, error: Exception) -> None:
    """Where it broke, and not on what: a traceback's message may hold the body."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}" if frame else "?"
    logger.error(
        "%s of %s broke on a delivery to %s: %s at %s",
        stage, connection.provider, connection.pk, type(error).__name__, place,
    )  # fmt: skip
