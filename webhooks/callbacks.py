"""Endpoints that single purchases brought along: one for each project and URL."""

from __future__ import annotations

from uuid import uuid5

from merchant.models import Project
from webhooks import reach, signing_keys
from webhooks.endpoints.terms import USUAL_RATE
from webhooks.models import Endpoint
from webhooks.models.endpoint import Dialect


def endpoint_for(project: Project, url: str) -> Endpoint:
    """The endpoint through which this URL is told, made where there is none.

    It speaks Paysecure's dialect, whose purchases carry callbacks. Raises
    NotAllowed of merchant.destinations where the URL must not be called.
    """
    reach.check_url(url)
    signing_keys.pair_of(project)
    # The id is made of the two, so that those who name a URL together make one row.
    endpoint, _made = Endpoint.objects.get_or_create(
        pk=uuid5(project.pk, f"callback:{url}"),
        defaults={
            "project": project,
            "kind": Endpoint.Kind.CALLBACK,
            "url": url,
            "dialect": Dialect.PAYSECURE,
            "rate": USUAL_RATE,
        },
    )
    return endpoint
