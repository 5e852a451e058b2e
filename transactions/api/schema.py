"""The transactions of the API described: parameters, objects, examples."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers

from merchant.api_schema import IDEMPOTENCY_KEY, errors
from merchant.providers import CHOICES as PROVIDERS
from transactions.api.examples import EXAMPLE, LISTED
from transactions.filter_fields import SURENESS
from transactions.statuses import (
    DisputeStatus,
    FulfilmentStatus,
    RefundStatus,
    Status,
)

MINOR = "Whole ISO 4217 minor units: 1999 is 19.99 EUR, 500 is 500 JPY."
UNIX = "Unix seconds."
DATE = (
    "A day such as 2026-03-31, which starts in the project's time zone, an ISO 8601 "
    "time or Unix seconds."
)


# ------------------------------------------------------------------------ the objects
def _amount(**more: Any) -> serializers.IntegerField:
    return serializers.IntegerField(help_text=MINOR, **more)


def _time(**more: Any) -> serializers.IntegerField:
    return serializers.IntegerField(help_text=UNIX, **more)


def _text(**more: Any) -> serializers.CharField:
    return serializers.CharField(allow_null=True, **more)


class Settlement(serializers.Serializer):
    currency = _text()
    amount = _amount(allow_null=True)
    fee = _amount(allow_null=True)
    net = _amount(allow_null=True)
    exchange_rate = _text(help_text="A decimal number as text.")


class TransactionCustomer(serializers.Serializer):
    id = serializers.UUIDField(allow_null=True)
    name = _text()
    email = _text()
    country = _text(help_text="ISO 3166 alpha-2.")


class PaymentMethod(serializers.Serializer):
    type = _text()
    brand = _text()
    last4 = _text()


class Item(serializers.Serializer):
    product = serializers.UUIDField()
    name = serializers.CharField()
    sku = _text()
    quantity = serializers.IntegerField()
    amount = _amount(allow_null=True)
    platform = _text()


class RefundObject(serializers.Serializer):
    id = serializers.UUIDField()
    object = serializers.ChoiceField(["refund"])
    transaction = serializers.UUIDField()
    amount = _amount(allow_null=True)
    currency = _text()
    status = serializers.ChoiceField(RefundStatus.choices)
    reason = _text()
    provider_id = _text()
    created = _time()


class DisputeObject(serializers.Serializer):
    id = serializers.UUIDField()
    object = serializers.ChoiceField(["dispute"])
    transaction = serializers.UUIDField()
    amount = _amount(allow_null=True)
    currency = _text()
    status = serializers.ChoiceField(DisputeStatus.choices)
    reason = _text()
    due_by = _time(allow_null=True)
    provider_id = _text()
    created = _time()


class Fulfilment(serializers.Serializer):
    status = serializers.ChoiceField(FulfilmentStatus.choices)


class TransactionObject(serializers.Serializer):
    id = serializers.UUIDField()
    object = serializers.ChoiceField(["transaction"])
    project = serializers.UUIDField()
    provider = serializers.ChoiceField(PROVIDERS)
    provider_id = _text()
    livemode = serializers.BooleanField()
    status = serializers.ChoiceField(Status.choices)
    status_reason = _text()
    refund_pending = serializers.BooleanField()
    verified = serializers.BooleanField(
        help_text="False while the amount is not covered by a proof of the provider."
    )
    amount = _amount(allow_null=True)
    currency = _text(help_text="ISO 4217 in lower case.")
    amount_refunded = _amount()
    fee = _amount(allow_null=True)
    net = _amount(allow_null=True)
    settlement = Settlement(allow_null=True)
    description = _text()
    customer = TransactionCustomer(allow_null=True)
    payment_method = PaymentMethod(allow_null=True)
    items = Item(many=True)
    refunds = RefundObject(many=True)
    disputes = DisputeObject(many=True)
    fulfilment = Fulfilment()
    order_reference = _text()
    metadata = serializers.DictField()
    sequence = serializers.IntegerField(help_text="Grows with every change.")
    created = _time()
    paid = _time(allow_null=True)
    updated = _time()


class ChangedTransaction(TransactionObject):
    success_callback = _text(help_text="The URL that alone is told of the success.")
    failure_callback = _text(help_text="The same for the failure.")


class TransactionChange(serializers.Serializer):
    success_callback = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=2048,
        help_text="Told of payment.success, and no endpoint of the project is; an "
        "empty text takes it back. https, public, in the dialect `paysecure`.",
    )
    failure_callback = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=2048,
        help_text="The same for payment.failed, payment.cancel and payment.expired.",
    )
    order_reference = serializers.CharField(
        required=False, allow_blank=True, allow_null=True, max_length=200
    )
    metadata = serializers.DictField(
        required=False,
        help_text="Keys to set beside those that are there; an empty value takes its "
        "key away, an empty text instead of the object all of them. What is set here "
        "wins over what the provider says.",
    )


class TransactionListObject(serializers.Serializer):
    object = serializers.ChoiceField(["list"])
    url = serializers.CharField()
    has_more = serializers.BooleanField()
    data = TransactionObject(many=True)


# --------------------------------------------------------------------- the parameters
def several(words: list[str] | None = None) -> dict[str, Any]:
    item: dict[str, Any] = {"type": "string"}
    return {"type": "array", "items": item | ({"enum": words} if words else {})}


WHOLE = {"type": "integer", "format": "int64"}
MOMENT = {"type": "string", "format": "date-time"}
ID = {"type": "string", "format": "uuid"}
CURRENCIES = {
    "type": "array",
    "items": {"type": "string", "pattern": "^[A-Za-z]{3}$"},
}
COUNTRIES = {
    "type": "array",
    "items": {"type": "string", "pattern": "^[A-Za-z]{2}$"},
}

#: name -> (schema, what it does).
PARAMETERS: dict[str, tuple[dict[str, Any], str]] = {
    "project": (several(), "Short name or id of a project that the key may see."),
    "provider": (several([slug for slug, _ in PROVIDERS]), "Who took the payment."),
    "product": (
        several(),
        "Name, our id, or the provider's product id or sku; takes all products of that "
        "name.",
    ),
    "status": (several(list(Status.values)), "Status of the transaction."),
    "currency": (CURRENCIES, "Currency of the purchase."),
    "method": (several(), "Kind of payment method, such as card."),
    "brand": (several(), "Brand of the payment method, such as visa."),
    "country": (COUNTRIES, "Country of the customer, ISO 3166 alpha-2."),
    "customer": (several(), "Our id of the customer, your own id of them, or e-mail."),
    "amount[gte]": (WHOLE, f"At least this amount. {MINOR}"),
    "amount[lte]": (WHOLE, f"At most this amount. {MINOR}"),
    "amount[eq]": (
        {"type": "array", "items": WHOLE},
        f"Exactly this amount. {MINOR}",
    ),
    "created[gte]": (MOMENT, f"Created at this time or later. {DATE}"),
    "created[lt]": (MOMENT, f"Created before this time. {DATE}"),
    "paid[gte]": (MOMENT, f"Paid at this time or later. {DATE}"),
    "paid[lt]": (MOMENT, f"Paid before this time. {DATE}"),
    "fulfilment": (
        several(list(FulfilmentStatus.values)),
        "Whether it was handed over.",
    ),
    "refund_pending": ({"type": "boolean"}, "Whether a refund is on its way."),
    "dispute": (
        several(list(DisputeStatus.values)),
        "Has a dispute that stands like this.",
    ),
    "verified": (
        several(list(SURENESS)),
        "Whether the provider confirmed the amount, or a member accepted it by hand.",
    ),
    "to_revoke": (
        {"type": "boolean"},
        "Charged back, and nobody said yet what becomes of what was delivered.",
    ),
    "noted": ({"type": "boolean"}, "Whether staff wrote notes about it."),
    "livemode": ({"type": "boolean"}, "Live or test; both when absent."),
    "q": (
        {"type": "string", "maxLength": 300},
        "Search: an id of ours or the provider's, an order reference, a part of an "
        "e-mail or name, the last four digits of a card, an amount such as 19.99, or a "
        "value of the metadata.",
    ),
    "limit": (
        {"type": "integer", "minimum": 1, "maximum": 100, "default": 25},
        "How many to answer with.",
    ),
    "starting_after": (ID, "Continues below this transaction, with older ones."),
    "ending_before": (ID, "Continues above this transaction, with newer ones."),
}


def parameter(name: str, schema: dict[str, Any], words: str) -> OpenApiParameter:
    listed = schema.get("type") == "array"
    if listed:
        words += " Several values: separate them by commas, or repeat the name."
    return OpenApiParameter(
        name,
        schema,
        OpenApiParameter.QUERY,
        description=words,
        style="form" if listed else None,
        explode=True if listed else None,
    )


# --------------------------------------------------------------------- the operations
LIST = extend_schema(
    operation_id="list_transactions",
    summary="List transactions",
    description="Newest first by (created, id).",
    tags=["Transactions"],
    parameters=[parameter(name, *told) for name, told in PARAMETERS.items()],
    responses={
        200: OpenApiResponse(
            TransactionListObject, examples=[OpenApiExample("A list", value=LISTED)]
        ),
        **errors(400, 404),
    },
)
DETAIL = extend_schema(
    operation_id="get_transaction",
    summary="Get a transaction",
    description="The id of a row that was joined to another answers with that one.",
    tags=["Transactions"],
    parameters=[OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
    responses={
        200: OpenApiResponse(
            TransactionObject, examples=[OpenApiExample("Paid", value=EXAMPLE)]
        ),
        **errors(404),
    },
)
CHANGE = extend_schema(
    operation_id="change_transaction",
    summary="Write on a transaction",
    description="Needs a key with the scope `write`. What is left out stays as it is; "
    "an Idempotency-Key is welcome.",
    tags=["Transactions"],
    parameters=[
        OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH),
        IDEMPOTENCY_KEY,
    ],
    request={
        "application/json": TransactionChange,
        "application/x-www-form-urlencoded": TransactionChange,
    },
    responses={
        200: OpenApiResponse(
            ChangedTransaction,
            examples=[
                OpenApiExample(
                    "A transaction",
                    value=EXAMPLE
                    | {
                        "success_callback": "https://shop.example.com/paid",
                        "failure_callback": None,
                    },
                )
            ],
        ),
        **errors(400, 404, 409, 415),
    },
)
