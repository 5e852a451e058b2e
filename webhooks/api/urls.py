"""The post room's part of the API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from webhooks.api.endpoints import EndpointDetail, EndpointList
from webhooks.api.events import EventDetail, EventList
from webhooks.api.stores import (
    StoreHistory,
    StoreResend,
    StoreVariables,
    StoreWebhook,
    StoreWebhooks,
)

STORE = "v1/stores/<str:store>/webhooks"

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/events", EventList.as_view(), name="api_events"),
    path("v1/events/<str:id>", EventDetail.as_view(), name="api_event"),
    path("v1/webhook_endpoints", EndpointList.as_view(), name="api_endpoints"),
    path(
        "v1/webhook_endpoints/<str:id>", EndpointDetail.as_view(), name="api_endpoint"
    ),
    path(STORE, StoreWebhooks.as_view(), name="api_store_webhooks"),
    path(f"{STORE}/resend", StoreResend.as_view(), name="api_store_resend"),
    path(f"{STORE}/variables", StoreVariables.as_view(), name="api_store_variables"),
    path(f"{STORE}/<str:id>", StoreWebhook.as_view(), name="api_store_webhook"),
    path(f"{STORE}/<str:id>/history", StoreHistory.as_view(), name="api_store_history"),
]
