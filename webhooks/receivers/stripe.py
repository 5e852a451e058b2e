"""Receives events in Stripe's words, with Stripe's own library.

    WEBHOOK_SECRET=whsec_... python3 stripe_events.py      (pip install stripe)

A handler that was written for Stripe works as it is: this one shows the whole of it.
Save it under another name than stripe.py, which would hide the library. The event is
handled in `handle`, below.
"""

import hashlib
import json
import os
import pathlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stripe

# While a secret is being rolled: either; each letter carries a signature of both.
SECRET = os.environ["WEBHOOK_SECRET"]
# An empty file for each event that was handled; a unique column of your database is
# as good.
DONE = pathlib.Path(os.environ.get("EVENTS_DONE", "events-done"))
LARGEST = 1024 * 1024


def handle(event):
    """Your part. Whatever takes long belongs into a queue of your own.

    Events may come twice and in any order. The object is a plain dict: its line items
    are in it, so nobody has to be asked for them.
    """
    told = event["data"]["object"]
    if event["type"] == "checkout.session.completed" and told.get("verified", True):
        print("paid:", told["id"], told["amount_total"], told["currency"])


def receive(headers, body):
    """The status and the text to answer with."""
    header = headers.get("Stripe-Signature") or ""
    try:
        text = body.decode()
        stripe.WebhookSignature.verify_header(text, header, SECRET, tolerance=300)
        event = json.loads(text)
    except stripe.SignatureVerificationError:
        return 400, "The signature is wrong, or the letter is too old."
    except (ValueError, TypeError):
        return 400, "This is no JSON."
    if not claim(event["id"]):
        return 200, "Known already."
    try:
        handle(event)
    except Exception:
        DONE.joinpath(name_of(event["id"])).unlink()  # the next try is no duplicate
        raise
    return 200, "Thank you."


def claim(id):
    """Whether this event is new. Two copies at the same moment: one of them is."""
    DONE.mkdir(exist_ok=True)
    try:
        DONE.joinpath(name_of(id)).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def name_of(id):
    return hashlib.sha256(id.encode()).hexdigest()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > LARGEST:
            return self.answer(413, "Too large.")
        # The bytes as they came: JSON that was read and written again differs.
        body = self.rfile.read(length)
        try:
            self.answer(*receive(self.headers, body))
        except Exception as error:
            print("failed:", error)
            self.answer(500, "It failed here; send it again.")

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "4242"))
    ThreadingHTTPServer(
        (os.environ.get("HOST", "127.0.0.1"), port), Receiver
    ).serve_forever()
