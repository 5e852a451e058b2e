"""The post room's ledgers: letters in, and letters out."""

from webhooks.models.endpoint import Endpoint, EndpointSecret, SigningKey
from webhooks.models.inbound import Alert, InboundEvent, Refusal
from webhooks.models.outbound import Attempt, Delivery, Event
from webhooks.models.resend import Resend

__all__ = [
    "Alert",
    "Attempt",
    "Delivery",
    "Endpoint",
    "EndpointSecret",
    "Event",
    "InboundEvent",
    "Refusal",
    "Resend",
    "SigningKey",
]
