"""The ledger's tables, one file per family."""

from transactions.models.balance import BalanceChange
from transactions.models.desk import (
    BulkAction,
    BulkItem,
    ListLayout,
    Note,
    SavedView,
)
from transactions.models.export import (
    Export,
    ExportFormat,
    ExportPreset,
    ExportSchedule,
    ExportStyle,
)
from transactions.models.fulfilment import FulfilmentRule
from transactions.models.lookups import LookUp
from transactions.models.purchase import (
    Customer,
    LineItem,
    Product,
    ProviderReference,
    Transaction,
    TransactionAlias,
)
from transactions.models.settled import (
    DeliveryItem,
    Dispute,
    Refund,
    RefundLimit,
)
from transactions.models.standing import Payout, Subscription
from transactions.models.telling import Callback, HeldNews
from transactions.models.timeline import TimelineEntry
from transactions.models.totals import HourTotal, ProductTotal

__all__ = [
    "BalanceChange",
    "BulkAction",
    "BulkItem",
    "Callback",
    "Customer",
    "DeliveryItem",
    "Dispute",
    "Export",
    "ExportFormat",
    "ExportPreset",
    "ExportSchedule",
    "ExportStyle",
    "FulfilmentRule",
    "HeldNews",
    "HourTotal",
    "LineItem",
    "ListLayout",
    "LookUp",
    "Note",
    "Payout",
    "Product",
    "ProductTotal",
    "ProviderReference",
    "Refund",
    "RefundLimit",
    "SavedView",
    "Subscription",
    "TimelineEntry",
    "Transaction",
    "TransactionAlias",
]
