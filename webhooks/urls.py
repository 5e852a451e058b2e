"""The post room's pages. Its public door is a middleware, not a route."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from webhooks.views import inbox

app_name = "webhooks"

one: list[URLPattern | URLResolver] = [
    path("", inbox.inbound, name="inbound"),
    path("body/", inbox.body, name="body"),
    path("read-again/", inbox.read_again, name="read_again"),
    path("accept/", inbox.accept, name="accept"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("inbound/", inbox.inbox, name="inbox"),
    path("inbound/refused/", inbox.refusals, name="refusals"),
    path("inbound/<uuid:id>/", include(one)),
    path("", include("webhooks.api_urls")),
]
