"""How a store of PayNow is connected."""

from __future__ import annotations

from merchant.providers.connecting import URL, Asked, Setup, Step
from merchant.providers.paynow.events import READERS
from merchant.providers.paynow.words import api_name

EVENTS = tuple(READERS)

#: One call for each event; PayNow answers with the secret that it made for it.
SCRIPT = f"""\
STORE=your_store_id KEY=your_api_key
for EVENT in {" ".join(api_name(event) for event in EVENTS)}
do
  curl -s https://api.paynow.gg/v1/stores/$STORE/webhooks \\
    -H "Authorization: APIKey $KEY" -H "Content-Type: application/json" \\
    -d '{{"url":"{URL}","subscribed_to":"'$EVENT'","type":"json_v1"}}' |
    sed -n 's/.*"secret":"\\([^"]*\\)".*/\\1/p'
done"""

setup = Setup(
    needs=(
        "the secrets of your webhook subscriptions, which PayNow makes after it was "
        "given the intake URL, an API key and the store's id."
    ),
    key=Asked(
        "secret",
        "Webhook secrets",
        (
            "One a line: PayNow makes a secret for every subscription, and a "
            "subscription is for one event."
        ),
        long=True,
    ),
    asks=(
        Asked(
            "api_key",
            "API key",
            (
                "A management key of the store. With it Merchant asks for what "
                "webhooks leave out, finds missed orders, and refunds."
            ),
        ),
        Asked(
            "account",
            "Store ID",
            "Needed only where the API key sees more than one store.",
            example="411486491630370816",
            secret=False,
        ),
    ),
    steps=(
        Step(
            (
                "In PayNow's dashboard open Integration > Webhooks and add one of the "
                "type JSON with the intake URL."
            ),
            code=URL,
        ),
        Step(
            (
                "One subscription is for one event, so add one for each of these. The "
                "first six matter most."
            ),
            names=EVENTS,
        ),
        Step(
            (
                "Or let the API do it: these lines subscribe to all of them and print "
                "the secrets."
            ),
            code=SCRIPT,
            unfold="Lines for a terminal",
        ),
        Step(
            "Copy the secret of each subscription and enter them all under Keys "
            "here, one a line."
        ),
        Step(
            "Make a test purchase, or a free order: PayNow has no button that "
            "sends a test."
        ),
    ),
    notes=(
        (
            "When you reset one secret at PayNow, put the new one in the place of that "
            "key alone; the others stay as they are."
        ),
    ),
    per_event=True,
)
