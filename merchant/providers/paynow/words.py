"""PayNow's words and ours: events, statuses, reasons."""

from __future__ import annotations

import re

#: The webhook's name of the one event that the API calls something else.
_RENAMED = {
    "ON_DISCORD_ORDER_ACTIONS_QUEUED": "ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT",
}
_CAPITAL = re.compile("(?<=[a-z0-9])(?=[A-Z])")

#: Events that the enums know, but of which no body is published: kept, not read.
UNPUBLISHED = frozenset(
    {
        "ON_CONNECTED_USER_REGISTERED",
        "ON_CONNECTED_USER_BECAME_PAYABLE",
        "ON_CONNECTED_USER_BECAME_UNPAYABLE",
        "ON_CONNECTED_USER_PAYOUT_CREATED",
        "ON_CONNECTED_USER_PAYOUT_COMPLETED",
        "ON_CONNECTED_USER_TRANSACTION_INSERTED",
        "ON_CONNECTED_USER_TRUST_STATUS_CHANGED",
        "ON_PURCHASE_FOLLOW_UP_ATTEMPT_EMAIL_SENT",
        "ON_PURCHASE_FOLLOW_UP_ATTEMPT_SUCCEEDED",
        "ON_ABANDONED_CHECKOUT_RECOVERY_ATTEMPT_EMAIL_SENT",
        "ON_ABANDONED_CHECKOUT_RECOVERY_ATTEMPT_SUCCEEDED",
        "ON_IGNORE",
    }
)

#: An order that was given back or charged back had been paid; refunds and disputes
#: tell the rest.
ORDER_STATUSES = {
    "created": "created",
    "completed": "paid",
    "canceled": "canceled",
    "refunded": "paid",
    "chargeback": "paid",
}

PAYMENT_STATUSES = {
    "unknown": "created",
    "created": "created",
    "pending": "pending",
    "completed": "paid",
    "canceled": "canceled",
    "failed": "failed",
    "refunded": "paid",
    "chargeback": "paid",
    "refund_failed": "paid",
    "refund_processing": "paid",
}

REFUND_STATUSES = {
    "created": "pending",
    "approved": "pending",
    "processing": "pending",
    "completed": "succeeded",
    "canceled": "canceled",
    "failed": "failed",
}

CHARGEBACK_STATUSES = {"pending": "open", "won": "won", "lost": "lost"}

#: event -> (our status of the item, its place among the states of one item)
DELIVERY_EVENTS = {
    "ON_DELIVERY_ITEM_ADDED": ("usable", 0),
    "ON_DELIVERY_ITEM_ACTIVATED": ("active", 1),
    "ON_DELIVERY_ITEM_RENEWED": ("renewed", 2),
    "ON_DELIVERY_ITEM_USED": ("used", 3),  # deprecated, still sent
    "ON_DELIVERY_ITEM_EXPIRED": ("expired", 4),  # the item's own state has no such word
    "ON_DELIVERY_ITEM_REVOKED": ("revoked", 5),
}

SUBSCRIPTION_EVENTS = {
    "ON_SUBSCRIPTION_ACTIVATED": ("active", 1),
    "ON_SUBSCRIPTION_RENEWED": ("active", 2),
    "ON_SUBSCRIPTION_CANCELED": ("canceled", 3),
}

TRIAL_EVENTS = {
    "ON_TRIAL_ACTIVATED": ("trialing", 1),
    "ON_TRIAL_COMPLETED": ("completed", 2),
    "ON_TRIAL_CANCELED": ("canceled", 2),
}

#: Why a payment was declined; a code that is not here is shown as it came.
DECLINES = {
    "authentication_required": "The bank asks the customer to confirm the payment",
    "authentication_failed": "The customer did not confirm the payment",
    "approve_with_id": "The bank could not authorize the payment",
    "call_issuer": "The bank declined; the customer has to call it",
    "card_not_supported": "The card does not support this kind of purchase",
    "card_velocity_exceeded": "The card's limit for a period is used up",
    "currency_not_supported": "The card does not support the currency",
    "do_not_honor": "The bank declined without saying why",
    "do_not_try_again": "The bank declined for good",
    "duplicate_transaction": "The same payment was made a moment ago",
    "expired_card": "The card has expired",
    "fraudulent": "The payment was taken for fraud",
    "generic_decline": "The bank declined without saying why",
    "incorrect_address": "The billing address is wrong",
    "incorrect_cvc": "The card's security code is wrong",
    "incorrect_number": "The card number is wrong",
    "incorrect_pin": "The PIN is wrong",
    "incorrect_zip": "The postal code is wrong",
    "insufficient_funds": "Insufficient funds",
    "invalid_account": "The card or account is not valid",
    "invalid_amount": "The amount is not allowed",
    "invalid_cvc": "The card's security code is wrong",
    "invalid_expiry_month": "The card's expiry month is wrong",
    "invalid_expiry_year": "The card's expiry year is wrong",
    "invalid_number": "The card number is wrong",
    "invalid_pin": "The PIN is wrong",
    "issuer_not_available": "The bank could not be reached",
    "lost_card": "The card was reported lost",
    "merchant_blacklist": "The customer is on the block list",
    "new_account_information_available": "The card or account is not valid",
    "no_action_taken": "The bank declined without saying why",
    "not_permitted": "The card does not allow the payment",
    "offline_pin_required": "The card needs a PIN",
    "pickup_card": "The card cannot be used",
    "processing_error": "Something went wrong while the payment was processed",
    "reenter_transaction": "The payment has to be tried again",
    "restricted_card": "The card is restricted",
    "revocation_of_authorization": "The customer revoked the authorization",
    "security_violation": "The bank declined for safety",
    "service_not_allowed": "The card does not allow this kind of purchase",
    "stolen_card": "The card was reported stolen",
    "stop_payment_order": "The customer stopped the payment at the bank",
    "transaction_not_allowed": "The card does not allow this kind of purchase",
    "try_again_later": "The bank asks to try again later",
    "withdrawal_count_limit_exceeded": "The card's limit is used up",
}


def event_name(spelt: str) -> str:
    """One spelling for the three that are in circulation.

    "ON_ORDER_COMPLETED", "OnOrderCompleted" and "on_order_completed" are one event.
    """
    snake = spelt if "_" in spelt else _CAPITAL.sub("_", spelt)
    name = snake.upper()
    return _RENAMED.get(name, name)


def api_name(event: str) -> str:
    """As the management API spells it: "ON_ORDER_COMPLETED" -> "OnOrderCompleted"."""
    renamed = {ours: theirs for theirs, ours in _RENAMED.items()}
    return renamed.get(event, event).title().replace("_", "")


def in_words(code: str) -> str:
    """A code that has no sentence of ours, readable: "customer_request" and alike."""
    return code.replace("_", " ").strip().capitalize()
