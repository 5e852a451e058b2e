"""How a brand of Paysecure is connected."""

from __future__ import annotations

from merchant.providers.connecting import URL, Asked, Setup, Step

#: As Paysecure's dashboard calls the triggers; see words.py for the statuses they send.
TRIGGERS = (
    "purchase created",
    "payment in progress",
    "purchase overdue",
    "purchase hold",
    "hold release",
    "purchase paid",
    "purchase failed",
    "purchase cancelled",
    "purchase expired",
    "refund in progress",
    "payment refund",
)

#: The variable matches both spellings, so that one clean header arrives.
NGINX = """\
server {
  underscores_in_headers on;
  location /hooks/paysecure/ {
    proxy_set_header paysecure_sign "";
    proxy_set_header Paysecure-Sign $http_paysecure_sign;
    proxy_pass http://127.0.0.1:8000;
  }
}"""

setup = Setup(
    needs=(
        "the public key of a key pair that you generate at Paysecure, the ids of your "
        "brands, and an API key."
    ),
    key=Asked(
        "public_key",
        "Public key",
        (
            "Paysecure signs with RSA and shows the public key only once, when the key "
            "pair is generated. PEM or base64, both are fine."
        ),
        example="-----BEGIN PUBLIC KEY-----",
        long=True,
        secret=False,
    ),
    asks=(
        Asked(
            "api_key",
            "API key",
            (
                "Needed in practice: Paysecure signs no amounts and sends each webhook "
                "once, so Merchant confirms every purchase and looks every 15 minutes "
                "for what was missed."
            ),
        ),
        Asked(
            "brand_ids",
            "Brand ids",
            (
                "One a line. Purchases of other brands are refused; left empty, every "
                "brand is taken."
            ),
            long=True,
            secret=False,
        ),
    ),
    steps=(
        Step(
            "In Paysecure's dashboard open Public Key, press Generate Key Pair and "
            "enter the public key under Keys here at once: it is shown only then. "
            "Sandbox and live have a pair each."
        ),
        Step(
            (
                "Open Web Hooks and add one: any name, payment method All, and the "
                "intake URL as the callback URL."
            ),
            code=URL,
        ),
        Step("Tick every event.", names=TRIGGERS),
        Step(
            "Where your shop sends success_callback and failure_callback along "
            "with a purchase or payout, put the intake URL there as well: they win "
            "over the webhooks of the dashboard, and payouts have no other way."
        ),
        Step(
            (
                "The signature comes in a header with an underscore, paysecure_sign. "
                "Merchant's own server takes it, but a proxy in front may drop it; "
                "nginx does unless it is told:"
            ),
            code=NGINX,
            unfold="Lines for nginx",
        ),
        Step("Make a purchase in the sandbox. It shows here within seconds."),
    ),
    notes=(
        (
            "Paysecure never sends a webhook again. With an API key what got lost is "
            "found within a quarter of an hour."
        ),
    ),
)
