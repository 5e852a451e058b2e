"""The ledger's tables, one file per family."""

from transactions.models.lookups import LookUp
from transactions.models.purchase import (
    Customer,
    LineItem,
    Product,
    ProviderReference,
    Transaction,
    TransactionAlias,
)
from transactions.models.settled import DeliveryItem, Dispute, Refund
from transactions.models.standing import Payout, Subscription
from transactions.models.timeline import TimelineEntry

__all__ = [
    "Customer",
    "DeliveryItem",
    "Dispute",
    "LineItem",
    "LookUp",
    "Payout",
    "Product",
    "ProviderReference",
    "Refund",
    "Subscription",
    "TimelineEntry",
    "Transaction",
    "TransactionAlias",
]
