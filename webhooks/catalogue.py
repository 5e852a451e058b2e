"""Every event that we announce: its name, what it means, and what others call it.

The names are a contract (other people's servers compare them), so none ever changes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


@dataclass(frozen=True, slots=True)
class Kind:
    """One event. `subject`: the kind of row it is about, as in Event.subject_kind.

    The other words are that event's in a dialect: Stripe's type, PaySuper's type,
    PayNow's event, Paysecure's status. "" means that the dialect does not send it.
    Where a dialect's word depends on the payload, the dialect decides (webhooks.
    dialects); what stands here is what a page lists.
    """

    name: str
    means: StrOrPromise
    subject: str = "transaction"
    stripe: str = ""
    paysuper: str = ""
    paynow: str = ""
    paysecure: str = ""

    @property
    def group(self) -> str:
        """ "payment" for payment.success; "payment.*" asks for all of a group."""
        return self.name.partition(".")[0]


def _standing(subject: str, *kinds: Kind) -> tuple[Kind, ...]:
    return tuple(
        Kind(
            kind.name,
            kind.means,
            subject,
            kind.stripe,
            kind.paysuper,
            kind.paynow,
            kind.paysecure,
        )
        for kind in kinds
    )


_PAYMENT = (
    Kind(
        "payment.created",
        _("A purchase was begun; nothing is paid yet."),
        stripe="payment_intent.created",
        paysecure="CREATED",
    ),
    Kind(
        "payment.pending",
        _("The customer has paid and the provider waits for the money."),
        stripe="payment_intent.processing",
        paysecure="PAYMENT_IN_PROCESS",
    ),
    Kind(
        "payment.authorized",
        _("The money is reserved and not taken yet."),
        stripe="payment_intent.amount_capturable_updated",
        paysecure="HOLD",
    ),
    Kind(
        "payment.released",
        _("A reservation was let go; nothing is taken."),
        stripe="payment_intent.canceled",
        paysuper="payment.cancel",
        paysecure="RELEASED",
    ),
    Kind(
        "payment.overdue",
        _("It was not paid in time and may still be."),
        paysecure="OVERDUE",
    ),
    Kind(
        "payment.success",
        _("It is paid: hand over what was bought."),
        stripe="checkout.session.completed",
        paysuper="payment.success",
        paynow="ON_ORDER_COMPLETED",
        paysecure="PAID",
    ),
    Kind(
        "payment.failed",
        _("The payment was refused or broke."),
        stripe="payment_intent.payment_failed",
        paysuper="payment.cancel",
        paynow="ON_PAYMENT_FAILED",
        paysecure="ERROR",
    ),
    Kind(
        "payment.cancel",
        _("The purchase was called off before it was paid."),
        stripe="payment_intent.canceled",
        paysuper="payment.cancel",
        paysecure="CANCELLED",
    ),
    Kind(
        "payment.expired",
        _("Nobody paid it until its end."),
        stripe="checkout.session.expired",
        paysuper="payment.cancel",
        paysecure="EXPIRED",
    ),
    Kind(
        "payment.refund",
        _("Money went back, in part or all of it."),
        stripe="charge.refunded",
        paysuper="payment.refund",
        paynow="ON_REFUND",
        paysecure="REFUNDED / PARTIAL_REFUNDED",
    ),
    Kind(
        "payment.updated",
        _("Something else about it changed: a fee, an address, a reference."),
        stripe="payment.updated",
    ),
)

_REFUND = (
    Kind(
        "refund.requested",
        _("A refund is under way."),
        stripe="refund.created",
        paysecure="REFUND_IN_PROCESS",
    ),
    Kind(
        "refund.succeeded",
        _("A refund has reached the customer's bank."),
        stripe="refund.updated",
    ),
    Kind(
        "refund.failed",
        _("A refund did not come about; the money stays."),
        stripe="refund.failed",
        paysecure="PAID",
    ),
)

_DISPUTE = (
    Kind(
        "dispute.opened",
        _("The customer's bank asks for the money back."),
        stripe="charge.dispute.created",
        paynow="ON_CHARGEBACK",
    ),
    Kind(
        "dispute.closed",
        _("A dispute was won or lost."),
        stripe="charge.dispute.closed",
        paysuper="payment.chargeback",
        paynow="ON_CHARGEBACK_CLOSED",
        paysecure="CHARGEBACK",
    ),
)

_FULFILMENT = (
    Kind(
        "fulfilment.done",
        _("What was bought has been handed over."),
        stripe="fulfilment.done",
    ),
    Kind(
        "fulfilment.revoked",
        _("What was handed over was taken back."),
        stripe="fulfilment.revoked",
    ),
)

_SUBSCRIPTION = _standing(
    "subscription",
    Kind(
        "subscription.activated",
        _("A subscription has begun."),
        stripe="customer.subscription.created",
        paynow="ON_SUBSCRIPTION_ACTIVATED",
    ),
    Kind(
        "subscription.renewed",
        _("A subscription goes on for another period."),
        stripe="customer.subscription.updated",
        paynow="ON_SUBSCRIPTION_RENEWED",
    ),
    Kind(
        "subscription.canceled",
        _("A subscription has ended."),
        stripe="customer.subscription.deleted",
        paynow="ON_SUBSCRIPTION_CANCELED",
    ),
    Kind(
        "subscription.past_due",
        _("A subscription's payment failed and is tried again."),
        stripe="invoice.payment_failed",
    ),
)

_TRIAL = _standing(
    "subscription",
    Kind("trial.activated", _("A trial has begun."), paynow="ON_TRIAL_ACTIVATED"),
    Kind(
        "trial.completed",
        _("A trial has ended and is paid for from now on."),
        paynow="ON_TRIAL_COMPLETED",
    ),
    Kind(
        "trial.canceled",
        _("A trial was called off."),
        paynow="ON_TRIAL_CANCELED",
    ),
)

_DELIVERY_ITEM = tuple(
    Kind(f"delivery_item.{word}", means, paynow=f"ON_DELIVERY_ITEM_{word.upper()}")
    for word, means in (
        ("added", _("PayNow put a thing into the customer's inventory.")),
        ("activated", _("A thing in the inventory works from now on.")),
        ("used", _("A thing in the inventory was used up.")),
        ("renewed", _("A thing in the inventory lasts longer.")),
        ("revoked", _("A thing was taken out of the inventory.")),
        ("expired", _("The time of a thing in the inventory is over.")),
    )
)

_CUSTOMER = (
    Kind(
        "customer.linked",
        _("The customer linked a Discord account to the purchase."),
        paynow="ON_DISCORD_ACCOUNT_LINKED_TO_CHECKOUT",
    ),
)

_PAYOUT = _standing(
    "payout",
    Kind(
        "payout.created",
        _("Money for the merchant was set aside."),
        stripe="payout.created",
        paysecure="CREATED",
    ),
    Kind(
        "payout.pending",
        _("Money is on its way to the merchant."),
        stripe="payout.updated",
        paysecure="PAYOUT_IN_PROCESS",
    ),
    Kind(
        "payout.paid",
        _("Money has reached the merchant's bank."),
        stripe="payout.paid",
        paysecure="PAID",
    ),
    Kind(
        "payout.failed",
        _("Money for the merchant came back."),
        stripe="payout.failed",
        paysecure="ERROR",
    ),
)

#: What "Send test" sends. Not one of those that an endpoint asks for: it always comes.
TEST = Kind(
    "endpoint.test",
    _("Somebody pressed “Send test”. Nothing happened."),
    stripe="endpoint.test",
    paysuper="payment.success",
    paynow="ON_ORDER_COMPLETED",
    paysecure="CREATED",
)

#: A scheduled export, told to the one endpoint that its schedule names.
EXPORT = Kind(
    "export.ready",
    _("A scheduled export was made and can be fetched."),
    "export",
)

#: What no endpoint asks for: it comes to whom it is meant for.
ADDRESSED = (EXPORT, TEST)

#: Every event, in the order of pages.
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        *_PAYMENT,
        *_REFUND,
        *_DISPUTE,
        *_FULFILMENT,
        *_SUBSCRIPTION,
        *_TRIAL,
        *_DELIVERY_ITEM,
        *_CUSTOMER,
        *_PAYOUT,
        *ADDRESSED,
    )
}

#: Groups that an endpoint can ask for, in the order of pages.
GROUPS: tuple[str, ...] = tuple(
    dict.fromkeys(kind.group for kind in KINDS.values() if kind not in ADDRESSED)
)

_ASKED_FOR = [name for name, kind in KINDS.items() if kind not in ADDRESSED]


class UnknownEvent(ValueError):
    """A name that is none of ours; says which there are."""


def read_names(given: Iterable[str]) -> list[str]:
    """The names and groups as an endpoint keeps them, each once, in our order.

    "payment.*" and "payment" mean a group, "*" and nothing mean all (an empty list).
    A name whose group is also given goes. Raises UnknownEvent.
    """
    names = {name.strip() for name in given if name.strip()}
    if not names or "*" in names:
        return []
    groups = {name.removesuffix(".*") for name in names} & set(GROUPS)
    single = {name for name in names if name.removesuffix(".*") not in groups}
    for name in sorted(single):
        if name not in KINDS or KINDS[name] in ADDRESSED:
            raise UnknownEvent(
                f"There is no event {name!r}. The events are"
                f" {', '.join(_ASKED_FOR)},"
                ' a whole group such as "payment.*", or "*" for all.'
            )
    wanted = [f"{group}.*" for group in GROUPS if group in groups]
    return wanted + [
        name for name in KINDS if name in single and KINDS[name].group not in groups
    ]


def asks_for(wanted: Iterable[str], name: str) -> bool:
    """Whether an endpoint with these names is told of this event."""
    wanted = list(wanted)
    if not wanted or KINDS[name] in ADDRESSED:
        return True
    return name in wanted or f"{KINDS[name].group}.*" in wanted


def asked_names(wanted: Iterable[str]) -> list[str]:
    """The events that an endpoint with these names and groups asks for."""
    wanted = list(wanted)
    return [name for name in KINDS if name != TEST.name and asks_for(wanted, name)]
