"""The post room's pages. Its public door is a middleware, not a route."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from webhooks.views import connecting, connection_keys, connections, inbox

app_name = "webhooks"

one: list[URLPattern | URLResolver] = [
    path("", inbox.inbound, name="inbound"),
    path("body/", inbox.body, name="body"),
    path("read-again/", inbox.read_again, name="read_again"),
    path("accept/", inbox.accept, name="accept"),
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
