"""The ledger's addresses: pages for staff, and the API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from transactions.api import TransactionDetail, TransactionList
from transactions.api_refunds import RefundDetail, RefundList
from transactions.views import browse, card
from transactions.views.metrics import Metrics

app_name = "transactions"

Patterns = list[URLPattern | URLResolver]

pages: Patterns = [
    path("transactions/", browse.browse, name="list"),
    path("transactions/<uuid:id>/", card.card, name="card"),
]

api: Patterns = [
    path("v1/transactions", TransactionList.as_view(), name="api_list"),
    path("v1/transactions/<str:id>", TransactionDetail.as_view(), name="api_card"),
    path("v1/refunds", RefundList.as_view(), name="api_refunds"),
    path("v1/refunds/<str:id>", RefundDetail.as_view(), name="api_refund"),
    path("metrics", Metrics.as_view(), name="metrics"),
]

urlpatterns = pages + api
