"""Where events go: endpoints, and what their letters are signed with."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.utils import timezone

from merchant import ids, vault
from merchant.models import Project, User


class Dialect(models.TextChoices):
    """In whose words an endpoint is told: ours, or a provider's."""

    STANDARD = "standard", "Standard Webhooks"
    STRIPE = "stripe", "Stripe"
    PAYSUPER = "paysuper", "PaySuper"
    PAYNOW = "paynow", "PayNow"
    PAYSECURE = "paysecure", "Paysecure"


class Endpoint(models.Model):
    """A URL of the merchant that receives a project's events.

    `events`: names of ours ("payment.success") and groups ("payment.*"); empty means
    all. `livemode`: true or false takes that mode only, null both. `rate`: deliveries
    a second. `sealed_headers`: a JSON object of the merchant's own headers, sealed;
    webhooks.endpoints opens it.

    kind        "endpoint": set up for a project. "callback": the URL that a single
                purchase named for its own outcome (webhooks.callbacks); it has no
                events and is told only what is addressed to it. "forward": a laptop
                that listens (manage.py listen); it ends with the command.
    state       "enabled"; "paused" by a member; "disabled" by us, `reason` says why.
                In the last two its deliveries are held.

    `demo`: the demo made it; only such a one may point at our own sandbox.

    Health, written by the worker (webhooks.delivery):
    failing     since when every attempt has failed; null: the last one was a success
    failed_last when the last attempt failed; succeeded_last: when one succeeded
    warned      how many warnings (webhooks.delivery.health) were mailed since then
    slow, slow_until  one delivery at a time until a success (after 429, 502, 503, 504
                and timeouts), and none before this moment
    paced       when `rate` lets the next one out
    """

    class Kind(models.TextChoices):
        ENDPOINT = "endpoint", "endpoint"
        CALLBACK = "callback", "callback"
        FORWARD = "forward", "forward"

    class State(models.TextChoices):
        ENABLED = "enabled", "enabled"
        PAUSED = "paused", "paused"
        DISABLED = "disabled", "disabled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="endpoints")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.ENDPOINT)
    url = models.CharField(max_length=2048)
    description = models.CharField(max_length=200, default="", blank=True)
    dialect = models.CharField(max_length=10, choices=Dialect, default=Dialect.STANDARD)
    events = models.JSONField(default=list, blank=True)
    livemode = models.BooleanField(null=True, default=None)
    rate = models.PositiveIntegerField(default=25)
    sealed_headers = models.TextField(default="", blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    demo = models.BooleanField(default=False, db_default=False)
    state = models.CharField(max_length=8, choices=State, default=State.ENABLED)
    reason = models.CharField(max_length=300, default="", blank=True)
    created = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(
        User, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    changed = models.DateTimeField(default=timezone.now)
    failing = models.DateTimeField(null=True, blank=True)
    failed_last = models.DateTimeField(null=True, blank=True)
    succeeded_last = models.DateTimeField(null=True, blank=True)
    warned = models.PositiveSmallIntegerField(default=0)
    slow = models.BooleanField(default=False)
    slow_until = models.DateTimeField(null=True, blank=True)
    paced = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["project", "kind", "created"], name="endpoint_of_project"
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url


class EndpointSecret(models.Model):
    """One sealed secret that an endpoint's letters are signed with.

    Those without `expires` and those whose end has not come sign together, the newest
    first. Dialects that sign with the project's key pair have none.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="secrets")
    sealed = models.TextField()
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"secret of {self.endpoint_id}"

    @classmethod
    def sealed_for(
        cls, endpoint: Endpoint, secret: str, expires: datetime | None = None
    ) -> EndpointSecret:
        """A new row that holds the secret sealed; not saved yet."""
        row = cls(endpoint=endpoint, expires=expires)
        row.sealed = vault.seal(secret, purpose="endpoint.secret", row=row.id)
        return row

    def open(self) -> str:
        return vault.unseal(self.sealed, purpose="endpoint.secret", row=self.id)


class SigningKey(models.Model):
    """A project's own RSA pair, for dialects that sign with one. PEM, private sealed.

    As with secrets, one whose end has not come is still valid; the newest signs.
    """

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="signing_keys")
    public = models.TextField()
    sealed = models.TextField()
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"signing key of {self.project_id}"

    @classmethod
    def sealed_for(cls, project: Project, private: str, public: str) -> SigningKey:
        """A new row that holds the private key sealed; not saved yet."""
        row = cls(project=project, public=public)
        row.sealed = vault.seal(private, purpose="project.signing_key", row=row.id)
        return row

    def open(self) -> str:
        return vault.unseal(self.sealed, purpose="project.signing_key", row=self.id)
