"""The words for states, and which of them wins; tables, no database."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    """The statuses of a transaction: one column, one filter, one badge."""

    CREATED = "created", _("Created")
    PENDING = "pending", _("Pending")
    AUTHORIZED = "authorized", _("Authorized")
    OVERDUE = "overdue", _("Overdue")
    PARTIALLY_PAID = "partially_paid", _("Partially paid")
    PAID = "paid", _("Paid")
    PARTIALLY_REFUNDED = "partially_refunded", _("Partially refunded")
    REFUNDED = "refunded", _("Refunded")
    DISPUTED = "disputed", _("Disputed")
    CHARGED_BACK = "charged_back", _("Charged back")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")
    EXPIRED = "expired", _("Expired")


#: status -> tone of its badge (ok, warn, bad, info, idle).
TONES = {
    Status.CREATED: "idle",
    Status.PENDING: "warn",
    Status.AUTHORIZED: "info",
    Status.OVERDUE: "warn",
    Status.PARTIALLY_PAID: "warn",
    Status.PAID: "ok",
    Status.PARTIALLY_REFUNDED: "info",
    Status.REFUNDED: "idle",
    Status.DISPUTED: "bad",
    Status.CHARGED_BACK: "bad",
    Status.FAILED: "bad",
    Status.CANCELED: "idle",
    Status.EXPIRED: "idle",
}

#: A payment fact also knows "released": a hold was let go. It ends as canceled.
RELEASED = "released"

#: What holds when no money moved, strongest first (contract.md): one that ended keeps
#: its end unless something paid or authorized is known.
ENDED = (Status.EXPIRED, Status.CANCELED, Status.FAILED)
OPEN = (Status.OVERDUE, Status.PENDING, Status.CREATED)


#: Money came, whatever became of it afterwards: what "gross" and "sold" count.
MONEY_CAME = frozenset(
    {
        Status.PAID,
        Status.PARTIALLY_REFUNDED,
        Status.REFUNDED,
        Status.DISPUTED,
        Status.CHARGED_BACK,
    }
)

#: Of these, what may be handed over: the money is here and nobody asks for it back.
TO_HAND_OVER = frozenset({Status.PAID, Status.PARTIALLY_REFUNDED})


class RefundStatus(models.TextChoices):
    """The life of a refund. Provider facts use pending, requires_action, the ends.

    One that we asked for is "submitted" where its provider says "pending": both mean
    that the provider has it. "unknown" is a call whose answer was lost.
    """

    REQUESTED = "requested", _("Requested")
    AWAITING_APPROVAL = "awaiting_approval", _("Waits for approval")
    APPROVED = "approved", _("Approved")
    SUBMITTED = "submitted", _("Submitted")
    UNKNOWN = "unknown", _("Not known yet")
    PENDING = "pending", _("Pending")
    REQUIRES_ACTION = "requires_action", _("Waits for the customer")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Expired")


#: Refunds in these states are under way: their amount is spoken for.
REFUND_OPEN = frozenset(
    {
        RefundStatus.REQUESTED,
        RefundStatus.AWAITING_APPROVAL,
        RefundStatus.APPROVED,
        RefundStatus.SUBMITTED,
        RefundStatus.UNKNOWN,
        RefundStatus.PENDING,
        RefundStatus.REQUIRES_ACTION,
    }
)
#: Of these, what no provider has been asked for yet.
REFUND_UNSENT = frozenset(
    {RefundStatus.REQUESTED, RefundStatus.AWAITING_APPROVAL, RefundStatus.APPROVED}
)


class RefundStep(models.TextChoices):
    """What we do about a refund, as our entries in the timeline say it."""

    REQUESTED = "requested", _("Refund requested")
    AWAITING_APPROVAL = "awaiting_approval", _("Refund requested, waits for approval")
    APPROVED = "approved", _("Refund approved")
    DECLINED = "declined", _("Refund declined")
    EXPIRED = "expired", _("Refund request expired")
    CANCELED = "canceled", _("Refund request canceled")
    SENT = "sent", _("Refund sent to the provider")
    BY_HAND = "by_hand", _("To be refunded in the provider's own dashboard")
    ACCEPTED = "accepted", _("The provider has taken the refund")
    UNKNOWN = "unknown", _("The provider's answer was lost")
    REFUSED = "refused", _("The provider refused the refund")
    STOPPING = "stopping", _("Canceling the refund at the provider")
    GIVEN_UP = "given_up", _("Closed: the provider does not have it")


#: What each of our steps makes of the refund, while its provider has said nothing.
AFTER_STEP = {
    RefundStep.REQUESTED: RefundStatus.REQUESTED,
    RefundStep.AWAITING_APPROVAL: RefundStatus.AWAITING_APPROVAL,
    RefundStep.APPROVED: RefundStatus.APPROVED,
    RefundStep.DECLINED: RefundStatus.DECLINED,
    RefundStep.EXPIRED: RefundStatus.EXPIRED,
    RefundStep.CANCELED: RefundStatus.CANCELED,
    RefundStep.SENT: RefundStatus.SUBMITTED,
    RefundStep.BY_HAND: RefundStatus.SUBMITTED,
    RefundStep.ACCEPTED: RefundStatus.SUBMITTED,
    RefundStep.UNKNOWN: RefundStatus.UNKNOWN,
    RefundStep.REFUSED: RefundStatus.FAILED,
    RefundStep.STOPPING: RefundStatus.SUBMITTED,
    RefundStep.GIVEN_UP: RefundStatus.CANCELED,
}


class RefundReason(models.TextChoices):
    """Why staff give money back; each provider file knows its own word for it."""

    REQUESTED_BY_CUSTOMER = "requested_by_customer", _("The customer asked for it")
    DUPLICATE = "duplicate", _("Paid twice")
    FRAUDULENT = "fraudulent", _("Fraud or a stolen card")
    NOT_DELIVERED = "not_delivered", _("Not delivered, or not as promised")
    CHARGEBACK = "chargeback", _("To settle a chargeback")
    OTHER = "other", _("Another reason")


class AfterRefund(models.TextChoices):
    """What a refund does to what was handed over, once it has succeeded."""

    KEEP = "keep", _("The customer keeps it")
    REVOKE = "revoke", _("It is taken back")


class DisputeStatus(models.TextChoices):
    OPEN = "open", _("Open")
    WON = "won", _("Won")
    LOST = "lost", _("Lost")


DISPUTE_CLOSED = frozenset({DisputeStatus.WON, DisputeStatus.LOST})


class SubscriptionStatus(models.TextChoices):
    """Subscriptions and trials of all providers in one set of words."""

    CREATED = "created", _("Created")
    TRIALING = "trialing", _("In trial")
    ACTIVE = "active", _("Active")
    PAST_DUE = "past_due", _("Past due")
    PAUSED = "paused", _("Paused")
    UNPAID = "unpaid", _("Unpaid")
    CANCELED = "canceled", _("Canceled")
    COMPLETED = "completed", _("Completed")


class PayoutStatus(models.TextChoices):
    CREATED = "created", _("Created")
    PENDING = "pending", _("Pending")
    PAID = "paid", _("Paid")
    FAILED = "failed", _("Failed")
    CANCELED = "canceled", _("Canceled")


class FulfilmentStatus(models.TextChoices):
    """Whether what was bought has been handed over."""

    NOT_NEEDED = "not_needed", _("Not needed")
    WAITING = "waiting", _("Waiting")
    DONE = "done", _("Done")
    REVOKED = "revoked", _("Revoked")


class Act(models.TextChoices):
    """What staff do to a transaction, as their entries in its timeline say it."""

    DONE = "done", _("Handed over")
    UNDONE = "undone", _("Not handed over after all")
    REVOKED = "revoked", _("Taken back")
    KEPT = "kept", _("Left with the customer")
    CLAIMED = "claimed", _("On it")
    RELEASED = "released", _("Not on it any more")
    ACCEPTED = "accepted", _("Amount accepted")
    WITHDRAWN = "withdrawn", _("Acceptance taken back")
    CLEARED = "cleared", _("Flag cleared")
