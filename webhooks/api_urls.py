"""The post room's part of the API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from webhooks.api_events import EventDetail, EventList

urlpatterns: list[URLPattern | URLResolver] = [
    path("v1/events", EventList.as_view(), name="api_events"),
    path("v1/events/<str:id>", EventDetail.as_view(), name="api_event"),
]
