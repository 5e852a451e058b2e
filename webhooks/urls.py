"""The post room's pages. Its public door is a middleware, not a route."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from webhooks.views import deliveries, delivery_charts, events, inbox, resend

app_name = "webhooks"

one: list[URLPattern | URLResolver] = [
    path("", inbox.inbound, name="inbound"),
    path("body/", inbox.body, name="body"),
    path("read-again/", inbox.read_again, name="read_again"),
    path("accept/", inbox.accept, name="accept"),
]

events_out: list[URLPattern | URLResolver] = [
    path("", events.events, name="events"),
    path("<str:key>/", events.event, name="event"),
    path("<str:key>/send/", resend.send_event, name="send_event"),
]

letters_out: list[URLPattern | URLResolver] = [
    path("", deliveries.deliveries, name="deliveries"),
    path("charts/", delivery_charts.delivery_charts, name="delivery_charts"),
    path("resend/", resend.resend, name="resend"),
    path("<str:id>/", deliveries.delivery, name="delivery"),
    path("<str:id>/resend/", resend.resend_one, name="resend_one"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("inbound/", inbox.inbox, name="inbox"),
    path("inbound/refused/", inbox.refusals, name="refusals"),
    path("inbound/<uuid:id>/", include(one)),
    path("events/", include(events_out)),
    path("deliveries/", include(letters_out)),
]
