"""Sends an event again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from merchant.management import base
from webhooks.delivery import resending
from webhooks.models import Delivery, Endpoint, Event

#: No number of a delivery has more digits.
_DIGITS = 18


class Command(base.Command):
    help = "Sends an event again, to all endpoints that were told of it or to one."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "id", help="of an event (msg_...), or the number of one delivery"
        )
        parser.add_argument(
            "--endpoint", default="", help="its id: send it there, told before or not"
        )

    def act(self, *, id: str, endpoint: str, **_options: Any) -> dict[str, Any]:
        event, deliveries = _found(id)
        try:
            if endpoint:
                sent = [resending.event_to(event, _endpoint(endpoint), "command")]
            else:
                if not deliveries:
                    raise base.Failed(
                        "No enabled endpoint was told of it; name one with --endpoint."
                    )
                sent = [resending.again(one, "command") for one in deliveries]
        except resending.NotPossible as error:
            raise base.Failed(str(error)) from error
        return {
            "event": event.key,
            "deliveries": [one.pk for one in sent],
            "endpoints": [str(one.endpoint_id) for one in sent],
        }


def _found(id: str) -> tuple[Event, list[Delivery]]:
    """The event, and the deliveries that are meant. Raises Failed."""
    rows = Delivery.objects.select_related("event", "endpoint__project__merchant")
    if id.isascii() and id.isdigit() and len(id) <= _DIGITS:
        delivery = rows.filter(pk=int(id)).first()
        if delivery is None:
            raise base.Failed(f"There is no delivery with the number {id}.")
        return delivery.event, [delivery]
    event = Event.objects.filter(key=id).first()
    if event is None:
        raise base.Failed(
            f"There is no event {id!r}; the page Events lists those that there are."
        )
    mine = rows.filter(event=event, endpoint__state=Endpoint.State.ENABLED)
    return event, list(mine.order_by("id"))


def _endpoint(id: str) -> Endpoint:
    try:
        rows = Endpoint.objects.filter(pk=UUID(id))
    except ValueError:
        raise base.WrongUse(f"--endpoint takes an endpoint's id, not {id!r}.") from None
    found = rows.select_related("project__merchant").first()
    if found is None:
        raise base.Failed(f"There is no endpoint with the id {id}.")
    return found
