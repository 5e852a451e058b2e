"""The post room's pages. Its public door is a middleware, not a route."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from webhooks.views import deliveries, delivery_charts, events, inbox

app_name = "webhooks"

one: list[URLPattern | URLResolver] = [
    path("", inbox.inbound, name="inbound"),
    path("body/", inbox.body, name="body"),
    path("read-again/", inbox.read_again, name="read_again"),
    path("accept/", inbox.accept, name="accept"),
]

out: list[URLPattern | URLResolver] = [
    path("events/", events.events, name="events"),
    path("events/<str:key>/", events.event, name="event"),
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/charts/", delivery_charts.delivery_charts, name="delivery_charts"),
    path("deliveries/<str:id>/", deliveries.delivery, name="delivery"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("inbound/", inbox.inbox, name="inbox"),
    path("inbound/refused/", inbox.refusals, name="refusals"),
    path("inbound/<uuid:id>/", include(one)),
    path("", include(out)),
]
