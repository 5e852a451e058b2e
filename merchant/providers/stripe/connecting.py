"""How an account of Stripe is connected."""

from __future__ import annotations

from merchant.providers.connecting import URL, Asked, Setup, Step
from merchant.providers.stripe import words

setup = Setup(
    needs=(
        "a signing secret, which Stripe shows after it was given the intake URL, and a "
        "secret or restricted API key."
    ),
    key=Asked(
        "secret",
        "Signing secret",
        "Stripe shows it once the endpoint is made, so it may come later.",
        example="whsec_...",
    ),
    asks=(
        Asked(
            "api_key",
            "API key",
            (
                "With it Merchant asks for products, fees and missed events, and "
                "refunds. A restricted key needs to read Charges, PaymentIntents, "
                "Checkout Sessions, Balance transactions, Invoices, Subscriptions and "
                "Events, and to write Refunds."
            ),
            example="rk_live_...",
        ),
        Asked(
            "account",
            "Connected account",
            (
                "Only with Stripe Connect: the events of this account alone are taken. "
                "Left empty, those of all are, each labelled."
            ),
            example="acct_...",
            secret=False,
        ),
    ),
    steps=(
        Step(
            "In Stripe's Dashboard choose test or live mode as this connection "
            "has it, open Developers > Webhooks and add an endpoint (newer "
            "accounts: Workbench > Webhooks > Add destination)."
        ),
        Step("Paste the intake URL as the endpoint URL.", code=URL),
        Step(
            (
                "Select these events. More do no harm: what is not understood is kept "
                "and changes nothing."
            ),
            names=words.TYPES,
        ),
        Step(
            "Where Stripe asks for the payload style, choose Snapshot. Thin events "
            "are understood as well, but each one needs a question with the API "
            "key."
        ),
        Step("Reveal the endpoint's signing secret and enter it under Keys here."),
        Step(
            "Make a payment in test mode, or send a test event. It shows here "
            "within seconds."
        ),
    ),
    notes=(
        (
            "Test and live mode have endpoints and secrets of their own: connect each "
            "of them."
        ),
        (
            "When you roll the secret at Stripe, let the old one live for up to 24 "
            "hours there and choose the same here."
        ),
    ),
)
