"""Sends an event again."""

from __future__ import annotations

from datetime import UTC
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from merchant import moments
from merchant.management import base
from webhooks import resends
from webhooks.delivery import resending
from webhooks.models import Delivery, Endpoint, Event
from webhooks.resends.plans import Failed, Missing

#: No number of a delivery has more digits.
_DIGITS = 18


class Command(base.Command):
    help = (
        "Sends an event again, to all endpoints that were told of it or to one; or all "
        "that one endpoint has missed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "id",
            nargs="?",
            default="",
            help="of an event (msg_...), or the number of one delivery",
        )
        parser.add_argument(
            "--endpoint", default="", help="its id: send it there, told before or not"
        )
        many = parser.add_mutually_exclusive_group()
        many.add_argument(
            "--failed-since", metavar="T", help="all that failed at --endpoint since T"
        )
        many.add_argument(
            "--missing-since",
            metavar="T",
            help="all since T that --endpoint was never told and asks for now",
        )
        parser.add_argument("--rate", type=int, help="of many: so many a second")

    def act(self, *, id: str, endpoint: str, **options: Any) -> dict[str, Any]:
        failed, missing = options["failed_since"], options["missing_since"]
        if since := failed or missing:
            return _many(
                Failed if failed else Missing, since, endpoint, options["rate"]
            )
        if not id:
            raise base.WrongUse("Name an event or a delivery, or what failed since.")
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


def _many(
    kind: type[Failed | Missing], since: str, endpoint: str, rate: int | None
) -> dict[str, Any]:
    """Few are queued when this ends; many by a worker."""
    if not endpoint:
        raise base.WrongUse("Say at which endpoint: --endpoint ID.")
    if rate is not None and rate < 1:
        raise base.WrongUse("--rate is a number of deliveries a second, 1 or more.")
    try:
        moment = moments.read(since, UTC)
    except ValueError as error:
        raise base.WrongUse(str(error)) from error
    plan = kind(endpoint=_endpoint(endpoint), since=moment, rate=rate)
    try:
        run = resends.start(plan, "command")
    except resending.NotPossible as error:
        raise base.Failed(str(error)) from error
    return {"resend": str(run.pk), "state": run.state, "queued": run.queued}


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
