"""The post room's pages. Its public door is a middleware, not a route."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from webhooks.views import (
    connecting,
    connection_keys,
    connections,
    deliveries,
    delivery_charts,
    endpoint_acts,
    endpoint_forms,
    endpoint_tools,
    endpoints,
    events,
    inbox,
    resend,
    resends,
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
    path("check/", endpoint_tools.check, name="check_handler"),
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

events_out: list[URLPattern | URLResolver] = [
    path("", events.events, name="events"),
    path("<str:key>/", events.event, name="event"),
    path("<str:key>/send/", resend.send_event, name="send_event"),
]

letters_out: list[URLPattern | URLResolver] = [
    path("", deliveries.deliveries, name="deliveries"),
    path("charts/", delivery_charts.delivery_charts, name="delivery_charts"),
    path("resend/", resend.resend, name="resend"),
    path("resends/", resends.browse, name="resend_runs"),
    path("resends/<uuid:id>/", resends.page, name="resend_run"),
    path("resends/<uuid:id>/cancel/", resends.cancel, name="cancel_resend"),
    path("<str:id>/", deliveries.delivery, name="delivery"),
    path("<str:id>/resend/", resend.resend_one, name="resend_one"),
]

connection: list[URLPattern | URLResolver] = [
    path("", connections.page, name="connection"),
    path("heard/", connections.heard, name="heard"),
    path("edit/", connecting.edit, name="connection_edit"),
    path("keys/", connection_keys.keys, name="connection_keys"),
    path("close/", connecting.close, name="connection_close"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("inbound/", inbox.inbox, name="inbox"),
    path("inbound/refused/", inbox.refusals, name="refusals"),
    path("inbound/<uuid:id>/", include(one)),
    path("webhooks/", include(all_endpoints)),
    path("events/", include(events_out)),
    path("deliveries/", include(letters_out)),
    path("", include("webhooks.api.urls")),
    path("connections/", connections.browse, name="connections"),
    path("connections/new/", connecting.choose, name="connection_choose"),
    path("connections/new/<slug:provider>/", connecting.open, name="connection_open"),
    path(
        "connections/keys/<uuid:id>/end/",
        connection_keys.end,
        name="connection_end_key",
    ),
    path("connections/<uuid:id>/", include(connection)),
]
