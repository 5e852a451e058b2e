"""The site map. Deliveries (/hooks/...) are answered before it, by IntakeMiddleware."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [
    path("", include("merchant.pages")),
    path("", include("webhooks.urls")),
    path("", include("transactions.urls")),
    path("", include("merchant.api_urls")),
]

handler400 = "merchant.views.errors.bad_request"
handler403 = "merchant.views.errors.forbidden"
handler404 = "merchant.views.errors.not_found"
handler500 = "merchant.views.errors.failed"
