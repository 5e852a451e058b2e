"""The post room's pages. Its public door is a middleware, not a route."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from webhooks.views import (
    deliveries,
    delivery_charts,
    endpoint_acts,
    endpoint_forms,
    endpoint_tools,
    endpoints,
    events,
    inbox,
)

app_name = "webhooks"

one: list[URLPattern | URLResolver] = [
    path("", inbox.inbound, name="inbound"),
    path("body/", inbox.body, name="body"),
    path("read-again/", inbox.read_again, name="read_again"),
    path("accept/", inbox.accept, name="accept"),
]

endpoint: list[URLPattern | URLResolver] = [
    path("", endpoints.endpoint, name="endpoint"),
    path("edit/", endpoint_forms.edit, name="edit_endpoint"),
    path("secret/", endpoint_acts.reveal, name="reveal_secret"),
    path("roll/", endpoint_acts.roll, name="roll_secret"),
    path("pause/", endpoint_acts.pause, name="pause_endpoint"),
    path("enable/", endpoint_acts.enable, name="enable_endpoint"),
    path("catch-up/", endpoint_tools.catch_up, name="catch_up"),
    path("test/", endpoint_tools.send_test, name="send_test"),
    path("code/", endpoint_tools.code, name="receiver_code"),
    path("delete/", endpoint_acts.delete, name="delete_endpoint"),
]

all_endpoints: list[URLPattern | URLResolver] = [
    path("", endpoints.browse, name="endpoints"),
    path("new/", endpoint_forms.new, name="new_endpoint"),
    path("samples/<str:name>/", endpoint_tools.sample, name="sample"),
    path("proved/", endpoint_tools.proved, name="proved"),
    path("<uuid:id>/", include(endpoint)),
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
    path("webhooks/", include(all_endpoints)),
    path("", include(out)),
    path("", include("webhooks.api_urls")),
]
