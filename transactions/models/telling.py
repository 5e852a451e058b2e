"""What the outbox has yet to say, and whom a single purchase reports to."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from transactions.models.purchase import Transaction
from webhooks.models import Endpoint


class HeldNews(models.Model):
    """A payment that nobody has been told of: its amount came unsigned, and its
    connection's API key can confirm it. Told when it is confirmed, or when `due`.
    """

    transaction = models.OneToOneField(
        Transaction, models.CASCADE, primary_key=True, related_name="held_news"
    )
    due = models.DateTimeField(db_index=True)
    created = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.transaction_id} until {self.due}"


class Callback(models.Model):
    """A URL that a purchase was given through us, for one outcome of its own.

    While there is one, that outcome is told to it and to no endpoint of the project.
    `endpoint`: the row, of the kind "callback", through which it is delivered.
    """

    class Outcome(models.TextChoices):
        SUCCESS = "success", "success"
        FAILURE = "failure", "failure"

    transaction = models.ForeignKey(
        Transaction, models.CASCADE, related_name="callbacks", db_index=False
    )
    outcome = models.CharField(max_length=8, choices=Outcome)
    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="callbacks")
    created = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["transaction", "outcome"], name="callback_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} of {self.transaction_id}"
