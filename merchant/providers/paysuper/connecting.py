"""How a project of PaySuper is connected."""

from __future__ import annotations

from merchant.providers.connecting import URL, Asked, Setup, Step

setup = Setup(
    needs="the project's secret key and its id, both on its Webhooks page.",
    key=Asked(
        "secret",
        "Secret key",
        "The project's: it signs every webhook. At least 12 characters there.",
    ),
    asks=(
        Asked(
            "account",
            "Project ID",
            (
                "24 digits and letters, shown on the Webhooks page. Questions to "
                "PaySuper carry it; its webhooks do not."
            ),
            example="5dca80177ae51a00016d73a3",
            secret=False,
        ),
        Asked(
            "api_key",
            "API key",
            (
                "PaySuper's server API takes the project's secret key: enter it here "
                "once more to let Merchant ask for orders that webhooks missed."
            ),
        ),
        Asked(
            "user_token",
            "User token",
            (
                "Only for refunds: PaySuper lets a person refund and no key. A bearer "
                "token of a PaySuper user who may refund; enter a new one when it has "
                "expired. Without it refunds are made in PaySuper's dashboard."
            ),
        ),
    ),
    steps=(
        Step("Open the project in PaySuper's dashboard, and there Webhooks."),
        Step("Paste the intake URL as the Webhook URL.", code=URL),
        Step(
            "Generate a secret key, or keep the one that is there, and enter it "
            "under Keys here."
        ),
        Step(
            "Switch webhooks on (new projects have them off) and save. Webhook "
            "mode may stay on Default; with Pre-approval, Merchant answers every "
            "user check with yes."
        ),
        Step(
            "Press Test in the webhook tester of that page. The existing user and "
            "the correct payment must pass with 200; the unknown user is answered "
            "with 400 and the wrong signature with 401, as PaySuper wants it. Test "
            "sends stay among the inbound events and become no transaction."
        ),
    ),
    notes=(
        "One URL takes all of PaySuper's events; there is nothing to subscribe to.",
        (
            "If your PaySuper has moved to another host, edit the connection and enter "
            "that host as the base URL."
        ),
    ),
)
